"""NumPy's zip of arrays in the layout Keras distributes MNIST in: x_train, y_train, x_test, y_test."""

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory, damage_as_input_error, take
from inksight.config import IMAGE_SIZE
from inksight.data.readers.raw import Raw, join
from inksight.errors import InputError

_MAGIC = b"\x93NUMPY\x01\x00"
# Both are unpacked in bounded steps; bzip2 and LZMA members could swell without limit in one.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(path: Path, memory_limit: int, *, ours: bool = False) -> Raw:
    """Read an ``.npz`` file with the arrays ``x_train``, ``y_train`` and perhaps ``x_test``, ``y_test``.

    Parameters
    ----------
    path : Path
        As `numpy.savez` or `numpy.savez_compressed` write it; images uint8, shape (n, 28, 28), high = ink;
        labels of any integer type, shape (n,). Other arrays are left alone.
    memory_limit : int
        Largest number of bytes the arrays may take; each array's own header is held against it before the
        array is unpacked.
    ours : bool
        The file is the package's own, at which no library warns: Python's warning filters, which all threads share,
        stay as they are, so that another thread may import whatever it likes meanwhile.

    Returns
    -------
    Raw
        Training images, then test images.

    Raises
    ------
    InputError
        If an array is missing, holds pickled objects, is of another type or shape, is larger than allowed or
        longer or shorter than its header says, or the file is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two.npz"
    ...     np.savez(path, x_train=np.zeros((2, 28, 28), np.uint8), y_train=np.array([3, 4]))
    ...     read(path, 10_000).labels
    array([3, 4])
    """
    with damage_as_input_error(path, "npz file", warned=not ours), zipfile.ZipFile(path) as archive:
        names = {info.filename.removesuffix(".npy") for info in archive.infolist()}
        sets = [("x_train", "y_train")]
        if names & {"x_test", "y_test"}:
            sets.append(("x_test", "y_test"))
        missing = [name for pair in sets for name in pair if name not in names]
        if missing:
            listed = ", ".join(sorted(names)[:6]) or "nothing"
            raise InputError(
                f"{str(path)!r} has no array {missing[0]!r}; it must hold x_train, y_train and may hold "
                f"x_test, y_test, got {listed[:200]!r}: unpack other zip files and give the folder"
            )
        raws = []
        for x, y in sets:
            images = _member(archive, path, x, memory_limit)
            memory_limit -= images.nbytes
            labels = _member(archive, path, y, memory_limit)
            memory_limit -= labels.nbytes
            if len(images) != len(labels):
                raise InputError(
                    f"{str(path)!r}: {x} and {y} must be equally long, got {len(images)} and {len(labels)}"
                )
            raws.append(Raw(images, labels.astype(np.int64)))
    return raws[0] if len(raws) == 1 else join(*raws)


def _member(archive: zipfile.ZipFile, path: Path, name: str, memory_limit: int) -> NDArray[Any]:
    """Return one array, after its header was found to be what the array `name` must be."""
    where = f"{str(path)!r}: array {name!r}"
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in _COMPRESSIONS:
        raise InputError(f"{where} is compressed by method {info.compress_type}: save it with np.savez_compressed")
    with archive.open(info) as stream:
        prefix = take(stream, len(_MAGIC) + 2)
        if not prefix.startswith(_MAGIC) or len(prefix) < len(_MAGIC) + 2:
            raise InputError(f"{where} is no NumPy array of format 1.0: save it with np.savez_compressed")
        length = prefix[-2:]
        header = take(stream, int.from_bytes(length, "little"))
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(io.BytesIO(length + header))
        if dtype.hasobject:
            raise InputError(f"{where} holds pickled Python objects, which could run code: save plain numbers")
        if name.startswith("x"):
            right = dtype == np.uint8 and len(shape) == 3 and shape[1:] == (IMAGE_SIZE, IMAGE_SIZE)
            allowed = f"uint8 of shape (n, {IMAGE_SIZE}, {IMAGE_SIZE})"
        else:
            right = dtype.kind in "iu" and len(shape) == 1
            allowed = "integers of shape (n,)"
        if not right or min(shape) < 0:
            raise InputError(f"{where} must be {allowed}, got {dtype} of shape {shape}")
        size = math.prod(shape) * dtype.itemsize
        check_memory(path, size, memory_limit)
        content = take(stream, size + 1)  # one more: reading to the end makes zipfile check the checksum
    if len(content) != size:
        held = f"only {len(content):,}" if len(content) < size else "more"
        raise InputError(f"{where} promises {size:,} bytes and holds {held}: the file is damaged, fetch it again")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
