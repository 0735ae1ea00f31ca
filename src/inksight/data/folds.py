"""Folds of a cross-validation: their number, the assignment of images to them, and duplicate images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IMAGE_BUDGET = 2_000_000  # images times passes, of all trainings together
MIN_EPOCHS = 5  # epochs: with less time per training, longer trainings help more than more folds


def plan_cross_validation(images: int, extra_images: int, passes: int, fold_choices: Sequence[int]) -> tuple[int, int]:
    """Return the number of folds, and the number of epochs per training that the budget allows.

    Parameters
    ----------
    images : int
        Number of images that are divided into folds.
    extra_images : int
        Number of images that every network is trained on in addition.
    passes : int
        Passes over the training images per epoch, of all repeats together.
    fold_choices : sequence of int
        Numbers of folds to choose from.

    Examples
    --------
    >>> plan_cross_validation(10_000, 0, 3, [2, 5]), plan_cross_validation(10_000, 60_000, 3, [2, 5])
    ((5, 16), (2, 5))
    >>> plan_cross_validation(70_000, 0, 3, [2, 5])
    (2, 9)
    """
    epochs = {n: max(IMAGE_BUDGET // max(passes * (images * (n - 1) + extra_images * n), 1), 1) for n in fold_choices}
    folds = max((n for n in fold_choices if epochs[n] >= MIN_EPOCHS), default=min(fold_choices))
    return folds, epochs[folds]


def stratified_folds(labels: NDArray[np.int64], folds: int, seed: int | Sequence[int]) -> NDArray[np.int64]:
    """Return a random fold, 0 to ``folds - 1``, for each image.

    The sizes of the folds differ by at most one image, in total and in each class.

    Parameters
    ----------
    labels : (n,) int64
    folds : int
    seed : int, or sequence of int
        Seed for `numpy.random.default_rng`.

    Examples
    --------
    >>> fold = stratified_folds(np.array([0, 0, 0, 1, 1, 1]), 3, seed=0)
    >>> sorted(fold[:3]) == sorted(fold[3:]) == [0, 1, 2]
    True
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def first_duplicates(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return for each image (n, 28, 28) the index of the first image with identical pixels, which may be its own.

    Duplicates must share a fold: a network must not be evaluated on an image that it was trained on.

    Examples
    --------
    >>> first_duplicates(np.array([[[1]], [[2]], [[1]]], np.uint8))
    array([0, 1, 0])
    """
    first_rows: dict[bytes, int] = {}
    return np.array([first_rows.setdefault(image.tobytes(), row) for row, image in enumerate(images)], np.int64)
