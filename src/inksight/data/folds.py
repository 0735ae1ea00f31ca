"""Which images are judged together in a cross-validation, and trained on together otherwise: row numbers only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TIME = 2_000_000  # images trained on, each pass counted, all networks together: about a minute on two cores
ENOUGH = 5  # epochs: where time is short, longer trainings do more than more folds


def plan_cross_validation(images: int, beside: int, passes: int, choice: Sequence[int]) -> tuple[int, int]:
    """Return how many folds to make, and how many epochs of each training there is time for.

    Parameters
    ----------
    images : int
        Judged, in turns.
    beside : int
        Trained on by all networks.
    passes : int
        Over the images, in an epoch of all repeats together.
    choice : sequence of int
        Numbers of folds to choose from.

    Examples
    --------
    >>> plan_cross_validation(10_000, 0, 3, [2, 5]), plan_cross_validation(10_000, 60_000, 3, [2, 5]), plan_cross_validation(70_000, 0, 3, [2, 5])
    ((5, 16), (2, 5), (2, 9))
    """
    epochs = {n: max(TIME // max(passes * (images * (n - 1) + beside * n), 1), 1) for n in choice}
    folds = max((n for n in choice if epochs[n] >= ENOUGH), default=min(choice))
    return folds, epochs[folds]


def stratified_folds(labels: NDArray[np.int64], folds: int, seed: int | Sequence[int]) -> NDArray[np.int64]:
    """Return a random fold for each image, 0 to ``folds - 1``; folds differ by one image at most, in each class too.

    Parameters
    ----------
    labels : (n,) int64
    folds : int
    seed : int, or sequence of int
        As `numpy.random.default_rng` takes it.

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
    """Return for each image (n, 28, 28) the first row with the very same pixels: its own, for most.

    Who judges an image must not have learned from its twin.

    Examples
    --------
    >>> first_duplicates(np.array([[[1]], [[2]], [[1]]], np.uint8))
    array([0, 1, 0])
    """
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(image.tobytes(), row) for row, image in enumerate(images)], np.int64)
