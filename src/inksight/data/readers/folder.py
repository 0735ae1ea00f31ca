"""Folders of pictures: one subfolder per class, each picture converted as by `inksight.prepare`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory
from inksight.config import DIGITS, IMAGE_SIZE
from inksight.data.readers.decoding_work import DecodingWork
from inksight.data.readers.raw import Raw
from inksight.errors import InputError
from inksight.imaging.decoding import decode_upright, visible_files, visible_folders
from inksight.imaging.grayscale import image_to_grayscale, read_picture_file
from inksight.imaging.preprocessing import prepare_grayscale


def read_folder(folder: Path, memory_limit: int) -> Raw:
    """Read a folder with one subfolder of pictures per class.

    Parameters
    ----------
    folder : Path
        Its subfolders, sorted by name, are the classes; hidden ones are skipped. If all names are digits, the classes
        are the ten digits and the names are the labels.
    memory_limit : int
        Largest number of bytes that all images, or one decoded picture, may take.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), high = ink, class by class, sorted by file name. Images of MNIST stored as
        pictures come back unchanged except for small rounding errors.

    Raises
    ------
    InputError
        If a class has no picture or contains a folder, or a file is not a picture, is damaged or too large, or shows
        no digit.

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
    classes = visible_folders(folder)
    names = tuple(path.name for path in classes)
    if set(names) <= set(DIGITS):
        names = DIGITS
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    work = DecodingWork(folder)
    for path in classes:
        if subfolders := visible_folders(path):
            raise InputError(
                f"class {path.name!r} in {str(folder)!r} must contain only pictures, got the folder "
                f"{subfolders[0].name!r}: give the folder that contains one subfolder per class"
            )
        files = visible_files(path)
        if not files:
            raise InputError(
                f"class {path.name!r} in {str(folder)!r} contains no picture: add some or remove the subfolder"
            )
        # Twice, because the images are stacked at the end.
        check_memory(folder, 2 * (len(images) + len(files)) * IMAGE_SIZE * IMAGE_SIZE, memory_limit)
        for file in files:
            content = read_picture_file(file)
            picture = decode_upright(content, file, memory_limit)
            work.allow(len(content))
            work.count(picture.width * picture.height)
            images.append(to_digit(image_to_grayscale(picture), repr(str(file))))
        labels += [names.index(path.name)] * len(files)
    return Raw(np.stack(images), np.array(labels, np.int64), names)


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
