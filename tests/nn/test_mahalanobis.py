"""Clouds: distances against SciPy's, and what they refuse."""

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
    mixed = rng.normal(size=(4, 4))
    return (rng.normal(size=(500, 4)) @ mixed + 3 * labels[:, None]).astype(np.float32), labels


def test_distances_are_mahalanobis_to_the_nearest_mean(points):
    x, labels = points
    clouds = MahalanobisDetector.fit(x, labels, 3)
    means = np.stack([x[labels == k].mean(axis=0) for k in range(3)])
    covariance = np.cov((x - means[labels]).T, bias=True)
    covariance += RIDGE * np.trace(covariance) / 4 * np.eye(4)
    expected = cdist(x, means, "mahalanobis", VI=np.linalg.inv(covariance)).min(axis=1) ** 2 / 4
    np.testing.assert_allclose(clouds.distances(x), expected, rtol=1e-3, atol=1e-4)
    assert clouds.distances(x).mean() == pytest.approx(1, abs=0.15)


def test_a_feature_that_never_varies_is_no_harm(points):
    x, labels = points
    clouds = MahalanobisDetector.fit(np.c_[x, np.ones(len(x))], labels, 3)
    assert np.isfinite(clouds.distances(np.c_[x, np.ones(len(x))])).all()


@pytest.mark.parametrize(
    "change",
    [
        {"whitening": np.eye(3, dtype=np.float32)},
        {"centres": np.full((3, 4), np.nan, np.float32)},
        {"centres": np.zeros((3, 4))},
        {"limit": float("nan")},
        {"scraps": np.zeros(4, np.float32)},
        {"scraps": np.zeros(8)},
    ],
)
def test_what_does_not_fit_is_refused(points, change):
    with pytest.raises(InputError):
        replace(MahalanobisDetector.fit(*points, 3), **change)


def test_scraps_have_higher_odds_than_digits(points, rng):
    x, labels = points
    likely = np.eye(3, dtype=np.float32)[labels] * 0.9 + 0.1 / 3
    clouds = MahalanobisDetector.fit(x, labels, 3)
    assert clouds.negative_log_odds(x, likely).tolist() == [0.0] * 500  # nothing learnt yet
    scraps = rng.uniform(-5, 15, (200, 4)).astype(np.float32), rng.dirichlet(np.ones(3), 200).astype(np.float32)
    clouds = clouds.with_negatives((x, likely), scraps)
    odds, others = clouds.negative_log_odds(x, likely), clouds.negative_log_odds(*scraps)
    assert (odds < 0).mean() > 0.9
    assert (others > 0).mean() > 0.8
    assert clouds.negative_log_odds(x[:1], np.zeros((1, 3), np.float32)).shape == (1,)
