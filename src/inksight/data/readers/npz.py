"""NumPy archives in the layout of Keras' MNIST: x_train, y_train, x_test, y_test."""

import math
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory, check_ratio, damage_as_input_error, read_bounded
from inksight.config import IMAGE_SIZE
from inksight.data.readers.raw import Raw, join
from inksight.errors import InputError

_TRAIN, _TEST = ("x_train", "y_train"), ("x_test", "y_test")
_MAGIC = b"\x93NUMPY\x01\x00"
# As NumPy writes it. Its own parser raises warnings, whose filters all threads share, for other texts.
_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>[<>|=]?[biufcOSU]\d*)', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(-?\d{1,18}(, ?-?\d{1,18})*)?,?)\),? ?\}\s*"
)
# These are unpacked in bounded steps; one step of bzip2 or LZMA could take any amount of memory.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(path: Path, memory_limit: int) -> Raw:
    """Read an ``.npz`` file with the arrays ``x_train``, ``y_train`` and, optionally, ``x_test``, ``y_test``.

    Parameters
    ----------
    path : Path
        A file written by `numpy.savez` or `numpy.savez_compressed`. Images are uint8, shape (n, 28, 28), high = ink;
        labels are of any integer type, shape (n,). Other arrays are ignored.
    memory_limit : int
        Largest number of bytes that the arrays may take. The header of each array is checked before it is unpacked.

    Returns
    -------
    Raw
        Training images, then test images.

    Raises
    ------
    InputError
        If an array is missing, contains pickled objects, has another type or shape, is larger than allowed, or does
        not have the size in its header, another array may be a test set, or the file is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two.npz"
    ...     np.savez(path, x_train=np.zeros((2, 28, 28), np.uint8), y_train=np.array([3, 4]))
    ...     read(path, 10_000).labels
    array([3, 4])
    """
    with damage_as_input_error(path, "an npz file"), zipfile.ZipFile(path) as archive:
        names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
        _check_names(path, archive, names)
        pairs = [_TRAIN]
        if "x_test" in names:
            pairs.append(_TEST)
            memory_limit //= 2  # because joining copies both
        raws = []
        for x, y in pairs:
            images = _read_array(archive, path, x, memory_limit)
            memory_limit -= images.nbytes
            labels = _read_array(archive, path, y, memory_limit, len(images)).astype(np.int64)
            memory_limit -= labels.nbytes
            raws.append(Raw(images, labels))
    return raws[0] if len(raws) == 1 else join(*raws)


def _check_names(path: Path, archive: zipfile.ZipFile, names: list[str]) -> None:
    """Check that the four arrays are there, and that no other one may be a test set whose name is damaged."""
    required = (*_TRAIN, *(_TEST if {*_TEST} & {*names} else ()))
    missing = [name for name in required if name not in names]
    if missing:
        listed = ", ".join(sorted(names)[:6]) or "nothing"
        raise InputError(
            f"{str(path)!r} has no array {missing[0]!r}: it must contain x_train and y_train, and may contain "
            f"x_test and y_test, got {listed[:200]!r}; rename the arrays, or unpack the file and give its folder"
        )
    for info, name in zip(archive.infolist(), names, strict=True):
        if "test" in name.lower() and name not in _TEST:
            raise InputError(
                f"{str(path)!r} has an array {name[:40]!r}, which may be a test set: rename it to x_test or y_test, or "
                "remove it"
            )
        with archive.open(info):  # compares the two copies of the name that the archive has
            pass


def _read_array(
    archive: zipfile.ZipFile, path: Path, name: str, memory_limit: int, length: int | None = None
) -> NDArray[Any]:
    """Check the header of the array `name`, and its `length` if it is given, then read and return the array."""
    where = f"{str(path)!r}: array {name!r}"
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in _COMPRESSIONS:
        raise InputError(
            f"{where} must be stored or deflated, got compression method {info.compress_type}: "
            "save it with np.savez_compressed"
        )
    check_ratio(path, info.file_size, info.compress_size)
    with archive.open(info) as stream:
        prefix = read_bounded(stream, len(_MAGIC) + 2)
        if not prefix.startswith(_MAGIC) or len(prefix) < len(_MAGIC) + 2:
            raise InputError(
                f"{where} is not a NumPy array of format 1.0, it starts with {bytes(prefix)!r}: "
                "save it with np.savez_compressed"
            )
        header = read_bounded(stream, int.from_bytes(prefix[-2:], "little"))
        match = _HEADER.fullmatch(header)
        if match is None:
            raise InputError(
                f"{where} has a header that describes no array of numbers, {bytes(header[:60])!r}: "
                "save it with np.savez_compressed"
            )
        dtype, fortran = np.dtype(match["dtype"].decode()), match["fortran"] == b"True"
        shape = tuple(int(number) for number in match["shape"].split(b",") if number.strip())
        if dtype.hasobject:
            raise InputError(f"{where} contains pickled Python objects, which could run code: save plain numbers")
        if name.startswith("x"):
            valid = dtype == np.uint8 and len(shape) == 3 and shape[1:] == (IMAGE_SIZE, IMAGE_SIZE)
            allowed = f"uint8 of shape (n, {IMAGE_SIZE}, {IMAGE_SIZE})"
        else:
            valid = dtype.kind in "iu" and len(shape) == 1
            allowed = "integers of shape (n,)"
        if not valid or min(shape) < 0:
            raise InputError(f"{where} must be {allowed}, got {dtype} of shape {shape}; convert it and save it again")
        if length is not None and shape[0] != length:
            raise InputError(
                f"{str(path)!r}: x{name[1:]} and {name} must have the same length, got {length} and {shape[0]}; "
                "save one label per image"
            )
        size = math.prod(shape) * dtype.itemsize
        # Labels are copied to int64; images in Fortran's order are copied to C's.
        check_memory(path, size * (1 + fortran) if length is None else size + 8 * length, memory_limit)
        content = read_bounded(stream, size + 1)  # one more byte: zipfile verifies the checksum at the end
    if len(content) != size:
        got = f"only {len(content):,}" if len(content) < size else "more"
        raise InputError(
            f"{where} declares {size:,} bytes and contains {got}: the file is damaged, download or create it again"
        )
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
