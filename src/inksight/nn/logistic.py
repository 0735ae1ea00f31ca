"""Binary logistic regression."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

RIDGE = 1e-4  # weight of the L2 penalty
STEPS = 15  # of Newton's method, which converges quadratically


def fit_logistic(features: ArrayLike, positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fit the weights of a logistic regression with an L2 penalty by Newton's method.

    The log-odds that a row is positive are ``features @ weights[:-1] + weights[-1]``.

    Parameters
    ----------
    features : (n, k) float
    positive : (n,) bool
        The class of each row. The two classes have equal weight in the loss, whatever their sizes.

    Returns
    -------
    (k + 1,) float64
        The last one is the intercept, which the penalty leaves out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> positive = rng.random(1000) < 0.5
    >>> weights = fit_logistic(rng.normal(2.0 * positive, 1)[:, None], positive)
    >>> weights.round(1)  # normal distributions with means 0 and 2: log-odds 2 x - 2, but for sampling noise
    array([ 1.9, -1.9])
    """
    x = np.c_[np.asarray(features, np.float64), np.ones(len(positive))]
    row_weights = np.where(positive, 0.5 / max(positive.sum(), 1), 0.5 / max((~positive).sum(), 1))
    ridge = RIDGE * np.eye(x.shape[1])
    ridge[-1, -1] = 0
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (row_weights * (p - positive)) + ridge @ weights
        hessian = (x.T * (row_weights * p * (1 - p))) @ x + ridge
        weights = weights - np.linalg.solve(hessian + 1e-9 * np.eye(len(hessian)), gradient)
    return weights
