"""Sample weights: how much the loss of each training image counts."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check
from inksight.data.loading import DataLike, as_dataset, as_splits
from inksight.data.splits import Rows, Splits
from inksight.errors import InputError

SMALLEST = 1e-12  # of the largest weight; smaller ones, whose sum over a batch could be 0 in float32, are taken as 0


def weighted_splits(data: DataLike, sample_weight: ArrayLike | None) -> tuple[Splits, NDArray[np.float32] | None]:
    """Return the splits of the data, without training images of weight 0, and the weights of the training images.

    Parameters
    ----------
    data : Dataset, Splits, str or path-like
    sample_weight : (n,) float, optional
        0 or more: one for each image, in the order before the data is split, or one for each training image of
        `Splits`.

    Returns
    -------
    splits : Splits
    weights : (training images,) float32, or None
        Above 0, with a mean of 1.

    Raises
    ------
    InputError
        If the weights have another shape or number, one is negative or not finite, or all are 0.

    Examples
    --------
    >>> from inksight import Dataset
    >>> data = Dataset(np.zeros((4, 28, 28), np.uint8), np.arange(4))
    >>> splits, weights = weighted_splits(Splits(data), [0, 1, 2, 3])
    >>> splits.train.labels, weights
    (array([1, 2, 3]), array([0.5, 1. , 1.5], dtype=float32))
    """
    if sample_weight is None:
        return as_splits(data), None
    rows: Rows
    if isinstance(data, Splits):
        splits, count, rows = data, len(data.train), slice(None)
    else:
        whole = as_dataset(data, "all")
        splits, count, rows = whole.split(), len(whole), whole.split_rows()[0]
    weights = _checked(sample_weight, count)[rows]
    largest = float(weights.max(initial=0))
    if not largest:
        raise InputError("sample_weight must not be zero for all training images: leave it out to weight them equally")
    used = weights >= SMALLEST * largest
    shares = weights[used] / largest  # their sum is finite
    return replace(splits, train=splits.train[used]), (shares / shares.mean()).astype(np.float32)


def _checked(sample_weight: ArrayLike, count: int) -> NDArray[np.float64]:
    """Return sample weights as an array after checking them."""
    try:
        given = np.asarray(sample_weight)
        weights = given.astype(np.float64) if given.dtype.kind in "buifO" else None
    except (TypeError, ValueError):
        weights = None
    if weights is None:
        got = type(sample_weight).__name__
        raise InputError(
            f"sample_weight must be numbers of 0 or more, one for each of {count:,} images, got {got}: give an array"
        )
    allowed = f"({count},), one for each image; with Splits, for each training image"
    check(weights.shape == (count,), "shape of sample_weight", weights.shape, allowed)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        got = f"{weights[wrong[0]]:g} for image {wrong[0]}"
        raise InputError(f"sample_weight must be finite numbers of 0 or more, got {got}: correct it, or give 0")
    return weights
