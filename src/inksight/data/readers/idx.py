"""IDX, the format MNIST was published in: a few header bytes, then the array; images and labels apart."""

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory, opened, take
from inksight.config import IMAGE_SIZE
from inksight.data.readers.raw import Raw, join
from inksight.errors import InputError

_UINT8 = 0x08
_LABELS, _IMAGES = 1, 3  # number of dimensions of each kind of file


def read(path: Path, memory_limit: int) -> Raw:
    """Read an images file and the labels file beside it, or the other way round.

    Parameters
    ----------
    path : Path
        One file of the pair, gzipped or not. The other is looked for under the same name with ``labels`` for
        ``images`` and ``idx1`` for ``idx3``; images without such a neighbour are unlabelled.
    memory_limit : int
        Largest number of bytes an array may take.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), as the file has them.

    Raises
    ------
    InputError
        If the header promises more than the file holds, or less, or more than allowed; if the array is not
        uint8, the images are not 28x28, labels come without images, or the two differ in number.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "t10k-images-idx3-ubyte"
    ...     size = path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 2, 28, 28) + bytes(2 * 28 * 28))
    ...     read(path, 10_000).images.shape
    (2, 28, 28)
    """
    array = _array(path, memory_limit)
    if array.ndim == _LABELS:
        images = _partner(path, "labels", "images", "idx1", "idx3")
        if images is None:
            raise InputError(
                f"{str(path)!r} holds labels, and no images file lies beside it under the same name with "
                "'images' for 'labels': give the images file"
            )
        return read(images, memory_limit)
    if array.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise InputError(f"{str(path)!r}: images must be 28x28, got {array.shape[1]}x{array.shape[2]}")
    partner = _partner(path, "images", "labels", "idx3", "idx1")
    if partner is None:
        return Raw(array, None)
    labels = _array(partner, memory_limit)
    if labels.shape != array.shape[:1]:
        raise InputError(
            f"{str(path)!r} holds {len(array)} images, but {str(partner)!r} labels of shape {labels.shape}; "
            "there must be one label an image"
        )
    return Raw(array, labels.astype(np.int64))


def read_folder(folder: Path, files: Sequence[Path], memory_limit: int) -> Raw:
    """Read the IDX `files` of a folder: one pair, or ``train-*`` and, as the test set, ``t10k-*``."""
    names = {file.name for file in files}
    # torchvision keeps what it downloaded beside what it unpacked: the same file twice.
    single = [file for file in files if not (file.suffix == ".gz" and file.stem in names)]
    images = [file for file in single if _header(file)[1] == _IMAGES]
    train = [file for file in images if "train" in file.name]
    test = [file for file in images if "t10k" in file.name or "test" in file.name]
    if len(images) == 1:
        return read(images[0], memory_limit)
    if len(train) == 1 and len(test) == 1 and len(images) == 2:
        return join(read(train[0], memory_limit), read(test[0], memory_limit))
    raise InputError(
        f"folder {str(folder)!r} must hold one IDX images file, or one with 'train' and one with 't10k' in "
        f"its name, got {len(images)}: give one of them by its path"
    )


def _header(path: Path) -> tuple[int, int]:
    """Return the first four bytes' two meanings: the code of the element type, the number of dimensions."""
    with opened(path) as stream:
        head = take(stream, 4)
    return (head[2], head[3]) if len(head) == 4 else (0, 0)


def _array(path: Path, memory_limit: int) -> NDArray[np.uint8]:
    code, dimensions = _header(path)
    if code != _UINT8 or dimensions not in (_LABELS, _IMAGES):
        raise InputError(
            f"{str(path)!r}: an IDX file must hold uint8 (0x08) in 3 dimensions for images or 1 for labels, "
            f"got type 0x{code:02x} in {dimensions}"
        )
    with opened(path) as stream:
        header = take(stream, 4 + 4 * dimensions)
        if len(header) < 4 + 4 * dimensions:
            raise InputError(f"{str(path)!r} is truncated: its header ends after {len(header)} bytes")
        shape = struct.unpack_from(f">{dimensions}I", header, 4)
        size = math.prod(shape)
        check_memory(path, size, memory_limit)
        content = take(stream, size + 1)  # one more, to notice what the header does not speak of
    if len(content) != size:
        held = f"only {len(content):,}" if len(content) < size else "more"
        raise InputError(
            f"{str(path)!r}: the header promises {size:,} bytes {shape}, the file holds {held}: "
            "it is truncated or damaged, fetch it again"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _partner(path: Path, own: str, other: str, own_code: str, other_code: str) -> Path | None:
    """Return the file of the other kind beside `path`, gzipped or not, if there is one."""
    name = path.name.removesuffix(".gz")
    if own not in name:
        return None
    name = name.replace(own, other).replace(own_code, other_code)
    candidates = [path.with_name(name), path.with_name(name + ".gz")]
    return next((candidate for candidate in candidates if candidate.is_file()), None)
