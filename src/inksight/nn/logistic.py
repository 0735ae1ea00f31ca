"""Logistic regression: which of two kinds, by a weighted sum."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

RIDGE = 1e-4  # of the squared weights, times the number of rows, added to what is made small
STEPS = 15  # of Newton's method; it doubles the right digits with each


def fit_logistic(features: ArrayLike, other: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return weights whose sum over a row's features is the logarithm of its odds to be of the other kind.

    Parameters
    ----------
    features : (n, k) float
    other : (n,) bool
        Which rows are of the other kind. The two kinds count alike, however many there are of each.

    Returns
    -------
    (k + 1,) float64
        The last one is the constant.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> other = rng.random(1000) < 0.5
    >>> weights = fit_logistic(rng.normal(2.0 * other, 1)[:, None], other)
    >>> weights.round(1)  # normal, 2 apart: 2 x - 2, but for chance
    array([ 1.9, -1.9])
    """
    x = np.c_[np.asarray(features, np.float64), np.ones(len(other))]
    count = np.where(other, 0.5 / max(other.sum(), 1), 0.5 / max((~other).sum(), 1))
    ridge = RIDGE * np.eye(x.shape[1])
    ridge[-1, -1] = 0
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (count * (chance - other)) + ridge @ weights
        curve = (x.T * (count * chance * (1 - chance))) @ x + ridge
        weights = weights - np.linalg.solve(curve + 1e-9 * np.eye(len(curve)), slope)
    return weights
