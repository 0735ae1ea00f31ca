"""Normalization: the mean and variance of the training pixels."""

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.nn.parameters import NORMALIZATION_PREFIX


def fit_normalization(images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the mean, variance and number of all pixels.

    Parameters
    ----------
    images : (n, 28, 28) uint8

    Returns
    -------
    dict of str to () float32
        By the names of a model's parameters; mean and variance are of pixels scaled to 0..1.

    Raises
    ------
    InputError
        If all pixels have the same value.

    Examples
    --------
    >>> {name: float(value) for name, value in fit_normalization(np.array([[[0, 255]]], np.uint8)).items()}
    {'normalization.mean': 0.5, 'normalization.variance': 0.25, 'normalization.count': 2.0}
    """
    # Summing over 256 counts is exact; summing over millions of pixels is not.
    counts, values = count_values(images), np.arange(256) / 255
    mean = np.average(values, weights=counts)
    variance = np.average((values - mean) ** 2, weights=counts)
    check(bool(variance > 0), "training images", "all of one value", "images with ink on them")
    normalization = {"mean": mean, "variance": variance, "count": images.size}
    return {NORMALIZATION_PREFIX + name: np.asarray(value, np.float32) for name, value in normalization.items()}


def count_values(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the pixels with each value.

    Parameters
    ----------
    images : uint8 array of any shape
        The number of pixels must be even.

    Returns
    -------
    (256,) int64

    Examples
    --------
    >>> count_values(np.array([[[3, 0], [3, 255]]], np.uint8))[[0, 3, 255]]
    array([1, 2, 1])
    """
    # Counting pairs of pixels is faster. Counting in chunks saves memory: `np.bincount` copies its input to int64.
    pairs = images.reshape(-1).view(np.uint16)
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, len(pairs), 1 << 20):
        counts += np.bincount(pairs[start : start + (1 << 20)], minlength=1 << 16)
    pair_counts = counts.reshape(256, 256)
    result: NDArray[np.int64] = pair_counts.sum(axis=0) + pair_counts.sum(axis=1)
    return result
