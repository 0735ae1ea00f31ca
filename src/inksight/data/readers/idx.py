"""IDX, the original format of MNIST: one file of images and one of labels, each a short header and an array."""

import math
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory, open_unpacked, read_bounded
from inksight.config import IMAGE_SIZE
from inksight.data.readers.formats import detect_format
from inksight.data.readers.named_arrays import part_of
from inksight.data.readers.raw import Raw, join
from inksight.errors import DamagedFileError, InputError, UnsupportedFileError
from inksight.imaging.decoding import visible_files

_TYPES: dict[int, np.dtype[Any]] = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}  # codes of element types
_LABELS, _TABLE, _IMAGES = 1, 2, 3  # dimensions of labels, of a table whose first column is the label, and of images


def read(path: Path, memory_limit: int) -> Raw:
    """Read a file of images and the matching file of labels.

    Parameters
    ----------
    path : Path
        Either file of the pair, plain or compressed. The other must be in the same folder. It has the same name with
        ``labels`` for ``images`` and ``idx1`` for ``idx3``, or is the only one of the same length whose name mentions
        the same part (train or test). Images without a file of labels are unlabeled. Labels may be the first column of
        a table of int32, as in QMNIST.
    memory_limit : int
        Largest number of bytes that an array may take.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), unchanged.

    Raises
    ------
    InputError
        If the size in the header is not the size of the file or more than allowed, the images are not uint8 of 28x28,
        there are labels without images, or there is not one label per image.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "t10k-images-idx3-ubyte"
    ...     size = path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 2, 28, 28) + bytes(2 * 28 * 28))
    ...     read(path, 10_000).images.shape
    (2, 28, 28)
    """
    array = _read_array(path, memory_limit)
    if array.ndim != _IMAGES:
        images_path = _partner(path, "labels", "images", len(array))
        if images_path is None:
            raise InputError(
                f"{str(path)!r} contains labels, and its folder has no file of the images that belong to them: "
                "give the file of images"
            )
        return read(images_path, memory_limit)
    labels_path = _partner(path, "images", "labels", len(array))
    if labels_path is None:
        return Raw(array, None)
    labels = _read_array(labels_path, memory_limit - array.nbytes)
    if labels.ndim == _TABLE:
        labels = labels[:, 0]
    if labels.shape != array.shape[:1]:
        raise InputError(
            f"{str(path)!r} contains {len(array)} images, but {str(labels_path)!r} labels of shape {labels.shape}; "
            "there must be one label per image: download or create both files again"
        )
    return Raw(array, labels.astype(np.int64))


def read_folder(folder: Path, files: Sequence[Path], memory_limit: int) -> Raw:
    """Read the IDX `files` of a folder: one pair, or the pairs ``train-*`` and ``t10k-*``, which is the test set."""
    names = {file.name for file in files}
    # torchvision keeps both the downloaded and the unpacked file.
    distinct = [file for file in files if not (file.suffix == ".gz" and file.stem in names)]
    images = [file for file in distinct if len(_read_header(file)[1]) == _IMAGES]
    train = [file for file in images if _part(file) == "train"]
    test = [file for file in images if _part(file) == "test"]
    if len(images) == 1:
        return read(images[0], memory_limit)
    if len(train) == 1 and len(test) == 1 and len(images) == 2:
        memory_limit //= 2  # because joining copies both
        train_part = read(train[0], memory_limit)
        return join(folder, train_part, test=read(test[0], memory_limit - train_part.size))
    raise InputError(
        f"folder {str(folder)!r} must contain one IDX file of images, or one with 'train' and one with 't10k' in its "
        f"name, got {len(images)}: give the path of one of them"
    )


def _read_header(path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return the element type and the shape of the array in a file."""
    with open_unpacked(path) as stream:
        magic = read_bounded(stream, 4)
        code, dimensions = (magic[2], magic[3]) if len(magic) == 4 else (0, 0)
        if code not in _TYPES or not _LABELS <= dimensions <= _IMAGES:
            raise UnsupportedFileError(
                f"{str(path)!r}: an IDX file must contain uint8 (0x08) or int32 (0x0c) in 3 dimensions for images, or "
                f"1 or 2 for labels, got type 0x{code:02x} in {dimensions}; convert it or give another file"
            )
        header = read_bounded(stream, 4 * dimensions)
    if len(header) < 4 * dimensions:
        raise DamagedFileError(
            f"{str(path)!r} is truncated: its header must have {4 + 4 * dimensions} bytes, got {4 + len(header)}; "
            "download or create it again"
        )
    return _TYPES[code], struct.unpack(f">{dimensions}I", header)


def _read_array(path: Path, memory_limit: int) -> NDArray[Any]:
    dtype, shape = _read_header(path)
    size = math.prod(shape) * dtype.itemsize
    # Labels are copied to int64.
    check_memory(path, size + (0 if len(shape) == _IMAGES else 8 * shape[0]), memory_limit)
    # Checked before the array is made: NumPy refuses to make some that are empty and would else be enormous.
    if len(shape) == _IMAGES and (dtype != np.uint8 or shape[1:] != (IMAGE_SIZE, IMAGE_SIZE)):
        raise InputError(
            f"{str(path)!r}: images must be uint8 of 28x28, got {dtype} of {shape[1]}x{shape[2]}; "
            "resize them, or give a folder of pictures"
        )
    with open_unpacked(path) as stream:
        read_bounded(stream, 4 + 4 * len(shape))  # the header
        content = read_bounded(stream, size + 1)  # one more byte, to detect a file that is too long
    if len(content) != size:
        got = f"only {len(content):,}" if len(content) < size else "more"
        raise DamagedFileError(
            f"{str(path)!r}: the header declares {size:,} bytes {shape}, the file contains {got}: "
            "it is truncated or damaged, download or create it again"
        )
    return np.frombuffer(content, dtype).reshape(shape)


def _partner(path: Path, own: str, other: str, length: int) -> Path | None:
    """Return the file of labels for a file of images, or the reverse, or None if there is none."""
    codes = {"images": "idx3", "labels": "idx1"}
    name = path.name.removesuffix(".gz")
    if own in name:
        name = name.replace(own, other).replace(codes[own], codes[other])
        for candidate in (path.with_name(name), path.with_name(name + ".gz")):
            if candidate.is_file():
                return candidate
    found: dict[str, Path] = {}
    for file in filter(Path.is_file, visible_files(path.parent)):
        if detect_format(file) == "IDX" and _part(file) == _part(path):
            shape = _read_header(file)[1]
            if (len(shape) == _IMAGES) == (other == "images") and shape[0] == length:
                found.setdefault(file.name.removesuffix(".gz"), file)
    if len(found) > 1:
        raise InputError(
            f"{', '.join(found)[:200]} may be the {other} of {str(path)!r}: rename them, with "
            f"'{other}' where its name has '{own}'"
        )
    return next(iter(found.values()), None)


def _part(path: Path) -> str | None:
    """Return the part of the data that a file name mentions: ``train``, ``test`` (also ``t10k``) or None."""
    return "test" if "t10k" in path.name else part_of(re.split(r"[^a-z]+", path.name.casefold()))
