"""`Raw`: the arrays that every reader returns, before `Dataset` validates them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight.config import DIGITS, IMAGE_SIZE
from inksight.errors import InputError

_BLOCK = 1024  # images that are converted at once, so that temporary arrays stay small


@dataclass(frozen=True, slots=True)
class Raw:
    """Images and labels as read from a source.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, 28, 28)
        High = ink.
    labels : ndarray of int64, shape (n,), or None
        Class of each image; None if the source has no labels.
    class_names : tuple of str
        Name of each class.
    validation_count : int
        Number of images, before those of the test set, that are the validation set of the source.
    test_count : int
        Number of images, at the end, that are the test set of the source.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...] = DIGITS
    validation_count: int = 0
    test_count: int = 0


def join(path: Path, train: Raw, validation: Raw | None = None, test: Raw | None = None) -> Raw:
    """Append the validation set and the test set of a source, if it has them, to its training set.

    `path` is for messages.

    Raises
    ------
    InputError
        If only some of them have labels, or their classes differ.

    Examples
    --------
    >>> unlabeled = Raw(np.zeros((1, 28, 28), np.uint8), None)
    >>> joined = join(Path("digits"), unlabeled, test=unlabeled)
    >>> joined.images.shape, joined.test_count
    ((2, 28, 28), 1)
    """
    parts = {"training": train, "validation": validation, "test": test}
    given = {name: part for name, part in parts.items() if part is not None}
    unlabeled = [name for name, part in given.items() if part.labels is None]
    if unlabeled and len(unlabeled) < len(given):
        raise InputError(
            f"{str(path)!r}: the {unlabeled[0]} images have no labels: add them, or give the path of one file"
        )
    names = train.class_names
    for name, part in given.items():
        if part.class_names != names:
            raise InputError(
                f"{str(path)!r}: the {name} images must have the classes of the training images, "
                f"{', '.join(names)[:100]}, got {', '.join(part.class_names)[:100]}: make the names the same"
            )
    labels = [part.labels for part in given.values() if part.labels is not None]
    return Raw(
        np.concatenate([part.images for part in given.values()]),
        np.concatenate(labels) if labels else None,
        names,
        0 if validation is None else len(validation.images),
        0 if test is None else len(test.images),
    )


def to_images(pixels: NDArray[Any], where: Callable[[int], str]) -> NDArray[np.uint8]:
    """Return images uint8, shape (n, 28, 28), from numbers of any type.

    Parameters
    ----------
    pixels : (n, ...) array with 784 numbers or booleans per image
        Whole numbers from 0 to 255; or numbers from 0 to 1, which are multiplied by 255 unless all are 0 or 1.
    where : callable
        Returns the place of an image, given its position, for messages.

    Raises
    ------
    InputError
        If a value is out of range or not finite, or there are fractions besides values above 1.

    Examples
    --------
    >>> to_images(np.full((1, 784), 0.4), str).max()
    np.uint8(102)
    """
    shape = (-1, IMAGE_SIZE, IMAGE_SIZE)
    if pixels.dtype == np.uint8:
        return pixels.reshape(shape)
    if pixels.dtype == np.bool_:
        return pixels.reshape(shape).astype(np.uint8) * np.uint8(255)
    rows = pixels.reshape(-1, IMAGE_SIZE * IMAGE_SIZE)
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(rows), _BLOCK)]
    for block in blocks:
        _require(block, rows, (rows[block] >= 0) & (rows[block] <= 255), "numbers from 0 to 255", where)  # rejects NaN
    scale = 1
    for block in blocks:
        whole = rows[block] == np.round(rows[block])
        if not whole.all():
            scale = 255
            if rows.max() > 1:
                _require(block, rows, whole, "whole numbers from 0 to 255, or all from 0 to 1", where)
    result = np.empty(rows.shape, np.uint8)
    for block in blocks:
        result[block] = np.round(rows[block] * scale)
    return result.reshape(shape)


def _require(
    block: slice, rows: NDArray[Any], valid: NDArray[np.bool_], allowed: str, where: Callable[[int], str]
) -> None:
    """Raise `InputError` for the first pixel in a block of rows that is not valid."""
    if not valid.all():
        row, column = np.argwhere(~valid)[0]
        got = rows[block][row, column]
        raise InputError(
            f"{where(block.start + int(row))}: pixels must be {allowed}, got {got:g}; correct or convert them"
        )
