"""IDX, the original format of MNIST: one file of images and one of labels, each a short header and an array."""

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory, open_plain_or_gzip, read_bounded
from inksight.config import IMAGE_SIZE
from inksight.data.readers.raw import Raw, join
from inksight.errors import InputError

_UINT8 = 0x08  # code of the element type
_LABELS, _IMAGES = 1, 3  # number of dimensions of a file of labels and of images


def read(path: Path, memory_limit: int) -> Raw:
    """Read a file of images and the matching file of labels.

    Parameters
    ----------
    path : Path
        Either file of the pair, plain or gzipped. The other must be in the same folder and have the same name with
        ``labels`` for ``images`` and ``idx1`` for ``idx3``. Images without a file of labels are unlabeled.
    memory_limit : int
        Largest number of bytes that an array may take.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), unchanged.

    Raises
    ------
    InputError
        If the size in the header is not the size of the file or more than allowed, the array is not uint8, the images
        are not 28x28, there are labels without images, or there is not one label per image.

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
    if array.ndim == _LABELS:
        images_path = _matching_file(path, "labels", "images", "idx1", "idx3")
        if images_path is None:
            raise InputError(
                f"{str(path)!r} contains labels, and its folder has no file of the same name with 'images' for "
                "'labels': give the file of images"
            )
        return read(images_path, memory_limit)
    if array.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise InputError(
            f"{str(path)!r}: images must be 28x28, got {array.shape[1]}x{array.shape[2]}; "
            "resize them, or give a folder of pictures"
        )
    labels_path = _matching_file(path, "images", "labels", "idx3", "idx1")
    if labels_path is None:
        return Raw(array, None)
    labels = _read_array(labels_path, memory_limit)
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
    images = [file for file in distinct if _type_and_dimensions(file)[1] == _IMAGES]
    train = [file for file in images if "train" in file.name]
    test = [file for file in images if "t10k" in file.name or "test" in file.name]
    if len(images) == 1:
        return read(images[0], memory_limit)
    if len(train) == 1 and len(test) == 1 and len(images) == 2:
        return join(folder, read(train[0], memory_limit), test=read(test[0], memory_limit))
    raise InputError(
        f"folder {str(folder)!r} must contain one IDX file of images, or one with 'train' and one with 't10k' in its "
        f"name, got {len(images)}: give the path of one of them"
    )


def _type_and_dimensions(path: Path) -> tuple[int, int]:
    """Return the code of the element type and the number of dimensions; zeros if the file is too short."""
    with open_plain_or_gzip(path) as stream:
        head = read_bounded(stream, 4)
    return (head[2], head[3]) if len(head) == 4 else (0, 0)


def _read_array(path: Path, memory_limit: int) -> NDArray[np.uint8]:
    code, dimensions = _type_and_dimensions(path)
    if code != _UINT8 or dimensions not in (_LABELS, _IMAGES):
        raise InputError(
            f"{str(path)!r}: an IDX file must contain uint8 (0x08) in 3 dimensions for images or 1 for labels, "
            f"got type 0x{code:02x} in {dimensions}; convert it or give another file"
        )
    header_size = 4 + 4 * dimensions
    with open_plain_or_gzip(path) as stream:
        header = read_bounded(stream, header_size)
        if len(header) < header_size:
            raise InputError(
                f"{str(path)!r} is truncated: its header must have {header_size} bytes, got {len(header)}; "
                "download or create it again"
            )
        shape = struct.unpack_from(f">{dimensions}I", header, 4)
        size = math.prod(shape)
        check_memory(path, size, memory_limit)
        content = read_bounded(stream, size + 1)  # one more byte, to detect a file that is too long
    if len(content) != size:
        got = f"only {len(content):,}" if len(content) < size else "more"
        raise InputError(
            f"{str(path)!r}: the header declares {size:,} bytes {shape}, the file contains {got}: "
            "it is truncated or damaged, download or create it again"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _matching_file(path: Path, own: str, other: str, own_code: str, other_code: str) -> Path | None:
    """Return the file, plain or gzipped, that has `other` for `own` in its name, or None if there is none."""
    name = path.name.removesuffix(".gz")
    if own not in name:
        return None
    name = name.replace(own, other).replace(own_code, other_code)
    candidates = [path.with_name(name), path.with_name(name + ".gz")]
    return next((candidate for candidate in candidates if candidate.is_file()), None)
