"""Folders of pictures, each picture converted as by `inksight.prepare`."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory
from inksight.config import IMAGE_SIZE
from inksight.data.readers.class_names import parse_labels
from inksight.data.readers.decoding_work import DecodingWork
from inksight.data.readers.formats import detect_format
from inksight.data.readers.named_arrays import part_of
from inksight.data.readers.picture_labels import labels_by_name, labels_by_table
from inksight.data.readers.raw import Raw, join
from inksight.errors import InputError, InputWarning
from inksight.imaging.decoding import count_pages, decode_upright, visible_files, visible_folders
from inksight.imaging.file_pages import read_picture_file
from inksight.imaging.grayscale import image_to_grayscale
from inksight.imaging.preprocessing import prepare_grayscale

_SUFFIXES: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm")
_SUFFIXES += (".heic", ".heif", ".avif")
_TABLES = (".csv", ".tsv")


def read_folder(folder: Path, memory_limit: int) -> Raw:
    """Read a folder of pictures, with the classes in the names of its subfolders or files, or in a table.

    Parameters
    ----------
    folder : Path
        One subfolder of pictures per class, or pictures whose names begin with their class (``7_1.png``), or pictures
        and a CSV file with one row per picture: its name and its label. Or subfolders ``train``, ``test`` and,
        optionally, ``validation`` (also ``training``, ``testing``, ``valid``, ``val``), each of which is such a folder.
        The classes are the ten digits if all names stand for digits, as ``7``, ``seven`` or ``digit_7``; otherwise
        they are the names in sorted order. Hidden files are skipped. Other files that are not pictures are left out
        with a warning.
    memory_limit : int
        Largest number of bytes that all images, or one decoded picture, may take.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), high = ink, sorted by the names of folders and files. Images of MNIST stored
        as pictures come back unchanged except for small rounding errors.

    Raises
    ------
    InputError
        If a class has no picture or contains a folder, the class of a picture is unknown, or a picture is damaged or
        too large, or shows no digit.

    Examples
    --------
    >>> from PIL import Image
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     for symbol, size in (("bar", (5, 30)), ("dash", (30, 5))):
    ...         (Path(name) / symbol).mkdir()
    ...         paper = Image.new("L", (60, 40), "white")
    ...         paper.paste("black", (15, 5, 15 + size[0], 5 + size[1]))
    ...         paper.save(Path(name) / symbol / "one.png")
    ...     raw = read_folder(Path(name), 10_000)
    >>> raw.class_names, raw.labels
    (('bar', 'dash'), array([0, 1]))
    """
    subfolders = visible_folders(folder)
    parts = {part_of([path.name.casefold()]): path for path in subfolders}
    if None in parts or len(parts) < len(subfolders) or "train" not in parts:
        return _read_classes(folder, memory_limit)
    raws = {part: _read_classes(path, memory_limit) for part, path in parts.items()}
    return join(folder, raws["train"], raws.get("validation"), raws.get("test"))


def _read_classes(folder: Path, memory_limit: int) -> Raw:
    subfolders = visible_folders(folder)
    if subfolders:
        files, names = _by_subfolder(folder, subfolders)
    else:
        files = _pictures(folder)
        tables = [file for file in visible_files(folder) if file.suffix.casefold() in _TABLES]
        if len(tables) > 1:
            listed = ", ".join(table.name for table in tables)[:200]
            raise InputError(f"{str(folder)!r} must contain one table of labels, got {listed}: keep one of them")
        names = labels_by_table(tables[0], files) if tables else labels_by_name(files)
    labels, class_names = parse_labels(names, lambda i: repr(str(files[i])), may_mix=bool(subfolders))
    work = DecodingWork(folder)
    images: list[NDArray[np.uint8]] = []
    counts = np.zeros(len(files), np.int64)  # pages of each file
    for i, file in enumerate(files):
        content = read_picture_file(file)
        work.allow(len(content))
        count = counts[i] = count_pages(content, file)
        # Twice, because the images are stacked at the end.
        check_memory(folder, 2 * (len(images) + count + len(files) - i) * IMAGE_SIZE * IMAGE_SIZE, memory_limit)
        for page in range(count):
            name = file if count == 1 else Path(f"{file}[{page + 1}]")
            picture = decode_upright(content, name, memory_limit, page)
            work.count(picture.width * picture.height)
            images.append(to_digit(image_to_grayscale(picture), repr(str(name))))
    return Raw(np.stack(images), None if labels is None else labels.repeat(counts), class_names)


def _by_subfolder(folder: Path, subfolders: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Return the pictures in one subfolder per class, and the name of the class of each."""
    files: list[Path] = []
    names: list[str] = []
    for path in subfolders:
        if inner := visible_folders(path):
            raise InputError(
                f"class {path.name!r} in {str(folder)!r} must contain only pictures, got the folder "
                f"{inner[0].name!r}: give the folder that contains one subfolder per class"
            )
        pictures = _pictures(path)
        if not pictures:
            raise InputError(
                f"class {path.name!r} in {str(folder)!r} contains no picture: add some or remove the subfolder"
            )
        files += pictures
        names += [path.name] * len(pictures)
    return files, names


def _pictures(folder: Path) -> list[Path]:
    """Return the files in `folder` that are pictures by their content or name. Warn of others, except tables."""
    files = visible_files(folder)
    # What is not a file, such as a FIFO, is refused when it is read; to detect its format, it would have to be opened.
    pictures = [
        file
        for file in files
        if not file.is_file() or file.suffix.casefold() in _SUFFIXES or detect_format(file) == "picture"
    ]
    strays = [file.name for file in files if file not in pictures and file.suffix.casefold() not in _TABLES]
    if strays and pictures:
        listed = ", ".join(map(repr, strays[:5])) + (", ..." if len(strays) > 5 else "")
        warnings.warn(
            f"files in {str(folder)!r} that are not pictures are left out, {len(strays)}: {listed}",
            InputWarning,
            stacklevel=2,
        )
    return pictures


def to_digit(grayscale: NDArray[np.float64], name: str) -> NDArray[np.uint8]:
    """Convert brightness (height, width), 0..1, to an image uint8, shape (28, 28), high = ink.

    Parameters
    ----------
    grayscale : (height, width) float64, 0..1
    name : str
        The name of the picture, for messages.

    Raises
    ------
    InputError
        If the picture shows no digit.

    Examples
    --------
    >>> to_digit(np.ones((50, 40)), "a sheet of paper")
    Traceback (most recent call last):
    ...
    inksight.errors.InputError: a sheet of paper is blank: remove it, or give a picture of one digit
    """
    prepared = prepare_grayscale(grayscale)
    if prepared.problem:
        texts = {
            "blank": "is blank",
            "faint": "has ink that is too faint to read",
            "small": "has a digit of only a few pixels",
        }
        raise InputError(f"{name} {texts[prepared.problem]}: remove it, or give a picture of one digit")
    return prepared.image
