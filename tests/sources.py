"""Writers for every kind of image source, independent of the code under test."""

import bz2
import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inksight.data.loading import load
from inksight.errors import InputError

LIMIT = 1 << 22  # bytes: memory limit for loading in the tests
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
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
    code, dtype = (12, ">i4") if array.ndim == 2 else (8, np.uint8)
    return struct.pack(f">4B{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.astype(dtype).tobytes()


def npy_bytes(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def npz_bytes(*unnamed, save=np.savez_compressed, **arrays):
    content = io.BytesIO()
    save(content, *unnamed, **arrays)
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


IDX_NAMES = "{name}-images-idx3-ubyte {name}-labels-idx1-ubyte"


def write_idx(folder, images, labels, name="train", pack=lambda content: content, end="", names=IDX_NAMES):
    paths = [folder / (file + end) for file in names.format(name=name).split()]
    for path, array in zip(paths, (images, labels), strict=True):
        path.write_bytes(pack(idx_bytes(array)))
    return paths[0]


def write_pictures(folder, images, labels, kind="PNG", end="png", place="{label}/{i}.{end}"):
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        name = place.format(label=label, word=WORDS[label], i=f"{i:03}", end=end)
        write(folder, name, picture_bytes(image, kind))
    return folder


def _with_table(folder, images, labels, header, row):
    write_pictures(folder, images, labels, place="picture{i}.png")
    rows = [
        row.format(name=f"picture{i:03}.png", stem=f"picture{i:03}", label=label, word=WORDS[label])
        for i, label in enumerate(labels.tolist())
    ]
    write(folder, "labels.csv", (header + "".join(rows[::-1])).encode())
    return folder


def _zip(folder, members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return write(folder, "digits.zip", content.getvalue())


def _arff(table):
    header, _, rows = table.decode().partition("\n")
    columns = "".join(f"@attribute '{name}' numeric\n" for name in header.split(","))
    return f"% digits\n\n@relation mnist\n\n{columns}\n@data\n{rows}".encode()


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
    "csv in bzip2": _csv(bz2.compress, "train.csv.bz2"),
    "csv in a zip": lambda folder, x, y: _zip(folder, {"train.csv": csv_bytes(x, y), "test.csv": csv_bytes(x)}),
    "csv alone in a zip": lambda folder, x, y: _zip(folder, {"a/digits.txt": csv_bytes(x, y), "__MACOSX/a.txt": b""}),
    "arff": lambda folder, x, y: write(folder, "mnist_784.arff", _arff(csv_bytes(x, y))),
    "csv alone in a folder": lambda *all: _csv(bytes, "digits.csv")(*all).parent,
    "kaggle folder": _kaggle,
    "idx": write_idx,
    "idx by labels": lambda folder, *arrays: write_idx(folder, *arrays).with_name("train-labels-idx1-ubyte"),
    "idx dotted": partial(write_idx, names=IDX_NAMES.replace("-idx", ".idx")),
    "idx gzipped": partial(write_idx, pack=gzip.compress, end=".gz"),
    "idx folder": lambda folder, x, y: write_idx(folder, x, y, name="digits").parent,
    "idx under other names": lambda folder, x, y: write_idx(folder, x, y, names="{name}.x.bin {name}.y.bin"),
    "idx of QMNIST": lambda folder, x, y: write_idx(
        folder,
        x,
        np.pad(y[:, None], ((0, 0), (0, 7))),
        names="qmnist-{name}-images-idx3-ubyte qmnist-{name}-labels-idx2-int",
    ),
    "npz": lambda folder, x, y: write(folder, "a.npz", npz_bytes(x_train=x, y_train=y)),
    "npz stored, misnamed": lambda folder, x, y: write(
        folder, "a.csv", npz_bytes(save=np.savez, x_train=np.asfortranarray(x), y_train=y.astype(">u2"))
    ),
    "npz of names as in scikit-learn": lambda folder, x, y: write(
        folder, "a.npz", npz_bytes(data=x.reshape(-1, 784) / 255, target=y.astype(str))
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
    "classes in words": partial(write_pictures, place="{word}/{i}.png"),
    "numbered classes": partial(write_pictures, place="digit_{label}/{i}.png"),
    "classes in names": partial(write_pictures, place="{label}_{i}.png"),
    "words in names": partial(write_pictures, place="{word} ({i}).png"),
    "a table": lambda folder, x, y: _with_table(folder, x, y, "file,label\n", "{name},{label}\n"),
    "a table without header and endings": lambda folder, x, y: _with_table(folder, x, y, "", "{label};{stem}\n"),
    "a table with paths": lambda folder, x, y: _with_table(
        folder, x, y, "id,Path,Digit\n", "{stem},images/{name},{word}\n"
    ),
}
# The last third of the images is the test set of the source.
HELD_OUT: dict[str, Callable[[Path, np.ndarray, np.ndarray], Path]] = {
    "keras": _keras,
    "torchvision raw": _torchvision,
    "torchvision MNIST": lambda folder, *arrays: _torchvision(folder, *arrays).parent,
    "torchvision root": lambda folder, x, y: _torchvision(folder, x, y, "MNIST/raw").parents[1],
    "hugging face": _hugging_face,
    "npz of names as in MedMNIST": lambda folder, x, y: write(
        folder,
        "a.npz",
        npz_bytes(train_images=x[:8], train_labels=y[:8, None], test_images=x[8:], test_labels=y[8:, None]),
    ),
}
UNLABELLED: dict[str, Callable[[Path, np.ndarray], Path]] = {
    "csv": lambda folder, x: write(folder, "test.csv", csv_bytes(x)),
    "idx": lambda folder, x: write(folder, "t10k-images-idx3-ubyte", idx_bytes(x)),
    "npy": lambda folder, x: write(folder, "a.npy", npy_bytes(x)),
    "npy gzipped": lambda folder, x: write(folder, "a.npy.gz", gzip.compress(npy_bytes(x[..., None].astype(float)))),
    "npz": lambda folder, x: write(folder, "a.npz", npz_bytes(x)),
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
