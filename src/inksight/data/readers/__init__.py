"""Readers of digits in all supported formats; `read` detects the format from the content."""

import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from inksight._shared.untrusted import GZIP, open_plain_or_gzip, read_bounded
from inksight._shared.validation import check
from inksight.data.readers import csv, folder as pictures, idx, npz, parquet
from inksight.data.readers.raw import Raw
from inksight.errors import InputError
from inksight.imaging.decoding import visible_files, visible_folders

__all__ = ["FORMATS", "MEMORY_LIMIT", "Raw", "read", "read_source"]

MEMORY_LIMIT = 4 << 30  # bytes: largest content that is read by default; sixty times all of MNIST

FORMATS = (
    "a CSV file or folder of Kaggle's Digit Recognizer, an IDX file or a folder of them, an .npz file in the layout of "
    "Keras, Parquet in the layout of Hugging Face, or a folder with one subfolder of pictures per class"
)
"""The supported formats, for messages."""

_READERS: dict[str, Callable[[Path, int], Raw]] = {
    "CSV": csv.read,
    "IDX": idx.read,
    "npz": npz.read,
    "npy": npz.read_npy,
    "Parquet": parquet.read,
}
# Subfolders in which torchvision (below MNIST or its root) and Hugging Face keep the files of MNIST.
_NESTED = ("raw", "MNIST/raw", "mnist")
_MAGIC = (
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),  # an empty archive
    (npz.MAGIC, "npy"),
    (b"PAR1", "Parquet"),
    (b"\0\0", "IDX"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"RIFF", "picture"),
)


def read(source: Path, memory_limit: int = MEMORY_LIMIT) -> Raw:
    """Read digits from a file or folder in any supported format.

    Parameters
    ----------
    source : Path
        A file or folder. Names matter only where they pair images with labels (IDX) or distinguish the training set
        from the test set.
    memory_limit : int
        Largest number of bytes that the content may take, checked before it is unpacked.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), high = ink; labels int64, shape (n,), or None.

    Raises
    ------
    InputError
        If the source does not exist, cannot be read, is damaged, or its format is not supported.
    MissingDependencyError
        If the source is Parquet and pyarrow is not installed.

    Examples
    --------
    >>> read(Path("nowhere"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    inksight.errors.InputError: no file or folder 'nowhere': ...
    """
    try:
        if source.is_dir():
            return _read_folder(source, memory_limit)
        if source.is_file():
            return _read_file(source, memory_limit)
        if source.exists():
            raise InputError(f"{str(source)!r} is neither a file nor a folder: give {FORMATS}")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"cannot read {str(source)!r}: {reason}; check its name and permissions") from error
    except MemoryError as error:
        raise InputError(f"{str(source)!r} needs more memory than is available: give fewer images") from error
    raise InputError(f"no file or folder {str(source)!r}: give the name mnist, or {FORMATS}")


def read_source(source: str | os.PathLike[str], memory_limit: int) -> tuple[str, Raw]:
    """Return a short name for a source, and its content from `read`. The source ``mnist`` is the packaged file."""
    if source == "mnist":
        with resources.as_file(resources.files("inksight") / "assets" / "mnist.npz") as path:
            return "mnist", npz.read(path, memory_limit, trusted=True)
    text = os.fspath(source) if isinstance(source, (str, os.PathLike)) else source
    check(isinstance(text, str) and text != "", "source", source, "mnist or a path")
    path = Path(text)
    return path.name or path.absolute().name or text, read(path, memory_limit)


def _detect_format(path: Path) -> str:
    """Return the format of a file by its first bytes: a key of `_READERS`, or picture, empty or unknown."""
    with open_plain_or_gzip(path) as stream:
        head = read_bounded(stream, 512)
    if not head:
        return "empty"
    if head.startswith(tuple(csv.BYTE_ORDER_MARKS)):
        return "CSV"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    # Text contains no control characters other than tab, line feed and carriage return.
    return "unknown" if any(byte < 32 and byte not in b"\t\n\r" for byte in head) else "CSV"


def _read_file(path: Path, memory_limit: int) -> Raw:
    format_name = _detect_format(path)
    if format_name == "empty":
        raise InputError(f"{str(path)!r} is empty: give {FORMATS}")
    if format_name == "picture":
        raise InputError(f"{str(path)!r} is a single picture: give a folder with one subfolder of pictures per class")
    if format_name not in _READERS:
        raise InputError(f"{str(path)!r} has an unknown format: give {FORMATS}")
    if format_name in ("npz", "Parquet"):
        with path.open("rb") as file:
            if file.read(2) == GZIP:
                raise InputError(f"{str(path)!r} is a gzipped {format_name} file: unpack it first")
    return _READERS[format_name](path, memory_limit)


def _read_folder(folder: Path, memory_limit: int) -> Raw:
    files = _files_by_format(folder)
    if idx_files := files.get("IDX"):
        return idx.read_folder(folder, idx_files, memory_limit)
    if parquet_files := files.get("Parquet"):
        return parquet.read_folder(folder, parquet_files, memory_limit)
    for path in files.get("CSV", []):
        if path.name in ("train.csv", "train.csv.gz"):  # Kaggle's folder has two more CSV files, without labels
            return csv.read(path, memory_limit)
    candidates = files.get("npz", []) + [path for path in files.get("CSV", []) if ".csv" in path.suffixes]
    if len(candidates) == 1:
        return _read_file(candidates[0], memory_limit)
    for inner in (folder / name for name in _NESTED):
        if inner.is_dir() and _files_by_format(inner).keys() & {"IDX", "Parquet"}:
            return _read_folder(inner, memory_limit)
    if visible_folders(folder):
        return pictures.read_folder(folder, memory_limit)
    next_step = "sort the pictures into one subfolder per class" if "picture" in files else f"give {FORMATS}"
    raise InputError(f"folder {str(folder)!r} contains no digits in a known format: {next_step}")


def _files_by_format(folder: Path) -> dict[str, list[Path]]:
    """Return the files in `folder` by format, each list sorted by name."""
    files: dict[str, list[Path]] = {}
    for path in visible_files(folder):
        files.setdefault(_detect_format(path), []).append(path)
    return files
