"""`read` and `inksight read`: digits are recognized or refused, and unreadable files are named."""

import csv
import gc
import io
import json
import os
import struct
import weakref
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from inksight import InputError, Model, cli
from inksight.errors import InksightError, InputWarning
from inksight.nn.model_file import load_model
from inksight.reading import classification, page as page_module, reader
from inksight.reading.detection import assess
from inksight.reading.reader import BATCH, read


@pytest.fixture(scope="module")
def pictures(mnist, tmp_path_factory):
    """A folder of five digits, dark on white; each file name starts with its digit."""
    folder = tmp_path_factory.mktemp("digits")
    for i in range(60_000, 60_005):
        Image.fromarray(255 - mnist.images[i]).resize((90, 90)).save(folder / f"{mnist.labels[i]}-{i}.png")
    return folder


def test_pictures_are_read(pictures):
    paths = sorted(pictures.iterdir())
    found = list(read(paths))
    assert [str(reading) for reading in found] == [path.name[0] for path in paths]
    assert all(reading.confidence > 0.9 and not reading.reason for reading in found)
    alone = read(paths[0])
    assert (alone.digit, alone.confidence) == (found[0].digit, pytest.approx(found[0].confidence, abs=1e-5))
    assert alone.runner_up != alone.digit
    assert alone[0].image.shape == (28, 28)


def test_confidences_are_those_of_the_prepared_images(mnist):
    images = mnist.images[:300]  # more than a batch
    assert len(images) > BATCH
    model = load_model("small")
    found = list(read(list(images), model))
    expected = model.probabilities(np.stack([page[0].image for page in found])).max(axis=1)
    np.testing.assert_allclose([reading.confidence for reading in found], expected, atol=1e-6)


@pytest.mark.parametrize(("margin", "alone", "together"), [(-0.1, "7", "72"), (0.1, "?", "72"), (0.4, "?", "??")])
def test_a_digit_on_a_line_with_others_may_have_a_larger_margin(margin, alone, together, mnist, monkeypatch):
    monkeypatch.setattr(
        classification, "assess", lambda *args: assess(*args)._replace(margin=np.full(len(args[1]), margin))
    )
    seven, two = 255 - mnist.images[60_000:60_002]  # the first two test images
    assert str(read(seven)) == alone
    assert str(read(np.hstack([seven, two]).repeat(3, axis=0).repeat(3, axis=1))) == together


def test_blank_small_and_unsure_digits_are_refused(mnist):
    blank, small = read([np.full((30, 30), 255, np.uint8), np.pad(np.zeros((2, 2)), 30, constant_values=1.0)])
    assert (blank.digit, blank.reason, str(blank)) == (None, "blank", "?")
    assert (small.digit, small.reason) == (None, "small")
    unsure = Model.untrained(load_model("tiny").network)
    found = read(mnist.images[0], unsure)
    assert (found.digit, found.reason) == (None, "unsure")
    assert found.runner_up is not None
    assert read(mnist.images[0], unsure, accept_all=True).digit is not None


def test_the_command_prints_or_writes_what_it_reads(pictures, capsys, tmp_path):
    assert cli.run(["read", str(pictures), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["text"] for line in lines] == [line["path"].split("/")[-1][0] for line in lines]
    assert set(lines[0]) == {"path", "page", "text", "digits", "signs", "milliseconds", "error"}
    assert set(lines[0]["digits"][0]) == {"digit", "confidence", "reason", "runner_up", "box", "line"}
    out = tmp_path / "digits.csv"
    assert cli.run(["read", str(pictures), "--csv", str(out)]) == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [line["text"] for line in lines]
    assert "5 pages" in capsys.readouterr().out


def test_unreadable_files_are_named_and_the_rest_is_read(pictures, capsys, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    good = next(iter(sorted(pictures.iterdir())))
    assert cli.run(["read", str(bad), str(good), str(tmp_path / "none.png")]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{good}: {good.name[0]} (")
    assert "bad.png' is damaged or is not a picture" in captured.err
    assert "2 of 3 pages could not be read" in captured.err
    assert "Traceback" not in captured.err


def test_odd_file_names_do_not_stop_the_rest(pictures, capsys, tmp_path):
    good = next(iter(sorted(pictures.iterdir())))
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / os.fsdecode(b"caf\xe9.png")).write_bytes(good.read_bytes())
    out = tmp_path / "out.csv"
    assert cli.run(["read", "x" * 300, str(odd), str(good), "--csv", str(out)]) == 1
    assert "cannot read" in capsys.readouterr().err
    assert len(out.read_text().splitlines()) == 4
    assert cli.run(["read", str(odd)]) == 0
    assert f": {good.name[0]} (" in capsys.readouterr().out


def _png_of(width, height):
    """Return the beginning of a PNG whose header claims this size, without any pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"")
    parts = (struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (header, body))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _saved(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


WHITE = Image.new("RGB", (90, 90), "white")
BAD = {
    "empty.png": (b"", "damaged or is not a picture"),
    "words.jpg": (b"these are words", "damaged or is not a picture"),
    "page.png": (b"<!doctype html><title>7</title>", "damaged or is not a picture"),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'><text>7</text></svg>", "damaged or is not a picture"),
    "paper.jpg": (b"%PDF-1.7\n1 0 obj\n", "a PDF document"),  # damaged, or pypdfium2 is not installed
    "script.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "damaged or is not a picture"),
    "cut.png": (_saved(WHITE, "PNG")[:80], "damaged or is not a picture"),
    "cut.jpg": (_saved(WHITE, "JPEG")[:300], "damaged or is not a picture"),
    "cut.gif": (_saved(WHITE, "GIF")[:40], "damaged or is not a picture"),
    "cut.tif": (_saved(WHITE, "TIFF")[:200], "damaged or is not a picture"),
    "flipped.png": (_saved(WHITE, "PNG").replace(b"IDAT", b"IDBT"), "damaged or is not a picture"),
    # Refused because of their headers: none of them holds a pixel that could be decoded.
    "hundred.png": (_png_of(10_000, 10_000), "100,000,000 pixels, 67,108,864 are allowed"),
    "bomb.png": (_png_of(100_000, 100_000), "10,000,000,000 pixels, 67,108,864 are allowed"),
    "bomb.gif": (
        b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0)
        + b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b";",
        "3,600,000,000 pixels",
    ),
    "bomb.ppm": (b"P6 60000 60000 255\n", "3,600,000,000 pixels"),
    "bomb.bmp": (
        b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "3,600,000,000 pixels",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_gives_one_clear_reason(name, tmp_path):
    content, words = BAD[name]
    (tmp_path / name).write_bytes(content)
    for picture in (tmp_path / name, content, io.BytesIO(content)):
        with pytest.raises(InksightError) as caught:
            read(picture, "tiny")
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


def test_the_rest_of_a_folder_with_every_kind_of_bad_file_is_read(mnist, capsys, tmp_path):
    digit = Image.fromarray(255 - mnist.images[60_000])
    for name, (content, _) in BAD.items():
        (tmp_path / name).write_bytes(content)
    flipped = digit.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    good = {
        "a jpeg.png": _saved(digit.resize((80, 80)), "JPEG"), "no suffix": _saved(digit, "BMP"),
        "moving.gif": _saved(digit, "GIF", save_all=True, append_images=[flipped, digit.rotate(90)]),
        "moving.png": _saved(digit, "PNG", save_all=True, append_images=[digit.rotate(90)]),
        "one.tif": _saved(digit, "TIFF"),
    }  # fmt: skip
    sizes = {"1.png": (1, 1), "line.png": (1, 9), "black.png": (60, 60)}
    empty = {name: Image.new("L", size) for name, size in sizes.items()}
    for name, content in (good | {name: _saved(picture, "PNG") for name, picture in empty.items()}).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "inside").mkdir()  # folders within a folder are ignored
    expected = {name: str(mnist.labels[60_000]) for name in good} | dict.fromkeys(empty, "?")
    for extra in ([], ["--csv", str(tmp_path.with_suffix(".csv"))], ["--show", str(tmp_path.with_suffix(".html"))]):
        with pytest.warns(InputWarning, match=r"moving\.(gif|png)' is animated"):
            assert cli.run(["read", str(tmp_path), "--model", "small", *(extra or ["--json"])]) == 1
        captured = capsys.readouterr()
        if not extra:
            found = [json.loads(line) for line in captured.out.splitlines()]
            unread = dict.fromkeys(BAD)
            assert {Path(row["path"]).name: row["text"] for row in found} == expected | unread
            assert {row["digits"][0]["reason"] for row in found if row["text"] == "?"} == {"blank"}
        errors = captured.err.splitlines()
        for name, (_, words) in BAD.items():
            assert sum(name in line and words in line for line in errors) == 1
        assert f"{len(BAD)} of {len(BAD) + len(expected)} pages could not be read" in errors[-1]
        assert "Traceback" not in captured.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read anything")
def test_files_without_read_permission_are_named(pictures, capsys, tmp_path):
    good = next(iter(sorted(pictures.iterdir())))
    locked = tmp_path / "locked.png"
    locked.write_bytes(good.read_bytes())
    locked.chmod(0)
    assert cli.run(["read", str(locked), str(good)]) == 1
    captured = capsys.readouterr()
    assert "locked.png': Permission denied; check its name and permissions" in captured.err
    assert len(captured.out.splitlines()) == 1


def test_an_empty_folder_and_contradictory_options_are_bad_input(pictures, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    assert cli.run(["read", str(tmp_path / "empty")]) == 2
    assert "holds no files to read" in capsys.readouterr().err
    out = tmp_path / "kept.csv"
    out.write_text("mine")
    assert cli.run(["read", str(pictures), "--json", "--csv", str(out)]) == 2
    assert "got both" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_the_picture_of_a_list_that_fails_is_named(mnist):
    with pytest.raises(InputError, match=r"picture 1: values of a picture"):
        list(read((mnist.images[0], np.full((3, 3), np.nan))))


def test_many_pictures_are_read_one_batch_at_a_time_and_none_is_kept(mnist, monkeypatch):
    monkeypatch.setattr(reader, "BATCH_SIZE", 3 * 28 * 28)  # bytes of three pictures
    opened, kept = [], []

    def pictures():
        for number in range(9):
            opened.append(number)
            yield 255 - mnist.images[number]

    pages = read(pictures(), "tiny")
    assert not opened
    for number, page in enumerate(pages):
        assert len(opened) == 3 * (number // 3 + 1)
        kept.append(weakref.ref(page))
        del page
        assert [ref() is None for ref in kept[: number // 3 * 3]] == [True] * (number // 3 * 3)
    assert len(kept) == 9
    with pytest.raises(InputError, match=r"^picture must be a path, .* got int$"):
        read(7)  # type: ignore[call-overload]
    assert list(read([])) == []


def test_an_unknown_model_is_bad_input(pictures, capsys):
    assert cli.run(["read", str(pictures), "--model", "worst"]) == 2
    with pytest.raises(InputError):
        read(np.zeros((4, 4)), "worst")


def test_a_thick_digit_that_fills_its_picture_is_read_in_either_polarity(digits):
    """Ink and paper cover equal areas in these crops, so only the network can find the polarity."""
    correct = 0
    for image, label in zip(digits.validation.images[:40], digits.validation.labels[:40], strict=True):
        large = np.kron(image > 100, np.ones((4, 4), bool))
        thick = ndimage.binary_dilation(large, iterations=4)
        rows, columns = np.flatnonzero(thick.any(axis=1)), np.flatnonzero(thick.any(axis=0))
        cut = thick[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        both = [read(np.uint8(255) * ink, accept_all=True).text for ink in (cut, ~cut)]
        correct += both == [str(label)] * 2
    assert correct >= 36


def test_model_and_training_digits_are_freed_with_the_last_reading(digits):
    model = load_model("small")
    first, second = read(255 - digits.train.images[0], model)[0], read(255 - digits.train.images[1], model)[0]
    assert first.neighbours.labels.shape == second.neighbours.labels.shape == (1, 5)
    training, barcodes = page_module._training_digits(model)
    alive = [weakref.ref(thing) for thing in (model, training, barcodes)]
    assert page_module._training_digits(load_model("small"))[0] is training  # shared by models
    del model, training, barcodes, first
    gc.collect()
    assert all(ref() is not None for ref in alive)
    del second
    gc.collect()
    assert [ref() for ref in alive] == [None] * 3


def test_neighbours_are_training_digits_of_the_same_class(digits):
    found = read(255 - digits.validation.images[0], "small")[0].neighbours
    assert found.images.shape == (1, 5, 28, 28)
    assert (found.labels == digits.validation.labels[0]).all()


def test_lines_of_digits_are_printed_and_written(mnist, capsys, tmp_path):
    rows = [np.hstack(255 - mnist.images[60_000 + 3 * i : 60_003 + 3 * i]) for i in range(2)]
    texts = ["".join(str(label) for label in mnist.labels[60_000 + 3 * i : 60_003 + 3 * i]) for i in range(2)]
    path = tmp_path / "two lines.png"
    Image.fromarray(np.pad(np.vstack(rows), 10, constant_values=255)).resize((416, 304)).save(path)
    assert cli.run(["read", str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{path}:"
    assert [line.split(" (")[0] for line in out[1:]] == [f"  {text}" for text in texts]
    assert cli.run(["read", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["text"] == "\n".join(texts)
    assert [digit["line"] for digit in found["digits"]] == [0] * 3 + [1] * 3
    assert all(len(digit["box"]) == 4 and min(digit["box"][2:]) > 0 for digit in found["digits"])
    table = tmp_path / "out.csv"
    assert cli.run(["read", str(path), "--csv", str(table)]) == 0
    with table.open(newline="") as file:
        assert next(csv.DictReader(file))["text"] == "|".join(texts)
    assert len(table.read_text().splitlines()) == 2
    capsys.readouterr()
    assert cli.run(["read", str(path), "--single"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    page = read(path)
    assert (len(page), page.digit, page.runner_up) == (6, None, None)
    assert page.confidence == min(reading.confidence for reading in page)
    assert [str(reading) for reading in page] == list("".join(texts))
    assert page.lines[1][0] is page[3]
    assert page.to_dict()["text"] == str(page)
