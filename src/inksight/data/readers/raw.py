"""What every reader hands back: arrays as the source holds them, before `Dataset` checks them."""

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
        Class of each image; None when the source holds no labels.
    class_names : tuple of str
        Name of each class.
    test_count : int
        How many of the last images are the source's own test set.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...] = DIGITS
    test_count: int = 0


def join(train: Raw, test: Raw) -> Raw:
    """Put a source's own test set behind its training set.

    Raises
    ------
    InputError
        If one has labels and the other has none.

    Examples
    --------
    >>> one = Raw(np.zeros((1, 28, 28), np.uint8), None)
    >>> both = join(one, one)
    >>> both.images.shape, both.test_count
    ((2, 28, 28), 1)
    """
    images = np.concatenate([train.images, test.images])
    if train.labels is None and test.labels is None:
        return replace(train, images=images, test_count=len(test.images))
    if train.labels is None or test.labels is None:
        side = "training" if train.labels is None else "test"
        raise InputError(f"the {side} images have no labels: both sets need them, or give one file by its path")
    labels = np.concatenate([train.labels, test.labels])
    return replace(train, images=images, labels=labels, test_count=len(test.images))
