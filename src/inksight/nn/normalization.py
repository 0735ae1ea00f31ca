"""Mean and variance of the training images, by which every image is brought to the same scale."""

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.nn.parameters import NORMALIZATION


def measure(images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the normalisation, by its names in a model, of all pixels of images (n, 28, 28), scaled to 0..1.

    Raises
    ------
    InputError
        If all pixels have one value.

    Examples
    --------
    >>> {name: float(value) for name, value in measure(np.array([[[0, 255]]], np.uint8)).items()}
    {'normalization.mean': 0.5, 'normalization.variance': 0.25, 'normalization.count': 2.0}
    """
    # A sum over 256 counts is exact.
    counts, values = count_values(images), np.arange(256) / 255
    mean = np.average(values, weights=counts)
    variance = np.average((values - mean) ** 2, weights=counts)
    check(bool(variance > 0), "training images", "all of one value", "images with ink on them")
    normalization = {"mean": mean, "variance": variance, "count": images.size}
    return {NORMALIZATION + name: np.asarray(value, np.float32) for name, value in normalization.items()}


def count_values(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many pixels, of which there is an even number, have each value 0..255.

    Examples
    --------
    >>> count_values(np.array([[[3, 0], [3, 255]]], np.uint8))[[0, 3, 255]]
    array([1, 2, 1])
    """
    # Two pixels at a time; and part by part, because `np.bincount` first makes eight bytes of every number.
    pairs = images.reshape(-1).view(np.uint16)
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, len(pairs), 1 << 20):
        counts += np.bincount(pairs[start : start + (1 << 20)], minlength=1 << 16)
    both = counts.reshape(256, 256)
    result: NDArray[np.int64] = both.sum(axis=0) + both.sum(axis=1)
    return result
