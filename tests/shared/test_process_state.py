"""Reading changes nothing that belongs to the whole process, whatever other threads do."""

import io
import locale
import os
import signal
import struct
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sources
from PIL import Image, ImageFile, PngImagePlugin

from inksight.data.loading import load
from inksight.errors import InputError
from inksight.nn.model_file import load_model
from inksight.reading.reader import read


def process_state():
    umask = os.umask(0)
    os.umask(umask)
    return {
        "filters": (id(warnings.filters), list(warnings.filters)),
        "showwarning": warnings.showwarning,
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "pillow": (
            Image.MAX_IMAGE_PIXELS, getattr(Image, "WARN_POSSIBLE_FORMATS", None), ImageFile.LOAD_TRUNCATED_IMAGES,
            ImageFile.MAXBLOCK, PngImagePlugin.MAX_TEXT_MEMORY,
        ),
        "locale": locale.setlocale(locale.LC_ALL),
        "folder": Path.cwd(),
        "environment": dict(os.environ),
        "umask": umask,
        "numpy": np.geterr(),
    }  # fmt: skip


def saved(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def damaged_exif():
    """An EXIF block that declares more values than it has, on which Pillow warns."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description that is longer than four bytes"
    return exif.tobytes()[:-20]


def without_frames(animated):
    """An animated PNG that declares no frames, on which Pillow warns."""
    start = animated.index(b"acTL")
    chunk = b"acTL" + bytes(8)
    return animated[:start] + chunk + struct.pack(">I", zlib.crc32(chunk)) + animated[start + 16 :]


def files(folder):
    """Good and damaged files of every kind, among them all on which Pillow or NumPy would warn."""
    digits, labels = sources.some_digits()
    picture = Image.fromarray(digits[0])
    tiff = saved(picture, "TIFF", tiffinfo={270: "a description of the picture"})
    contents = {
        "good.png": saved(picture, "PNG"),
        "exif.jpg": saved(picture, "JPEG", exif=damaged_exif()),
        "exif.png": saved(picture, "PNG", exif=damaged_exif()),
        "exif.webp": saved(picture, "WEBP", exif=damaged_exif()),
        "metadata.tif": tiff.replace(b"\x0e\x01\x02\x00\x1d\x00", b"\x0e\x01\x02\x00\xff\xff"),
        "animated.png": without_frames(saved(picture, "PNG", save_all=True, append_images=[picture.rotate(90)])),
        "large.png": saved(Image.new("1", (10_000, 10_000)), "PNG"),
        "palette.png": saved(picture.convert("P"), "PNG", transparency=bytes(range(256))),
        "truncated.png": saved(picture, "PNG")[:-40],
        "truncated.jpg": saved(picture, "JPEG")[:-40],
        "good.npz": sources.npz_bytes(x_train=digits, y_train=labels),
        "header.npz": sources.npz_bytes(save=np.savez, x_train=digits, y_train=labels).replace(b"(12,", b"(9\\d"),
        "good.csv": sources.csv_bytes(digits, labels),
        "damaged.csv": sources.csv_bytes(digits, labels) + b"1,2",
    }
    return [sources.write(folder, name, content) for name, content in contents.items()]


@pytest.mark.parametrize("name", ["exif.jpg", "exif.png", "exif.webp", "metadata.tif", "animated.png", "large.png"])
def test_pillow_itself_warns_on_these_files(name, tmp_path):
    path = next(path for path in files(tmp_path) if path.name == name)
    with pytest.warns((UserWarning, Image.DecompressionBombWarning)), Image.open(path) as image:
        image.getexif()


@pytest.mark.filterwarnings("ignore:.* is animated:inksight.errors.InputWarning")
def test_sixteen_threads_that_read_leave_the_process_as_it_is(tmp_path):
    paths, model = files(tmp_path), load_model("tiny")
    assert len(paths) == len({path.read_bytes() for path in paths})

    def read_one(path):
        try:
            result = load(path) if path.suffix in (".npz", ".csv") else read(path, model)
            return len(result) > 0
        except InputError as error:
            return "\n" in str(error) or "Warning" in str(error)

    for path in paths:
        read_one(path)  # imports what it needs
    before, changes, done = process_state(), [], threading.Event()

    def watch():
        while not done.wait(0.0005):
            if (id(warnings.filters), list(warnings.filters)) != before["filters"]:
                changes.append("filters")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(16) as executor:
            outcomes = list(executor.map(read_one, paths * 20))
    finally:
        done.set()
        watcher.join()
    assert process_state() == before
    assert changes == []
    for path, outcome in zip(paths * 20, outcomes, strict=True):
        assert outcome == (not path.name.startswith(("truncated", "damaged", "header", "large"))), path


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_agrees_with_pillow(kind, orientation, rng):
    from PIL import ImageOps

    from inksight.imaging.grayscale import to_grayscale

    image = Image.fromarray(rng.integers(0, 256, (13, 20), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(image, kind, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("L")) / 255
    np.testing.assert_allclose(to_grayscale(content), expected, rtol=0, atol=0.01 if kind == "WEBP" else 0)


def test_an_orientation_in_xmp_is_applied(rng):
    from inksight.imaging.grayscale import to_grayscale

    image = Image.fromarray(rng.integers(0, 256, (13, 20), np.uint8))
    for text in ('<rdf tiff:Orientation="6"/>', "<tiff:Orientation>6</tiff:Orientation>"):
        packet = b"http://ns.adobe.com/xap/1.0/\0" + text.encode()
        segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
        jpeg, webp = saved(image, "JPEG"), saved(image, "WEBP", xmp=text.encode())
        assert to_grayscale(jpeg[:2] + segment + jpeg[2:]).shape == (20, 13)
        assert to_grayscale(webp).shape == (20, 13)


@pytest.mark.parametrize("in_exif", [None, 0, 1, 3, 9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "packed PNG", "WEBP", "TIFF"])
def test_exif_counts_more_than_xmp(kind, in_exif, rng):
    from PIL import ImageOps, PngImagePlugin

    from inksight.imaging.grayscale import to_grayscale

    exif, xmp = Image.Exif(), '<rdf tiff:Orientation="6"/>'
    if in_exif is not None:
        exif[0x0112] = in_exif
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp, zip=kind == "packed PNG")
    exif[700] = xmp.encode()
    options: dict[str, Any] = {"TIFF": {"exif": exif}, "JPEG": {"exif": exif, "xmp": xmp.encode()},
               "WEBP": {"exif": exif, "xmp": xmp.encode(), "lossless": True}}  # fmt: skip
    image = Image.fromarray(rng.integers(0, 256, (13, 20), np.uint8))
    content = saved(image, kind.split()[-1], **options.get(kind, {"exif": exif, "pnginfo": text}))
    result = to_grayscale(content)
    assert result.shape == {None: (20, 13)}.get(in_exif, (13, 20))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("L")
    np.testing.assert_allclose(result, np.asarray(expected) / 255, rtol=0, atol=0.01 if kind == "WEBP" else 0)


@pytest.mark.parametrize("packed", [False, True])
def test_an_orientation_that_imagemagick_writes_is_applied(packed, rng):
    from PIL import PngImagePlugin

    from inksight.imaging.grayscale import to_grayscale

    image = Image.fromarray(rng.integers(0, 256, (13, 20), np.uint8))

    def with_profile(profile):
        text = PngImagePlugin.PngInfo()
        text.add_text("Raw profile type exif", profile, zip=packed)
        return to_grayscale(saved(image, "PNG", pnginfo=text)).shape

    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    lines = "\n".join(block.hex()[start : start + 72] for start in range(0, 2 * len(block), 72))
    assert with_profile(f"\nexif\n{len(block):8}\n{lines}\n") == (20, 13)
    for damaged in ("", "\nexif\n8\nno digits", f"\nexif\n8\n{lines[:20]}", "\n" * 4_000_000):
        assert with_profile(damaged) == (13, 20)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("kind", "letter"), [(3, "H"), (4, "I")])
def test_an_orientation_may_be_a_short_or_a_long_number(order, kind, letter, rng):
    from inksight.imaging.grayscale import to_grayscale

    entry = struct.pack(f"{order}HHI{letter}", 0x0112, kind, 1, 6).ljust(12, b"\0")
    block = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HIH", 42, 8, 1) + entry + bytes(4)
    image = Image.fromarray(rng.integers(0, 256, (13, 20), np.uint8))
    for name in ("JPEG", "PNG", "WEBP"):
        assert to_grayscale(saved(image, name, exif=b"Exif\0\0" + block)).shape == (20, 13)


def test_what_follows_a_jpeg_is_no_part_of_it(rng):
    """Phones append a video to a photo, in which the bytes of a marker occur by chance."""
    from inksight.imaging.grayscale import to_grayscale

    image = Image.fromarray(rng.integers(0, 256, (40, 50), np.uint8))
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 1}):
        photo = saved(image, "JPEG", **options)
        np.testing.assert_array_equal(to_grayscale(photo + b"\xff\xda" * 1000), to_grayscale(photo))
        last = photo.rindex(b"\xff\xda")
        hidden = b"\xff\xfe\0\x04\xff\xd9"  # a comment that holds the marker of the picture's end
        with pytest.raises(InputError, match=r"10\d scans, 100 are allowed"):
            to_grayscale(photo[:last] + (photo[last:-2] + hidden) * 101 + b"\xff\xd9")


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("1", {"compression": "group4"}), ("L", {"compression": "tiff_lzw"}), ("RGB", {"compression": "jpeg"}),
        ("RGB", {"compression": "tiff_adobe_deflate"}), ("P", {}), ("CMYK", {}), ("RGBA", {}), ("I;16", {}),
        ("L", {"big_tiff": True}),
    ],
)  # fmt: skip
def test_tiffs_of_every_kind_decode_as_with_pillow(mode, options, rng):
    from inksight.imaging.decoding import decode_upright

    pixels = rng.integers(0, 256, (40, 30, 3), np.uint8)
    image = (
        Image.fromarray(pixels[..., 0].astype(np.uint16)) if mode == "I;16" else Image.fromarray(pixels).convert(mode)
    )
    content = saved(image, "TIFF", **options)
    decoded = decode_upright(content, Path("a.tif"))
    np.testing.assert_array_equal(np.asarray(decoded), np.asarray(Image.open(io.BytesIO(content))))
