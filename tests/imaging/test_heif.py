"""HEIC and AVIF: the photos of phones are read, or named with what to install."""

import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from inksight import prepare, read
from inksight.errors import InputError, InputWarning, MissingDependencyError
from inksight.imaging.decoding import decode_upright, format_of
from inksight.imaging.file_pages import FilePage
from inksight.imaging.heif import heif_format, open_avif, open_heic, strip_heif


@pytest.fixture(scope="module")
def seven(mnist):
    return Image.fromarray(255 - mnist.split().test.images[0]).resize((120, 160))


def photo(kind, image, **options):
    """Encode a photo; skip the test where that is not possible."""
    if kind == "HEIC":
        pillow_heif = pytest.importorskip("pillow_heif")
        file = io.BytesIO()
        pillow_heif.from_pillow(image).save(file, quality=90, **options)
        return file.getvalue()
    if "avif" not in features.modules or not features.check("avif"):  # old versions warn of an unknown feature
        pytest.skip("Pillow has no AVIF")
    file = io.BytesIO()
    image.save(file, "AVIF", **options)
    return file.getvalue()


KINDS = pytest.mark.parametrize("kind", ["HEIC", "AVIF"])


def head(major, *compatible):
    return struct.pack(">I", 16 + 4 * len(compatible)) + b"ftyp" + major + bytes(4) + b"".join(compatible)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (head(b"heic", b"mif1"), "HEIC"), (head(b"mif1", b"mif1", b"heic"), "HEIC"), (head(b"heix"), "HEIC"),
        (head(b"avif", b"mif1"), "AVIF"), (head(b"mif1", b"mif1", b"avif"), "AVIF"), (head(b"avis"), "AVIF"),
        (head(b"mif1"), "HEIC"), (head(b"isom", b"mp42"), None), (b"ftypheic", None),
    ],
)  # fmt: skip
def test_the_brand_tells_the_format(content, kind):
    assert heif_format(content) == kind
    assert format_of(content) == kind


def test_a_box_of_brands_larger_than_the_file_ends_with_the_file():
    assert heif_format(b"\xff\xff\xff\xff" + head(b"isom", b"avif")[4:]) == "AVIF"  # at once


@pytest.mark.parametrize("size", ["short", "long", "to the end"])
def test_metadata_is_hidden_whatever_form_the_size_has(size):
    item = b"infe\x02" + bytes(3) + bytes(4)
    declared, longer = {"short": (24, b""), "long": (1, struct.pack(">Q", 32)), "to the end": (0, b"")}[size]
    content = head(b"heic") + struct.pack(">I", declared) + b"meta" + longer + item + b"Exif"
    assert strip_heif(content).content == content.replace(b"Exif", b"free")


@KINDS
def test_photos_are_read_whatever_they_are_called(kind, seven, tmp_path):
    content = photo(kind, seven)
    path = tmp_path / "named.jpg"
    path.write_bytes(content)
    for picture in (path, content, io.BytesIO(content), FilePage(path)):
        assert read(picture).text == "7"


@KINDS
def test_photos_are_turned_upright(kind, seven):
    exif = Image.Exif()
    for orientation, back in ((6, 90), (3, 180), (8, 270)):
        exif[0x0112] = orientation
        sideways = seven.rotate(back, expand=True)
        content = photo(kind, sideways, exif=exif.tobytes())  # both encoders make it a property of the picture
        decoded = decode_upright(content, Path("a"))
        assert decoded.size == seven.size
        difference = np.asarray(decoded.convert("L"), float) - np.asarray(seven)
        assert np.abs(difference).mean() < 6


@KINDS
def test_metadata_is_hidden_from_the_decoder(kind, seven):
    exif = Image.Exif()
    exif[0x010E] = "a description"
    content = photo(kind, seven, exif=exif.tobytes())
    assert len(strip_heif(content).content) == len(content)
    for is_hidden in (False, True):
        file = strip_heif(content).content if is_hidden else content
        info = (open_heic(file, Path("a")) if kind == "HEIC" else open_avif(file, Path("a"))).info
        assert (info.get("exif") is None) == is_hidden
    assert decode_upright(content, Path("a")).info.get("exif") is None
    np.testing.assert_array_equal(prepare(content).image, prepare(photo(kind, seven)).image)


@KINDS
def test_damaged_and_too_large_photos_are_refused(kind, seven):
    content = photo(kind, seven)
    for damaged in (content[:40], content[: len(content) // 2], content[:200]):
        with pytest.raises(InputError, match="is damaged or is not a picture"):
            read(damaged)
    size = content.index(b"ispe") + 8  # after version and flags: width and height
    large = content[:size] + struct.pack(">II", 30_000, 8_000) + content[size + 8 :]
    with pytest.raises(InputError, match=r"has 240,000,000 pixels, 67,108,864 are allowed"):
        read(large)


def test_the_first_frame_of_an_animated_avif_is_used(seven, mnist):
    two = Image.fromarray(255 - mnist.split().test.images[1]).resize(seven.size)
    content = photo("AVIF", seven, save_all=True, append_images=[two])
    with pytest.warns(InputWarning, match="is animated, and only its first frame is used"):
        assert read(content).text == "7"


def test_a_heic_without_pillow_heif_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingDependencyError, match=r"is a HEIC photo, .* pip install 'inksight\[heif\]'"):
        read(head(b"heic", b"mif1"))


def test_an_avif_without_a_decoder_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.AvifImagePlugin", None)
    with pytest.raises(MissingDependencyError, match=r"is an AVIF photo, .* pip install --upgrade pillow"):
        read(head(b"avif", b"mif1"))
