"""Logistic regression: against scikit-learn, and on separable and constant data."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from inksight.nn.logistic import RIDGE, fit_logistic


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_weights_agree_with_scikit_learn(share, rng):
    positive = rng.random(600) < share
    x = rng.normal(size=(600, 4)) @ rng.normal(size=(4, 4)) + positive[:, None]
    weights = fit_logistic(x, positive)
    # scikit-learn sums over rows and scales the loss by C; with balanced classes all weights sum to 600.
    reference = LogisticRegression(C=1 / (RIDGE * 600), class_weight="balanced", tol=1e-10, max_iter=10_000)
    reference.fit(x, positive)
    np.testing.assert_allclose(weights, np.r_[reference.coef_[0], reference.intercept_], rtol=1e-4, atol=1e-5)


def test_linearly_separable_classes_give_finite_weights(rng):
    x = np.r_[rng.uniform(0, 1, (50, 2)), rng.uniform(2, 3, (50, 2))]
    positive = np.arange(100) >= 50
    weights = fit_logistic(x, positive)
    assert np.isfinite(weights).all()
    assert ((x @ weights[:-1] + weights[-1] > 0) == positive).all()


def test_constant_feature_gives_finite_weights(rng):
    positive = rng.random(200) < 0.5
    x = np.c_[rng.normal(size=200) + positive, np.full(200, 3.0)]
    assert np.isfinite(fit_logistic(x, positive)).all()
