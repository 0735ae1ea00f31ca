"""`Raw`: the arrays that every reader returns, before `Dataset` validates them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight.config import DIGITS
from inksight.errors import InputError


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

    @property
    def size(self) -> int:
        """Number of bytes of both arrays."""
        return self.images.nbytes + (0 if self.labels is None else self.labels.nbytes)


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
    return replace(
        concatenate(path, list(given.values())),
        validation_count=0 if validation is None else len(validation.images),
        test_count=0 if test is None else len(test.images),
    )


def concatenate(path: Path, parts: Sequence[Raw]) -> Raw:
    """Return the images and labels of several files of a source, in order; `path` is for messages.

    Raises
    ------
    InputError
        If some of them have labels and some have not.
    """
    if len(parts) == 1:
        return parts[0]
    labels = [part.labels for part in parts if part.labels is not None]
    if labels and len(labels) < len(parts):
        raise InputError(f"{str(path)!r}: some of the files have no labels: add them, or give the path of one file")
    images = np.concatenate([part.images for part in parts])
    return replace(parts[0], images=images, labels=np.concatenate(labels) if labels else None)
