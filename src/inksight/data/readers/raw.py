"""`Raw`: the arrays that every reader returns, before `Dataset` validates them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    test_count : int
        Number of images, at the end, that are the test set of the source.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...] = DIGITS
    test_count: int = 0

    @property
    def size(self) -> int:
        """Number of bytes of both arrays."""
        return self.images.nbytes + (0 if self.labels is None else self.labels.nbytes)


def join(train: Raw, test: Raw) -> Raw:
    """Append the test set of a source to its training set.

    Raises
    ------
    InputError
        If only one of them has labels.

    Examples
    --------
    >>> unlabeled = Raw(np.zeros((1, 28, 28), np.uint8), None)
    >>> joined = join(unlabeled, unlabeled)
    >>> joined.images.shape, joined.test_count
    ((2, 28, 28), 1)
    """
    if (train.labels is None) != (test.labels is None):
        part = "training" if train.labels is None else "test"
        raise InputError(f"the {part} images have no labels: add them, or give the path of one file")
    return replace(concatenate([train, test]), test_count=len(test.images))


def concatenate(parts: Sequence[Raw]) -> Raw:
    """Return the images and labels of several files of a source, in order.

    Raises
    ------
    InputError
        If some of them have labels and some have not.
    """
    if len(parts) == 1:
        return parts[0]
    labels = [part.labels for part in parts if part.labels is not None]
    if labels and len(labels) < len(parts):
        raise InputError("some of the files have no labels: add them, or give the path of one file")
    images = np.concatenate([part.images for part in parts])
    return replace(parts[0], images=images, labels=np.concatenate(labels) if labels else None)
