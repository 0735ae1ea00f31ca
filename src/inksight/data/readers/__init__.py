"""Any source of digits: its type is told from its content, then the reader of that format is called."""

import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from inksight._shared.untrusted import GZIP, opened, take
from inksight._shared.validation import check
from inksight.data.readers import csv, folder as pictures, idx, npz, parquet
from inksight.data.readers.raw import Raw
from inksight.errors import InputError
from inksight.imaging.decoding import visible

__all__ = ["FORMATS", "MEMORY_LIMIT", "Raw", "read", "read_source"]

MEMORY_LIMIT = 4 << 30  # bytes; sixty times all of MNIST

FORMATS = (
    "a CSV file or folder of Kaggle's Digit Recognizer, IDX files or their folder, an .npz file as Keras has "
    "it, Parquet as Hugging Face has it, or a folder with one sub-folder of pictures a class"
)
"""What can be read, for help texts and messages."""

_READERS: dict[str, Callable[[Path, int], Raw]] = {
    "CSV": csv.read,
    "IDX": idx.read,
    "npz": npz.read,
    "Parquet": parquet.read,
}
# Where torchvision (the folder above, its root) and Hugging Face keep MNIST's files.
_NESTED = ("raw", "MNIST/raw", "mnist")
_MAGIC = (
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),  # an archive without members
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
    """Read digits from a file or folder of any known kind.

    Parameters
    ----------
    source : Path
        A file or folder; its name does not matter, except where names pair files (IDX) or tell training from
        test set.
    memory_limit : int
        Largest number of bytes that what is read may take, checked before it is unpacked.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), high = ink; labels int64, shape (n,), or None.

    Raises
    ------
    InputError
        If there is no such source, it cannot be read, is of no known kind, or is damaged.
    MissingDependencyError
        If it is Parquet and pyarrow is not installed.

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
        raise InputError(f"{str(source)!r} needs more memory than there is: give fewer images") from error
    raise InputError(f"no file or folder {str(source)!r}: give the name mnist, or {FORMATS}")


def read_source(source: str | os.PathLike[str], memory_limit: int) -> tuple[str, Raw]:
    """Return a short name for a source, and what `read` finds in it; ``mnist`` is the packaged file."""
    if source == "mnist":
        with resources.as_file(resources.files("inksight") / "assets" / "mnist.npz") as path:
            return "mnist", npz.read(path, memory_limit, ours=True)
    text = os.fspath(source) if isinstance(source, (str, os.PathLike)) else source
    check(isinstance(text, str) and text != "", "source", source, "mnist or a path")
    path = Path(text)
    return path.name or path.absolute().name or text, read(path, memory_limit)


def _kind(path: Path) -> str:
    """Return what a file holds by its first bytes: a key of `_READERS`, picture, empty or unknown."""
    with opened(path) as stream:
        head = take(stream, 512)
    if not head:
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    # Text has no control characters besides tab, line feed and carriage return.
    return "unknown" if any(byte < 32 and byte not in b"\t\n\r" for byte in head) else "CSV"


def _read_file(path: Path, memory_limit: int) -> Raw:
    kind = _kind(path)
    if kind == "empty":
        raise InputError(f"{str(path)!r} is empty: give {FORMATS}")
    if kind == "picture":
        raise InputError(f"{str(path)!r} is a single picture: give a folder with one sub-folder of pictures a class")
    if kind not in _READERS:
        raise InputError(f"{str(path)!r} is of no known kind: give {FORMATS}")
    if kind in ("npz", "Parquet"):
        with path.open("rb") as file:
            if file.read(2) == GZIP:
                raise InputError(f"{str(path)!r} is a gzipped {kind} file: unpack it first")
    return _READERS[kind](path, memory_limit)


def _read_folder(folder: Path, memory_limit: int) -> Raw:
    files = _files_by_kind(folder)
    if found := files.get("IDX"):
        return idx.read_folder(folder, found, memory_limit)
    if found := files.get("Parquet"):
        return parquet.read_folder(folder, found, memory_limit)
    for path in files.get("CSV", []):
        if path.name in ("train.csv", "train.csv.gz"):  # Kaggle's folder holds two more, without labels
            return csv.read(path, memory_limit)
    single = files.get("npz", []) + [path for path in files.get("CSV", []) if ".csv" in path.suffixes]
    if len(single) == 1:
        return _read_file(single[0], memory_limit)
    for inner in (folder / name for name in _NESTED):
        if inner.is_dir() and _files_by_kind(inner).keys() & {"IDX", "Parquet"}:
            return _read_folder(inner, memory_limit)
    if visible(folder, folders=True):
        return pictures.read_folder(folder, memory_limit)
    hint = "sort the pictures into one sub-folder a class" if "picture" in files else f"give {FORMATS}"
    raise InputError(f"folder {str(folder)!r} holds no digits that can be read: {hint}")


def _files_by_kind(folder: Path) -> dict[str, list[Path]]:
    """Return the files in `folder`, by kind and then by name."""
    files: dict[str, list[Path]] = {}
    for path in visible(folder, folders=False):
        files.setdefault(_kind(path), []).append(path)
    return files
