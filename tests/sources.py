"""Writers for every kind of image source, independent of the code under test."""

import gzip
import io
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inksight.data.loading import load
from inksight.errors import InputError

LIMIT = 1 << 22  # bytes: memory limit for loading in the tests
HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))])


def some_digits(n=12, seed=0):
    """Return random images with a border of 0, and sorted labels that are multiples of 3."""
    rng = np.random.default_rng(seed)
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 1:-1, 1:-1] = rng.integers(0, 256, (n, 26, 26)) * rng.integers(0, 2, (n, 26, 26))
    return images, np.sort(rng.integers(0, 4, n) * 3)


def csv_bytes(images, labels=None):
    pixels = images.reshape(len(images), 784).tolist()
    if labels is None:
        lines = [HEADER.removeprefix("label,"), *(",".join(map(str, row)) for row in pixels)]
    else:
        rows = zip(labels.tolist(), pixels, strict=True)
        lines = [HEADER, *(",".join(map(str, [label, *row])) for label, row in rows)]
    return "\n".join(lines).encode() + b"\n"


def idx_bytes(array):
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def npz_bytes(save=np.savez_compressed, **arrays):
    content = io.BytesIO()
    save(content, **arrays)
    return content.getvalue()


def picture_bytes(image, kind="PNG", mode="L"):
    content = io.BytesIO()
    Image.fromarray(image).convert(mode).save(content, kind)
    return content.getvalue()


def parquet_bytes(images, labels=None, rows=None, **columns):
    import pyarrow as pa
    from pyarrow import parquet

    pictures = [{"bytes": picture_bytes(image), "path": f"{i}.png"} for i, image in enumerate(images)]
    table = {"image": pictures, **({} if labels is None else {"label": labels}), **columns}
    content = io.BytesIO()
    parquet.write_table(pa.table(table).slice(0, rows), content)
    return content.getvalue()


def write_idx(folder, images, labels, name="train", dot="-", pack=lambda content: content, end=""):
    path = folder / f"{name}-images{dot}idx3-ubyte{end}"
    path.write_bytes(pack(idx_bytes(images)))
    (folder / f"{name}-labels{dot}idx1-ubyte{end}").write_bytes(pack(idx_bytes(labels)))
    return path


def write_pictures(folder, images, labels, kind="PNG", end="png"):
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / str(label)).mkdir(exist_ok=True)
        (folder / str(label) / f"{i:03}.{end}").write_bytes(picture_bytes(image, kind))
    return folder


def write(folder, name, content):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def _kaggle(folder, images, labels):
    write(folder, "train.csv", csv_bytes(images, labels))
    write(folder, "test.csv", csv_bytes(images[::-1]))
    write(folder, "sample_submission.csv", b"ImageId,Label\n1,0\n")
    return folder


def _torchvision(folder, images, labels, inner="raw"):
    (folder / inner).mkdir(parents=True)
    cut = len(images) - len(images) // 3
    for end, pack in (("", bytes), (".gz", gzip.compress)):  # torchvision keeps both
        write_idx(folder / inner, images[:cut], labels[:cut], "train", pack=pack, end=end)
        write_idx(folder / inner, images[cut:], labels[cut:], "t10k", pack=pack, end=end)
    return folder / inner


def _keras(folder, images, labels):
    cut = len(images) - len(images) // 3
    arrays = {
        "x_train": images[:cut],
        "y_train": labels[:cut],
        "x_test": images[cut:],
        "y_test": labels[cut:],
    }
    return write(folder, "mnist.npz", npz_bytes(**arrays))


def _hugging_face(folder, images, labels):
    cut = len(images) - len(images) // 3
    write(folder, "README.md", b"# MNIST\n")
    write(folder, "mnist/train-00000-of-00002.parquet", parquet_bytes(images[:3], labels[:3]))
    write(folder, "mnist/train-00001-of-00002.parquet", parquet_bytes(images[3:cut], labels[3:cut]))
    write(folder, "mnist/test-00000-of-00001.parquet", parquet_bytes(images[cut:], labels[cut:]))
    return folder


def _csv(change: Callable[[bytes], bytes], name="train.csv"):
    return lambda folder, images, labels: write(folder, name, change(csv_bytes(images, labels)))


# Each writes images and labels into a folder and returns the path to load.
LABELLED: dict[str, Callable[[Path, np.ndarray, np.ndarray], Path]] = {
    "csv": _csv(bytes),
    "csv crlf": _csv(lambda text: text.replace(b"\n", b"\r\n")),
    "csv crlf, no last newline": _csv(lambda text: text.replace(b"\n", b"\r\n")[:-2]),
    "csv byte order mark": _csv(lambda text: b"\xef\xbb\xbf" + text),
    "csv no last newline": _csv(lambda text: text[:-1]),
    "csv blank last lines": _csv(lambda text: text + b"\n\n"),
    "csv gzipped": _csv(gzip.compress, "train.csv.gz"),
    "csv gzipped, misnamed": _csv(gzip.compress, "train.npz"),
    "csv alone in a folder": lambda *all: _csv(bytes, "digits.csv")(*all).parent,
    "kaggle folder": _kaggle,
    "idx": write_idx,
    "idx by labels": lambda folder, *arrays: write_idx(folder, *arrays).with_name("train-labels-idx1-ubyte"),
    "idx dotted": partial(write_idx, dot="."),
    "idx gzipped": partial(write_idx, pack=gzip.compress, end=".gz"),
    "idx folder": lambda folder, x, y: write_idx(folder, x, y, name="digits").parent,
    "npz": lambda folder, x, y: write(folder, "a.npz", npz_bytes(x_train=x, y_train=y)),
    "npz stored, misnamed": lambda folder, x, y: write(
        folder, "a.csv", npz_bytes(np.savez, x_train=np.asfortranarray(x), y_train=y.astype(">u2"))
    ),
    "npz in a folder": lambda folder, x, y: write(folder, "a.npz", npz_bytes(x_train=x, y_train=y)).parent,
    "parquet": lambda folder, x, y: write(folder, "a.parquet", parquet_bytes(x, y)),
    "parquet misnamed, more columns": lambda folder, x, y: write(
        folder, "a.png", parquet_bytes(x, y, more=["text"] * len(x))
    ),
    "parquet folder": lambda folder, x, y: write(folder, "a.parquet", parquet_bytes(x, y)).parent,
}
# Pictures are always preprocessed, as by `prepare`.
PICTURES: dict[str, Callable[[Path, np.ndarray, np.ndarray], Path]] = {
    "png": write_pictures,
    "bmp": partial(write_pictures, kind="BMP", end="bmp"),
    "gif": partial(write_pictures, kind="GIF", end="gif"),
    "tiff": partial(write_pictures, kind="TIFF", end="tif"),
    "png, misnamed": partial(write_pictures, kind="PNG", end="jpg"),
}
# The last third of the images is the test set of the source.
HELD_OUT: dict[str, Callable[[Path, np.ndarray, np.ndarray], Path]] = {
    "keras": _keras,
    "torchvision raw": _torchvision,
    "torchvision MNIST": lambda folder, *arrays: _torchvision(folder, *arrays).parent,
    "torchvision root": lambda folder, x, y: _torchvision(folder, x, y, "MNIST/raw").parents[1],
    "hugging face": _hugging_face,
}
UNLABELLED: dict[str, Callable[[Path, np.ndarray], Path]] = {
    "csv": lambda folder, x: write(folder, "test.csv", csv_bytes(x)),
    "idx": lambda folder, x: write(folder, "t10k-images-idx3-ubyte", idx_bytes(x)),
    "parquet": lambda folder, x: write(folder, "test.parquet", parquet_bytes(x)),
}


def refused(source, *words, limit=LIMIT):
    """Load `source`, assert that this raises an error of one line that contains `words`, and return the line."""
    with pytest.raises(InputError) as caught:
        load(source, memory_limit=limit)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
    return message
