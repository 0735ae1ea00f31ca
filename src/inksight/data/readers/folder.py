"""Pictures in folders: one sub-folder a class, each picture made ready as `inksight.prepare` does."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory
from inksight.config import DIGITS, IMAGE_SIZE
from inksight.data.readers.raw import Raw
from inksight.errors import InputError
from inksight.imaging.decoding import open_upright, visible
from inksight.imaging.grayscale import image_to_grayscale
from inksight.imaging.preprocessing import prepare_grayscale


def read_folder(folder: Path, memory_limit: int) -> Raw:
    """Read a folder with one sub-folder of pictures a class.

    Parameters
    ----------
    folder : Path
        Its sub-folders, in the order of their names, are the classes; hidden ones are skipped. If all names
        are digits, these are the labels and the classes stay the ten digits.
    memory_limit : int
        Largest number of bytes the images, or one decoded picture, may take.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), high = ink, class by class in the order of file names. MNIST's own, stored as
        pictures, come out as they were but for a grey level here and there.

    Raises
    ------
    InputError
        If a class holds no picture or a folder, or a file is no picture, damaged, or too large, or there is nothing,
        or next to nothing, written on it.

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
    classes = visible(folder, folders=True)
    names = tuple(path.name for path in classes)
    if set(names) <= set(DIGITS):
        names = DIGITS
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for path in classes:
        if inner := visible(path, folders=True):
            raise InputError(
                f"class {path.name!r} in {str(folder)!r} must hold pictures only, got the folder "
                f"{inner[0].name!r}: give the folder whose sub-folders are the classes"
            )
        files = visible(path, folders=False)
        if not files:
            raise InputError(
                f"class {path.name!r} in {str(folder)!r} holds no picture: add some or remove the sub-folder"
            )
        check_memory(folder, (len(images) + len(files)) * IMAGE_SIZE * IMAGE_SIZE, memory_limit)
        images += [
            to_digit(image_to_grayscale(open_upright(file, file, memory_limit)), repr(str(file))) for file in files
        ]
        labels += [names.index(path.name)] * len(files)
    return Raw(np.stack(images), np.array(labels, np.int64), names)


def to_digit(grey: NDArray[np.float64], name: str) -> NDArray[np.uint8]:
    """Return brightness (height, width) as uint8, shape (28, 28), high = ink; `name` is for messages.

    Examples
    --------
    >>> to_digit(np.ones((50, 40)), "a sheet of paper")
    Traceback (most recent call last):
    ...
    inksight.errors.InputError: a sheet of paper is blank: take it out, or give a picture of one digit
    """
    found = prepare_grayscale(grey)
    if found.problem:
        what = {"blank": "is blank", "faint": "has ink too faint to tell", "small": "has a digit of a few pixels only"}
        raise InputError(f"{name} {what[found.problem]}: take it out, or give a picture of one digit")
    return found.image
