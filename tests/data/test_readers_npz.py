"""A wrong .npz file is reported in one line, and a decompression bomb is never unpacked."""

import gzip
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from sources import HEADER, LIMIT, idx_bytes, npy_bytes, npz_bytes, refused, some_digits, write

from inksight.data.loading import load

X, Y = some_digits()


def zip_bytes(compression=zipfile.ZIP_DEFLATED, **members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(f"{name}.npy", member)
    return content.getvalue()


def false_header(shape, content=b"", descr="|u1"):
    """An .npy file whose header declares this shape, whatever the content."""
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + content


y = npy_bytes(Y)
NPZ = {
    "only labels": (npz_bytes(y_train=Y), ["train images", "'y_train'"]),
    "no y_test": (npz_bytes(x_train=X, y_train=Y, x_test=X), ["test images have no labels"]),
    "no x_test": (npz_bytes(x_train=X, y_train=Y, y_test=Y), ["test images must be", "'y_test'"]),
    "images twice": (npz_bytes(x=X, image=X, y=Y), ["'x' and 'image' may be the train images"]),
    "labels twice": (npz_bytes(x=X, y=Y, label=Y), ["'y' and 'label' may be the train labels"]),
    "another zip": (zip_bytes(), ["must contain images", "nothing"]),
    "pickled labels": (npz_bytes(x_train=X, y_train=np.array([*Y], object)), ["'y_train'", "pickled"]),
    "pickled images": (npz_bytes(x_train=np.array([{}]), y_train=Y), ["'x_train'", "pickled"]),
    "fractions of more than 1": (npz_bytes(x_train=X / 2, y_train=Y), ["'x_train', image 0", "all from 0 to 1"]),
    "pixel 256": (npz_bytes(x_train=X.astype(int) + 256, y_train=Y), ["image 0", "from 0 to 255", "got 256"]),
    "not finite": (npz_bytes(x_train=np.where(X, 1.0, np.nan), y_train=Y), ["from 0 to 255", "got nan"]),
    "another size": (npz_bytes(x_train=X[:, 1:], y_train=Y), ["(n, 28, 28)", "(12, 27, 28)"]),
    "flat, another size": (npz_bytes(x_train=X.reshape(-1, 784)[:, 1:], y_train=Y), ["(12, 783)"]),
    "scalar": (npz_bytes(x_train=np.uint8(1), y_train=Y), ["of shape ()"]),
    "two-hot labels": (npz_bytes(x_train=X, y_train=np.eye(12) + np.eye(12)[::-1]), ["one 1 in each row"]),
    "labels of fractions": (npz_bytes(x_train=X, y_train=Y + 0.5), ["whole numbers", "or texts", "float64"]),
    "mixed texts": (npz_bytes(x_train=X, y_train=["ant", *Y.astype(str)[1:]]), ["'y_train', row 0", "got 'ant'"]),
    "different length": (npz_bytes(x_train=X, y_train=Y[1:]), ["the same length", "12 and 11"]),
    "label 10": (npz_bytes(x_train=X, y_train=Y + 1), ["labels must be 0 to 9, got 10"]),
    "negative label": (npz_bytes(x_train=X, y_train=Y - 1), ["labels must be 0 to 9, got -1"]),
    "huge label": (npz_bytes(x_train=X, y_train=Y.astype(np.uint64) + 2**63), ["whole numbers", "below 2**31"]),
    "no images": (npz_bytes(x_train=X[:0], y_train=Y[:0]), ["number of images in", "at least 1"]),
    "truncated": (npz_bytes(x_train=X, y_train=Y)[:-30], ["damaged or is not a zip archive"]),
    "many labels": (
        zip_bytes(x_train=npy_bytes(X), y_train=false_header((10**7,), descr="<i8")),
        ["the same length", "12 and 10000000"],
    ),
    "bomb": (npz_bytes(x_train=np.zeros((10_000, 28, 28), np.uint8)), ["15,680,000", "allowed"]),
    "bomb in the labels": (npz_bytes(x_train=X, y_train=np.zeros(12, "U100000")), ["4,800,096", "allowed"]),
    "bomb of many labels": (npz_bytes(x_train=X, y_train=np.zeros(10**7, int)), ["more than 30 times its size"]),
    "header declares more": (zip_bytes(x_train=false_header((12, 28, 28)), y_train=y), ["declares 9,408", "only 0"]),
    "header declares less": (zip_bytes(x_train=false_header((12, 28, 28), bytes(10**6)), y_train=y), ["contains more"]),
    "negative shape": (zip_bytes(x_train=false_header((-1, 28, 28)), y_train=y), ["(-1, 28, 28)"]),
    "header that is code": (zip_bytes(x_train=false_header("__import__('os')")), ["describes no array of numbers"]),
    "no npy": (zip_bytes(x_train=b"PNG", y_train=y), ["not a NumPy array of format 1.0", "b'PNG'"]),
    "bzip2": (zip_bytes(zipfile.ZIP_BZIP2, x_train=npy_bytes(X), y_train=y), ["compression method 12"]),
}  # fmt: skip


@pytest.mark.parametrize("case", NPZ)
def test_wrong_npz(case, tmp_path):
    content, words = NPZ[case]
    refused(write(tmp_path, "digits.npz", content), "digits.npz", *words)


def test_a_bomb_is_never_unpacked(tmp_path):
    size = 5 * LIMIT
    bomb = false_header((12, 28, 28), bytes(size))
    small = write(tmp_path, "a.npz", zip_bytes(x_train=bomb, y_train=y))
    text = write(tmp_path, "a.csv.gz", gzip.compress(HEADER.encode() + b"0" * size))
    array = write(tmp_path, "a-images", gzip.compress(idx_bytes(X) + bytes(size)))
    for path in (small, text, array):
        tracemalloc.start()
        refused(path, path.name)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 * LIMIT, path


def test_a_test_set_cannot_get_lost(tmp_path):
    content = npz_bytes(save=np.savez, x_train=X, y_train=Y, x_test=X, y_test=Y)
    for name in (b"x_test.npy", b"y_test.npy"):
        last = content.rindex(name)  # in the central directory
        for position in range(len(name)):
            damaged = bytearray(content)
            damaged[last + position] ^= 1
            refused(write(tmp_path, "a.npz", bytes(damaged)))


@pytest.mark.parametrize("name", ["X_test", "test_images", "x_test_2"])
def test_images_of_a_test_set_without_labels_are_not_left_out(name, tmp_path):
    refused(write(tmp_path, "a.npz", npz_bytes(x_train=X, y_train=Y, **{name: X})), "the test images have no labels")


@pytest.mark.parametrize("order", ["C", "F"])
def test_headers_that_numpy_writes_are_understood(order, tmp_path):
    for dtype in (np.uint8, np.int8, ">i2", "<u8"):
        arrays = {"x_train": np.asarray(X, order=order), "y_train": Y.astype(dtype), "weights": np.zeros(3)}
        data = load(write(tmp_path, "a.npz", npz_bytes(**arrays)))
        np.testing.assert_array_equal(data.images, X)
        np.testing.assert_array_equal(data.labels, Y)
