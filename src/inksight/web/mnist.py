"""The digits of MNIST that the page trains on and tests with: files that it loads when they are asked for."""

import io
import json
import zipfile
import zlib
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from inksight.data.dataset import join
from inksight.data.loading import load

PARTS = "mnist/parts.json"
# Images of each part in a page that is one file, which would be five times as large with all of them.
FEW = {"train": 6000, "validation": 2000, "test": 2000}
_LOCAL_HEADER = 30  # bytes of a file's header in a zip archive, before its name


@cache
def all_digits() -> dict[str, bytes]:
    """Return the files of all digits: the arrays as they are compressed in the package, which costs no time.

    ``x_train`` holds the images of the training set of `load("mnist").split()`, then those of the validation set.
    """
    content = (resources.files("inksight") / "assets" / "mnist.npz").read_bytes()
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            start = info.header_offset + _LOCAL_HEADER
            lengths = np.frombuffer(content, "<u2", 2, start - 4)  # of the name, and of what follows it
            start += int(lengths.sum())
            arrays[info.filename.removesuffix(".npy")] = content[start : start + info.compress_size]
    counts = {name: len(part) for name, part in load("mnist").split().parts.items()}
    return _as_files(arrays, counts)


@cache
def few_digits() -> dict[str, bytes]:
    """Return the files of the first digits of each part."""
    parts = {name: part[: FEW[name]] for name, part in load("mnist").split().parts.items()}
    arrays = {}
    for name, data in (("train", join(parts["train"], parts["validation"])), ("test", parts["test"])):
        arrays[f"x_{name}"] = _compressed(data.images)
        arrays[f"y_{name}"] = _compressed(data.require_labels("the page").astype(np.uint8))
    return _as_files(arrays, FEW)


def _as_files(arrays: dict[str, bytes], counts: dict[str, int]) -> dict[str, bytes]:
    return {PARTS: json.dumps(counts).encode()} | {f"mnist/{name}.bin": content for name, content in arrays.items()}


def _compressed(array: NDArray[np.uint8]) -> bytes:
    """Return an array as a file of NumPy, compressed as in a zip archive."""
    file = io.BytesIO()
    np.save(file, array)
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(file.getvalue()) + deflate.flush()
