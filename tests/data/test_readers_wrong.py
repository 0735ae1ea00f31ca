"""A wrong or damaged source is reported in one line that names the problem."""

import gzip
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import sources
from hypothesis import given, settings, strategies as st
from sources import (
    HEADER,
    LIMIT,
    csv_bytes,
    idx_bytes,
    npz_bytes,
    parquet_bytes,
    picture_bytes,
    refused,
    some_digits,
    write,
)

from inksight.data.loading import load
from inksight.data.readers import csv, folder, idx, raw
from inksight.errors import InputError, MissingDependencyError

X, Y = some_digits()


PIXELS = ",".join(["0"] * 784)
ROW = f"7,{PIXELS}"
CSV = {
    "empty": (b"", ["is empty"]),
    "blank lines": (b" \n\n", ["only blank lines"]),
    "header only": (HEADER, ["a header but no rows"]),
    "header and newlines": (HEADER + "\r\n\r\n", ["a header but no rows"]),
    "no header, label unknown": (ROW + "\n" + ROW, ["no column may be the label", "--label"]),
    "no header, no label": (PIXELS + "\n" + PIXELS, ["784 columns without names", "--label"]),
    "two labels": (f"{HEADER},digit\n{ROW},7", ["'label' and 'digit' may be the label", "--label"]),
    "other text": ("hello\nworld\n", ["784 columns", "got 1", "'hello'"]),
    "colons": (HEADER.replace(",", ":"), ["784 columns", "got 1"]),
    "column too few": (HEADER[: HEADER.rindex(",")].removeprefix("label,"), ["784 columns", "got 783"]),
    "columns too many": (HEADER + ",extra" * 9, ["784 columns", "got 794"]),
    "column twice": (HEADER.replace("pixel1,", "pixel2,"), ["must differ", "'pixel2' twice"]),
    "short row": (f"{HEADER}\n{ROW}\n{ROW[:-2]}\n{ROW}", ["data row 2", "must have 785 columns", "got 784"]),
    "long row": (f"{HEADER}\n{ROW},0", ["data row 1", "got 786"]),
    "very long row": (f"{HEADER}\n{ROW}\n" + "0," * 300_000, ["data row 2", "got 300001"]),
    "very long value": (f"{HEADER}\n{'1' * 300_000},{PIXELS}", ["data row 1", "label", "'1111"]),
    "rows that even out": (f"{HEADER}\n{ROW},0\n{PIXELS}\n", ["data row 1", "got 786"]),
    "pixel 256": (f"{HEADER}\n" + f"{ROW}\n" * 999 + f"{ROW[:-1]}256", ["row 1000", "pixel783", "'256'"]),
    "negative pixel": (f"{HEADER}\n{ROW[:-1]}-1", ["data row 1", "pixel783", "'-1'"]),
    "pixel neither whole nor 0 to 1": (f"{HEADER}\n{ROW[:-1]}2.5", ["data row 1", "whole numbers", "got 2.5"]),
    "pixel missing": (f"{HEADER}\n{ROW[:-1]}", ["data row 1", "got ''"]),
    "pixel NaN": (f"{HEADER}\n7,nan{PIXELS[1:]}", ["pixel0", "'nan'"]),
    "pixel of text": (f"{HEADER}\n7,O{PIXELS[1:]}", ["pixel0", "'O'"]),
    "other digits": (f"{HEADER}\n7,٣{PIXELS[1:]}", ["pixel0", "'٣'"]),
    "label 10": (f"{HEADER}\n{ROW}\n10,{PIXELS}", ["data row 2", "label must be 0 to 9", "got '10'"]),
    "binary": (bytes(range(200)), ["has an unknown format", "Parquet"]),
    "label 1.5": (f"{HEADER}\n1.5,{PIXELS}", ["data row 1", "label must be 0 to 9", "got '1.5'"]),
    "labels of two kinds": (f"{HEADER}\n{ROW}\nant,{PIXELS}", ["data row 2", "label must be 0 to 9", "got 'ant'"]),
    "label missing": (f"{HEADER}\nant,{PIXELS}\n,{PIXELS}", ["data row 2", "label must be a name", "got ''"]),
    "lone carriage return": (f"{HEADER}\n{ROW}\n7\r,{PIXELS}\n", ["a carriage return within a line"]),
    "truncated UTF-16": ((HEADER + "\n" + ROW).encode("utf-16")[:-1], ["is not UTF-16 text"]),
    "truncated gzip": (gzip.compress(csv_bytes(X, Y))[:-9], ["damaged or is not a gzip file"]),
    "gzip of nothing": (gzip.compress(b""), ["is empty"]),
    "gzipped npz": (gzip.compress(npz_bytes(x_train=X)), ["compressed zip file", "unpack it first"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CSV)
def test_wrong_csv(case, tmp_path):
    content, words = CSV[case]
    path = write(tmp_path, "train.csv", content if isinstance(content, bytes) else content.encode())
    refused(path, "train.csv", *words)


@settings(max_examples=300, deadline=None)
@given(
    field=st.text(" .+-eE0123456789\t\r\v\x1c_#\"'naif\0", max_size=4) | st.sampled_from(["1e999", "0x10"]),
    column=st.sampled_from([1, 400, 784]),
)
def test_a_pixel_of_any_text_is_read_as_its_number_or_rejected(field, column):
    values = ["7"] * 785
    values[column] = field
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "train.csv", f"{HEADER}\n{ROW}\n{','.join(values)}\n{ROW}".encode())
        try:
            pixel = load(path, memory_limit=LIMIT).images[1].ravel()[column - 1]
        except InputError:
            refused(path, "train.csv")
        else:
            assert pixel == float(field.replace('"', "").strip())


def header(*shape, code=8):
    return struct.pack(f">4B{len(shape)}I", 0, 0, code, len(shape), *shape)


IDX = {
    "truncated": (idx_bytes(X)[:-1], ["declares 9,408 bytes", "only 9,407"]),
    "too long": (idx_bytes(X) + b"0", ["declares 9,408 bytes", "contains more"]),
    "truncated header": (idx_bytes(X)[:9], ["truncated", "header must have 16 bytes, got 9"]),
    "only magic": (b"\0\0", ["type 0x00"]),
    "header declares more than the memory limit": (
        header(60_000, 28, 28),
        ["47,040,000 bytes", "4,194,304 are allowed"],
    ),
    "header declares the largest size": (header(2**32 - 1, 2**32 - 1, 2**32 - 1), ["are allowed"]),
    "another size": (idx_bytes(np.zeros((2, 32, 32))), ["28x28", "32x32"]),
    "floats": (header(1, 28, 28, code=0x0D) + bytes(28 * 28 * 4), ["uint8 (0x08)", "type 0x0d"]),
    "four dimensions": (header(1, 28, 28, 1) + bytes(784), ["3 dimensions", "in 4"]),
    "labels alone": (idx_bytes(Y), ["contains labels"]),
    "no images": (header(0, 28, 28), ["number of images in", "at least 1"]),
    "truncated gzip": (gzip.compress(idx_bytes(X))[:-5], ["damaged or is not a gzip file"]),
}


@pytest.mark.parametrize("case", IDX)
def test_wrong_idx(case, tmp_path):
    content, words = IDX[case]
    refused(write(tmp_path, "digits-images-idx3-ubyte", content), "digits-images-idx3-ubyte", *words)


def test_idx_images_and_labels_of_different_length(tmp_path):
    refused(sources.write_idx(tmp_path, X, Y[1:]), "contains 12 images", "one label per image")
    refused(sources.write_idx(tmp_path, X, Y + 5), "labels must be 0 to 9", "got 11")


def test_idx_labels_file_that_contains_images(tmp_path):
    refused(sources.write_idx(tmp_path, X, X), "labels of shape (12, 28, 28)")


def test_idx_folder_that_is_ambiguous(tmp_path):
    for name in ("letters", "digits"):
        sources.write_idx(tmp_path, X, Y, name)
    refused(tmp_path, "got 2", "give the path of one")


def test_a_test_set_without_labels(tmp_path):
    sources.write_idx(tmp_path, X, Y, "train")
    write(tmp_path, "t10k-images-idx3-ubyte", idx_bytes(X))
    refused(tmp_path, "the test images have no labels")


def png_header(width, height):
    """A PNG that ends after a header with this size."""
    chunk = b"IHDR" + struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    data = struct.pack(">I4s", 100, b"IDAT")
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data


PICTURES = {
    "truncated": (picture_bytes(X[0])[:-30], ["damaged or is not a picture"]),
    "flipped": (picture_bytes(X[0])[:50] + b"oops" + picture_bytes(X[0])[54:], ["damaged or is not a picture"]),
    "empty": (b"", ["damaged or is not a picture"]),
    "text": (b"hello", ["damaged or is not a picture"]),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", ["damaged or is not a picture"]),
    "too many pixels": (png_header(9_000, 9_000), ["81,000,000 pixels", "67,108,864 are allowed"]),
    "far too many pixels": (png_header(2**31 - 1, 2**31 - 1), ["a.png"]),
    "more than memory": (png_header(2_000, 2_000), ["16,000,000 bytes", "are allowed"]),
    "floats": (picture_bytes(X[0], "TIFF", "F"), ["pixels of mode F", "8-bit grayscale"]),
}


@pytest.mark.parametrize("case", PICTURES)
def test_wrong_picture(case, tmp_path):
    content, words = PICTURES[case]
    write(tmp_path, "1/b.png", picture_bytes(X[0]))
    refused(write(tmp_path, "1/a.png", content).parents[1], "a.png", *words)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.full((40, 30), 255, np.uint8), "is blank"),
        (np.where(np.eye(40, dtype=bool), 245, 255).astype(np.uint8), "has ink that is too faint to read"),
        (np.pad(np.zeros((2, 2), np.uint8), 20, constant_values=255), "has a digit of only a few pixels"),
    ],
)
def test_a_picture_without_a_digit_is_reported(image, words, tmp_path):
    write(tmp_path, "1/b.png", picture_bytes(X[0]))
    refused(write(tmp_path, "1/a.png", picture_bytes(image)).parents[1], "a.png", words, "remove it")


def test_wrong_picture_folders(tmp_path):
    write(tmp_path, "1/a.png", picture_bytes(X[0]))
    refused(tmp_path, "3,136 bytes", limit=3000)
    (tmp_path / "7").mkdir()
    refused(tmp_path, "class '7'", "contains no picture")
    write(tmp_path, "7/more/a.png", picture_bytes(X[0]))
    refused(tmp_path, "class '7'", "the folder 'more'")
    refused(tmp_path / "1", "one subfolder per class")
    refused(tmp_path / "1" / "a.png", "is a single picture", "subfolder")
    write(tmp_path, "8", b"")
    refused(tmp_path, "class '7'")


def test_wrong_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")

    def refused_parquet(content, *words):
        refused(write(tmp_path, "digits.parquet", content), "digits.parquet", *words)

    refused_parquet(parquet_bytes(X, Y)[:-40], "damaged or is not a Parquet file")
    refused_parquet(b"PAR1", "damaged or is not a Parquet file")
    refused_parquet(parquet_bytes(X, Y, rows=0), "has no rows")
    refused_parquet(parquet_bytes(X, image=Y), "column 'image' of structs")
    refused_parquet(parquet_bytes(X, image=[{"path": "a"}] * 12), "column 'image' of structs")
    refused_parquet(parquet_bytes(X, image=[None] * 11 + [{"bytes": b""}]), "row 1: image is missing")
    refused_parquet(parquet_bytes(X, image=[{"bytes": b"abc"}] * 12), "row 1", "damaged or is not a picture")
    refused_parquet(parquet_bytes(X, label=["a"] * 12), "label must be whole numbers", "string")
    refused_parquet(parquet_bytes(X, label=[*Y[1:], None]), "row 12: label is missing")
    refused_parquet(parquet_bytes(X, label=pa.array([2**63] * 12, pa.uint64())), "label")
    refused_parquet(parquet_bytes(X, label=[10] * 12), "labels must be 0 to 9, got 10")
    many = parquet_bytes(X, label=[0] * 12, image=[{"bytes": bytes([i]) * (1 << 20)} for i in range(12)])
    refused_parquet(many, "bytes of memory")


def test_parquet_folder_that_is_ambiguous(tmp_path):
    for name in ("a", "b"):
        write(tmp_path, f"{name}.parquet", parquet_bytes(X, Y))
    refused(tmp_path, "train-*.parquet", "'a.parquet, b.parquet'")


def test_parquet_without_pyarrow_names_the_extra_to_install(tmp_path, monkeypatch):
    path = write(tmp_path, "digits.parquet", parquet_bytes(X, Y))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'inksight\[arrow\]'"):
        load(path)


@pytest.mark.parametrize("module", [csv, idx, folder])
def test_readers_other_than_parquet_do_not_need_pyarrow(module):
    assert "pyarrow" not in vars(module)


def test_a_source_that_does_not_exist(tmp_path):
    for source in ("minst", tmp_path / "nowhere", "a\0b"):
        refused(source, "no file or folder", "the name mnist", "Kaggle", "IDX", ".npz", "Parquet", "pictures")
    refused("x" * 5000, "cannot read")
    refused("", "source must be mnist or a path")
    refused(7, "source must be mnist or a path", "got 7")
    refused(b"mnist", "source must be mnist or a path")
    refused(None, "source must be mnist or a path")


def test_folders_without_digits(tmp_path):
    refused(tmp_path, "contains no digits in a known format", "Kaggle")
    write(tmp_path, "notes.txt", b"hello")
    refused(tmp_path, "contains no digits in a known format")
    for name in ("a.csv", "b.csv"):
        write(tmp_path, name, csv_bytes(X, Y))
    refused(tmp_path, "contains no digits in a known format")


def test_devices_are_not_read():
    refused("/dev/zero", "'/dev/zero' is a device, not a file")


@pytest.mark.parametrize("limit", [0, -1, 1.5, None, True])
def test_wrong_memory_limit(limit):
    refused("mnist", "memory_limit", limit=limit)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "cannot read"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (MemoryError(), "more memory than is available"),
    ],
)
def test_errors_of_the_operating_system(tmp_path, monkeypatch, error, words):
    def fail(*_):
        raise error

    path = write(tmp_path, "train.csv", csv_bytes(X, Y))
    monkeypatch.setattr(Path, "open", fail)
    refused(path, words, "train.csv")


def test_joining_checks_the_labels_and_the_classes():
    path, labeled, unlabeled = Path("digits"), raw.Raw(X, Y), raw.Raw(X, None)
    assert raw.join(path, unlabeled, test=unlabeled).labels is None
    with pytest.raises(InputError, match="'digits': the training images have no labels"):
        raw.join(path, unlabeled, test=labeled)
    with pytest.raises(InputError, match="'digits': the test images must have the classes"):
        raw.join(path, labeled, test=raw.Raw(X, Y, ("a", "b")))


def test_idx_labels_that_may_belong_to_several_images(tmp_path):
    for name in ("a", "b"):
        write(tmp_path, f"{name}.bin", idx_bytes(Y))
    refused(write(tmp_path, "digits.bin", idx_bytes(X)), "a.bin, b.bin may be the labels of", "rename")
