"""Normalization of the training images."""

import numpy as np
import pytest

from inksight.nn.normalization import count_values


def test_normalization_is_that_of_the_training_images(digits, model):
    pixels = digits.train.images / 255
    assert model.params["normalization.mean"] == pytest.approx(pixels.mean(), rel=1e-5)
    assert model.params["normalization.variance"] == pytest.approx(pixels.var(), rel=1e-5)
    assert model.params["normalization.count"] == pixels.size


def test_value_counts_agree_with_numpy(rng):
    images = rng.integers(0, 256, (3001, 28, 28)).astype(np.uint8)  # more than one chunk
    np.testing.assert_array_equal(count_values(images), np.bincount(images.ravel(), minlength=256))
