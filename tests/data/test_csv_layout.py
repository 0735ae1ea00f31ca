"""CSV files in every dialect are read as the digits that were written, or refused with the option that settles it."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sources import LIMIT, WORDS, some_digits

from inksight.data.readers import csv
from inksight.data.readers.csv_layout import detect
from inksight.errors import InputError

PIXEL_NAMES = {
    "pixel0": [f"pixel{i}" for i in range(784)],
    "pixel1": [f"pixel{i + 1}" for i in range(784)],
    "px_0": [f"px_{i}" for i in range(784)],
    "0": [str(i) for i in range(784)],
    "1x1": [f"{row}x{column}" for row in range(1, 29) for column in range(1, 29)],
}


@st.composite
def dialects(draw):
    """Draw how a table is written."""
    header = draw(st.booleans())
    return {
        "n": draw(st.integers(12, 20)),
        "header": header,
        "pixels": draw(st.sampled_from(list(PIXEL_NAMES))),
        "label": draw(st.sampled_from(["first", "last", "middle"] if header else ["first", "last"])),
        "label name": draw(st.sampled_from(["label", "class", "Digit", "y", "what is it"])),
        "index": draw(st.sampled_from([None, "", "id", "Unnamed: 0"])),
        "delimiter": draw(st.sampled_from([",", ";", "\t", "|"])),
        "values": draw(st.sampled_from(["whole", "decimals", "zero to one", "decimal comma"])),
        "labels": draw(st.sampled_from(["digits", "decimals", "words", "names"])),
        "quotes": draw(st.booleans()),
        "trailing": draw(st.booleans()),
        "blank": draw(st.booleans()),
        "newline": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "last newline": draw(st.booleans()),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
    }


def write_table(path, dialect, images, labels):
    pixel_formats: dict[str, Callable[[int], str]] = {
        "whole": str,
        "decimals": lambda value: f"{value}.0",
        "zero to one": lambda value: f"{value / 255:.6g}",
        "decimal comma": lambda value: f"{value / 255:.6g}".replace(".", ","),
    }
    label_formats: dict[str, Callable[[int], str]] = {
        "digits": str,
        "decimals": lambda d: f"{d}.0",
        "words": lambda d: WORDS[d],
        "names": "name {}".format,
    }
    values = dialect["values"]
    if values == "decimal comma" and dialect["delimiter"] == ",":
        values = "zero to one"
    rows = [[pixel_formats[values](value) for value in image.ravel().tolist()] for image in images]
    place = {"first": 0, "middle": 300, "last": 784}[dialect["label"]]
    table = [list(PIXEL_NAMES[dialect["pixels"]]), *rows]
    for row, text in zip(
        table, [dialect["label name"], *map(label_formats[dialect["labels"]], labels.tolist())], strict=True
    ):
        row.insert(place, text)
    if dialect["index"] is not None:
        for number, row in enumerate(table):
            row.insert(0, str(number - 1) if number else dialect["index"])
    if not dialect["header"]:
        table = table[1:]
    if dialect["quotes"]:
        table = [[f'"{field}"' for field in row] for row in table]
    end = dialect["delimiter"] if dialect["trailing"] else ""
    lines = [dialect["delimiter"].join(row) + end for row in table]
    if dialect["blank"]:
        lines.insert(3, "")
    text = dialect["newline"].join(lines) + dialect["newline"] * dialect["last newline"]
    path.write_bytes(text.encode(dialect["encoding"]))


@settings(max_examples=60, deadline=None)
@given(dialects(), st.integers(0, 2**32 - 1))
def test_every_dialect_is_read_as_written(dialect, seed):
    images, _ = some_digits(dialect["n"], seed)
    labels = np.random.default_rng(seed).integers(0, 10, dialect["n"])
    labels[:2] = 3, 5  # at least two classes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, dialect, images, labels)
        raw = csv.read(path, LIMIT)
    np.testing.assert_array_equal(raw.images, images)
    assert raw.labels is not None
    names = [raw.class_names[label] for label in raw.labels]
    assert names == [f"name {d}" if dialect["labels"] == "names" else str(d) for d in labels]


def test_an_ambiguous_label_is_settled_by_the_option(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("\n".join(",".join([str(i % 10), *["0"] * 783, str(i % 7)]) for i in range(12)))
    with pytest.raises(InputError, match=r"'column 1' and 'column 785' may be the label.*--label"):
        csv.read(path, LIMIT)
    first, last = (csv.read(path, LIMIT, label) for label in ("first", "785"))
    assert first.labels is not None
    assert last.labels is not None
    assert first.labels.tolist() == [i % 10 for i in range(12)]
    assert last.labels.tolist() == [i % 7 for i in range(12)]


def test_images_without_labels_and_header_are_read_when_told_so(tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text("\n".join(",".join(["9"] * 784) for _ in range(3)))
    assert csv.read(path, LIMIT, "none").labels is None


@pytest.mark.parametrize("label", ["", "0", "786", "pixel", "２"])
def test_an_unknown_column_is_refused(label):
    lines = [",".join(["label", *PIXEL_NAMES["pixel0"]])]
    with pytest.raises(InputError, match="has no column"):
        detect(Path("a.csv"), lines, label)


def test_pixels_are_ordered_by_their_names():
    names = PIXEL_NAMES["pixel0"][::-1]
    assert detect(Path("a.csv"), [",".join(names)]).pixels == tuple(range(783, -1, -1))
