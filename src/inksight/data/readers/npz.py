"""NumPy files: archives of named arrays (.npz), and single arrays (.npy)."""

import io
import math
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import (
    Readable,
    check_memory,
    check_ratio,
    damage_as_input_error,
    open_unpacked,
    read_bounded,
)
from inksight.data.readers.named_arrays import Array, read_parts
from inksight.data.readers.raw import Raw
from inksight.errors import DamagedFileError, InputError, UnsupportedFileError

_FORMAT = b"\x93NUMPY\x01\x00"
# As NumPy writes it. Its own parser raises warnings, whose filters all threads share, for other texts.
_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>[<>|=]?[biufcOSU]\d*)', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(-?\d{1,18}(, ?-?\d{1,18})*)?,?)\),? ?\}\s*"
)
# These are unpacked in bounded steps; one step of bzip2 or LZMA could take any amount of memory.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(path: Path, memory_limit: int) -> Raw:
    """Read an ``.npz`` file of images and, optionally, labels, and its training, validation and test sets.

    Parameters
    ----------
    path : Path
        A file written by `numpy.savez` or `numpy.savez_compressed`, with the arrays that
        `inksight.data.readers.named_arrays.read_parts` finds.
    memory_limit : int
        Largest number of bytes that the arrays may take. The header of each array is checked before it is unpacked.

    Returns
    -------
    Raw

    Raises
    ------
    InputError
        If there are no images, an array contains pickled objects, is larger than allowed or does not have the size in
        its header, or the file is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two.npz"
    ...     np.savez(path, x_train=np.zeros((2, 28, 28), np.uint8), y_train=np.array([3, 4]))
    ...     read(path, 10_000).labels
    array([3, 4])
    """
    left = memory_limit

    def read_member(name: str) -> NDArray[Any]:
        nonlocal left
        where = f"{str(path)!r}: array {name!r}"
        with archive.open(f"{name}.npy") as stream:
            array = _read_content(stream, path, where, *_read_header(stream, where), left)
        left -= array.nbytes
        return array

    with damage_as_input_error(path, "an npz file"), zipfile.ZipFile(path) as archive:
        arrays = []
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                continue
            name = info.filename.removesuffix(".npy")
            where = f"{str(path)!r}: array {name!r}"
            if info.compress_type not in _COMPRESSIONS:
                raise UnsupportedFileError(
                    f"{where} must be stored or deflated, got compression method {info.compress_type}: "
                    "save it with np.savez_compressed"
                )
            check_ratio(path, info.file_size, info.compress_size)
            with archive.open(info) as stream:  # also compares the two copies of the name that the archive has
                shape, _, dtype = _read_header(stream, where)
            arrays.append(Array(name, shape, dtype))
        return read_parts(path, arrays, read_member)


def read_members(path: Path, members: Mapping[str, bytes], memory_limit: int) -> Raw:
    """Read the digits of an ``.npz`` file that is unpacked already, given the content of each file in it by its name.

    `path` is for messages. Raises the errors of `read`.
    """
    check_memory(path, 2 * sum(map(len, members.values())), memory_limit)  # once unpacked, and once joined
    contents = {name.removesuffix(".npy"): _view(content, repr(str(path))) for name, content in members.items()}
    arrays = [Array(name, content.shape, content.dtype) for name, content in contents.items()]
    return read_parts(path, arrays, contents.__getitem__)


def _view(content: bytes, where: str) -> NDArray[Any]:
    """Return the array of an ``.npy`` file without copying it."""
    stream = io.BytesIO(content)
    shape, fortran, dtype = _read_header(stream, where)
    return np.frombuffer(content, dtype, offset=stream.tell()).reshape(shape, order="F" if fortran else "C")


def read_npy(path: Path, memory_limit: int) -> Raw:
    """Read the unlabeled images of an ``.npy`` file, plain or compressed; see `read`."""
    where = repr(str(path))
    with open_unpacked(path) as stream, damage_as_input_error(path, "an npy file"):
        shape, fortran, dtype = _read_header(stream, where)
        array = Array("x", shape, dtype)
        return read_parts(
            path, [array], lambda name: _read_content(stream, path, where, shape, fortran, dtype, memory_limit)
        )


def _read_header(stream: Readable, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an array and return its shape, whether it is in Fortran order, and its type."""
    prefix = read_bounded(stream, len(_FORMAT) + 2)
    if not prefix.startswith(_FORMAT) or len(prefix) < len(_FORMAT) + 2:
        raise UnsupportedFileError(
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
    shape = tuple(int(number) for number in match["shape"].split(b",") if number.strip())
    if shape and min(shape) < 0:
        raise InputError(f"{where} must not have a negative length, got {shape}: save it again")
    return shape, match["fortran"] == b"True", np.dtype(match["dtype"].decode())


def _read_content(
    stream: Readable, path: Path, where: str, shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any], limit: int
) -> NDArray[Any]:
    """Return the array that follows its header."""
    if dtype.hasobject:
        raise UnsupportedFileError(f"{where} contains pickled Python objects, which could run code: save plain numbers")
    size = math.prod(shape) * dtype.itemsize
    # Arrays are copied when they become bytes or int64 labels, and once more when parts are joined.
    copies = math.prod(shape) * (1 if dtype == np.uint8 else 8 if len(shape) == 1 else 2) + size * fortran
    check_memory(path, size + copies, limit)
    content = read_bounded(stream, size + 1)  # one more byte: zipfile verifies the checksum at the end
    if len(content) != size:
        got = f"only {len(content):,}" if len(content) < size else "more"
        raise DamagedFileError(
            f"{where} declares {size:,} bytes and contains {got}: the file is damaged, download or create it again"
        )
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
