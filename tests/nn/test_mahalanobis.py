"""`MahalanobisDetector`: distances against SciPy, validation, and the log-odds of negatives."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from inksight.errors import InputError
from inksight.nn.mahalanobis import RIDGE, MahalanobisDetector


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 500)
    mixing = rng.normal(size=(4, 4))
    return (rng.normal(size=(500, 4)) @ mixing + 3 * labels[:, None]).astype(np.float32), labels


def test_distance_is_the_mahalanobis_distance_to_the_nearest_mean(points):
    x, labels = points
    detector = MahalanobisDetector.fit(x, labels, 3)
    means = np.stack([x[labels == k].mean(axis=0) for k in range(3)])
    covariance = np.cov((x - means[labels]).T, bias=True)
    covariance += RIDGE * np.trace(covariance) / 4 * np.eye(4)
    expected = cdist(x, means, "mahalanobis", VI=np.linalg.inv(covariance)).min(axis=1) ** 2 / 4
    np.testing.assert_allclose(detector.distances(x), expected, rtol=1e-3, atol=1e-4)
    assert detector.distances(x).mean() == pytest.approx(1, abs=0.15)


def test_constant_feature_gives_finite_distances(points):
    x, labels = points
    detector = MahalanobisDetector.fit(np.c_[x, np.ones(len(x))], labels, 3)
    assert np.isfinite(detector.distances(np.c_[x, np.ones(len(x))])).all()


@pytest.mark.parametrize(
    "change",
    [
        {"whitening": np.eye(3, dtype=np.float32)},
        {"means": np.full((3, 4), np.nan, np.float32)},
        {"means": np.zeros((3, 4))},
        {"threshold": float("nan")},
        {"temperature": 0.0},
        {"means": np.zeros((), np.float32)},
        {"negative_weights": np.zeros(4, np.float32)},
        {"negative_weights": np.zeros(8)},
    ],
)
def test_invalid_values_raise_errors(points, change):
    x, labels = points
    with pytest.raises(InputError):
        replace(MahalanobisDetector.fit(x, labels, 3), **change)


def test_negatives_have_higher_log_odds_than_digits(points, rng):
    x, labels = points
    p = np.eye(3, dtype=np.float32)[labels] * 0.9 + 0.1 / 3
    detector = MahalanobisDetector.fit(x, labels, 3)
    assert detector.negative_log_odds(x, p).tolist() == [0.0] * 500  # without `negative_weights`
    negatives = rng.uniform(-5, 15, (200, 4)).astype(np.float32), rng.dirichlet(np.ones(3), 200).astype(np.float32)
    detector = detector.with_negatives((x, p), negatives)
    assert (detector.negative_log_odds(x, p) < 0).mean() > 0.9
    assert (detector.negative_log_odds(*negatives) > 0).mean() > 0.8
    assert detector.negative_log_odds(x[:1], np.zeros((1, 3), np.float32)).shape == (1,)
