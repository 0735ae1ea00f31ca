"""Readers of digits in all supported formats; `read` detects the format from the content."""

import os
from collections.abc import Callable
from pathlib import Path

from inksight._shared.untrusted import BZIP2, GZIP, check_is_file, damage_as_input_error, unreadable
from inksight._shared.validation import check
from inksight.data import packaged
from inksight.data.readers import arff, csv, folder as pictures, idx, npz, parquet, zipped
from inksight.data.readers.formats import ADVICE, detect_format
from inksight.data.readers.raw import Raw
from inksight.errors import DamagedFileError, InputError, MissingFileError, TooLargeError, UnsupportedFileError
from inksight.imaging.decoding import visible_files, visible_folders

__all__ = ["FORMATS", "MEMORY_LIMIT", "Raw", "read", "read_source"]

MEMORY_LIMIT = 800 << 20  # bytes: by default, with which a process stays below 1 GB; fifteen times all of MNIST

FORMATS = (
    "a CSV file or folder of Kaggle's Digit Recognizer, an IDX file or a folder of them, an .npz file in the layout of "
    "Keras, Parquet in the layout of Hugging Face, or a folder with one subfolder of pictures per class"
)
"""The supported formats, for messages."""

_READERS: dict[str, Callable[[Path, int, str | None], Raw]] = {
    "CSV": csv.read,
    "ARFF": arff.read,
    "zip": zipped.read,
    "IDX": lambda path, memory_limit, _: idx.read(path, memory_limit),
    "npy": lambda path, memory_limit, _: npz.read_npy(path, memory_limit),
    "Parquet": lambda path, memory_limit, _: parquet.read(path, memory_limit),
}
# Subfolders in which torchvision (below MNIST or its root) and Hugging Face keep the files of MNIST.
_NESTED = ("raw", "MNIST/raw", "mnist", "data")
_TABLES = {"csv", "tsv"}  # endings of names; any other text, such as a README, looks like CSV


def read(source: Path, memory_limit: int = MEMORY_LIMIT, label: str | None = None) -> Raw:
    """Read digits from a file or folder in any supported format.

    Parameters
    ----------
    source : Path
        A file or folder. Names matter only where they pair images with labels (IDX) or distinguish the training set
        from the test set.
    memory_limit : int
        Largest number of bytes that the content may take, checked before it is unpacked.
    label : str, optional
        The column of the labels in a CSV or ARFF file; see `inksight.data.readers.csv_layout.detect`.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), high = ink; labels int64, shape (n,), or None.

    Raises
    ------
    InputError
        If the source cannot be read or does not hold digits. Its subclasses say more: `MissingFileError`,
        `DamagedFileError`, `UnsupportedFileError` and `TooLargeError`.
    MissingDependencyError
        If the source is Parquet and pyarrow is not installed.

    Examples
    --------
    >>> read(Path("nowhere"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    inksight.errors.MissingFileError: no file or folder 'nowhere': ...
    """
    try:
        if source.is_dir():
            return _read_folder(source, memory_limit, label)
        if source.is_file():
            return _read_file(source, memory_limit, label)
        check_is_file(source, f"give {FORMATS}")
    except OSError as error:
        raise unreadable(source, error) from error
    except MemoryError as error:
        raise TooLargeError(f"{str(source)!r} needs more memory than is available: give fewer images") from error
    if source == Path("-"):
        raise InputError("data cannot be read from standard input, '-': save it to a file, and give its name")
    raise MissingFileError(f"no file or folder {str(source)!r}: give the name mnist, or {FORMATS}")


def read_source(source: str | os.PathLike[str], memory_limit: int, label: str | None = None) -> tuple[str, Raw]:
    """Return a short name for a source, and its content from `read`. The source ``mnist`` is the packaged file."""
    if source == "mnist":
        check(label is None, "label", label, "left out, because mnist has no columns to choose")
        path = Path(packaged.NAME)
        with damage_as_input_error(path, "an npz file"):
            return "mnist", npz.read_members(path, packaged.members(), memory_limit)
    text = os.fspath(source) if isinstance(source, (str, os.PathLike)) else source
    check(isinstance(text, str) and text != "", "source", source, "mnist or a path")
    path = Path(text)
    return path.name or path.absolute().name or text, read(path, memory_limit, label)


def _read_file(path: Path, memory_limit: int, label: str | None) -> Raw:
    format_name = detect_format(path)
    if format_name == "empty":
        raise DamagedFileError(f"{str(path)!r} is empty: give {FORMATS}")
    if format_name == "picture":
        raise InputError(f"{str(path)!r} is a single picture: give a folder with one subfolder of pictures per class")
    if format_name in ADVICE:
        raise UnsupportedFileError(f"{str(path)!r} is {format_name}: {ADVICE[format_name]}")
    if format_name not in _READERS:
        raise UnsupportedFileError(f"{str(path)!r} has an unknown format: give {FORMATS}")
    if format_name in ("zip", "Parquet"):
        with path.open("rb") as file:
            if file.read(3).startswith((GZIP, BZIP2)):
                raise UnsupportedFileError(f"{str(path)!r} is a compressed {format_name} file: unpack it first")
    if label is not None and format_name not in ("CSV", "ARFF", "zip"):
        raise InputError(
            f"label must be left out, because {str(path)!r} is {format_name}, which has no columns to choose"
        )
    return _READERS[format_name](path, memory_limit, label)


def _read_folder(folder: Path, memory_limit: int, label: str | None) -> Raw:
    files = _files_by_format(folder)
    if idx_files := files.get("IDX"):
        return idx.read_folder(folder, idx_files, memory_limit)
    if parquet_files := files.get("Parquet"):
        return parquet.read_folder(folder, parquet_files, memory_limit)
    tables = [path for path in files.get("CSV", []) if _TABLES & set(path.name.casefold().split("."))]
    for path in tables:
        if path.name.casefold().startswith(
            ("train.csv", "train.tsv")
        ):  # Kaggle's folder has two more CSV files, without labels
            return csv.read(path, memory_limit, label)
    candidates = [path for name in ("zip", "npy", "ARFF") for path in files.get(name, [])] + tables
    if len(candidates) == 1 and "picture" not in files:
        return _read_file(candidates[0], memory_limit, label)
    for inner in (folder / name for name in _NESTED):
        if inner.is_dir() and _files_by_format(inner).keys() & {"IDX", "Parquet"}:
            return _read_folder(inner, memory_limit, label)
    if visible_folders(folder) or "picture" in files:
        return pictures.read_folder(folder, memory_limit)
    raise InputError(f"folder {str(folder)!r} contains no digits in a known format: give {FORMATS}")


def _files_by_format(folder: Path) -> dict[str, list[Path]]:
    """Return the files in `folder` by format, each list sorted by name."""
    files: dict[str, list[Path]] = {}
    for path in filter(Path.is_file, visible_files(folder)):  # a FIFO in it must not be opened, nor a link to nowhere
        files.setdefault(detect_format(path), []).append(path)
    return files
