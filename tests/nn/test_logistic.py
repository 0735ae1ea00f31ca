"""Logistic regression against scikit-learn's, and on kinds that a line parts."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from inksight.nn.logistic import RIDGE, fit_logistic


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_weights_are_scikit_learns(share, rng):
    other = rng.random(600) < share
    x = rng.normal(size=(600, 4)) @ rng.normal(size=(4, 4)) + other[:, None]
    weights = fit_logistic(x, other)
    # It adds up the rows, weighted here to count as one each kind, and half of the squared weights by C.
    theirs = LogisticRegression(C=1 / (RIDGE * 600), class_weight="balanced", tol=1e-10, max_iter=10_000)
    theirs.fit(x, other)
    np.testing.assert_allclose(weights, np.r_[theirs.coef_[0], theirs.intercept_], rtol=1e-4, atol=1e-5)


def test_kinds_that_a_line_parts_have_finite_weights(rng):
    x = np.r_[rng.uniform(0, 1, (50, 2)), rng.uniform(2, 3, (50, 2))]
    other = np.arange(100) >= 50
    weights = fit_logistic(x, other)
    assert np.isfinite(weights).all()
    assert ((x @ weights[:-1] + weights[-1] > 0) == other).all()


def test_a_feature_that_never_varies_is_no_harm(rng):
    other = rng.random(200) < 0.5
    x = np.c_[rng.normal(size=200) + other, np.full(200, 3.0)]
    assert np.isfinite(fit_logistic(x, other)).all()
