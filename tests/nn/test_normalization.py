"""Normalization of the training images."""

import math

import numpy as np
import pytest

from inksight import InputError
from inksight.nn.normalization import Normalization, moments


def test_normalization_is_that_of_the_training_images(digits, model):
    pixels = digits.train.images / 255
    assert model.normalization.mean == pytest.approx(pixels.mean(), rel=1e-5)
    assert model.normalization.variance == pytest.approx(pixels.var(), rel=1e-5)
    assert model.normalization.count == pixels.size


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"variance": 0}, "normalization.variance must be above 0, got 0.0"),
        ({"variance": 1e-60}, "normalization.variance must be above 0, got 0.0"),  # 0 in single precision
        ({"mean": math.nan}, "normalization.mean must be a finite number, got nan"),
        ({"count": -1}, "normalization.count must be 0 or more, got -1.0"),
        ({"mean": "0"}, "normalization.mean must be a finite number, got '0'"),
    ],
)
def test_wrong_values_raise_errors(values, words):
    with pytest.raises(InputError, match=words):
        Normalization(**values)


def test_arrays_round_trip():
    normalization = Normalization(0.1307, 0.0949, 47_040_000)
    assert Normalization.from_arrays(normalization.arrays) == normalization
    assert normalization.mean == np.float32(0.1307)


@pytest.mark.parametrize("wrong", [None, np.zeros(1, np.float32), np.zeros((), np.float64)])
def test_missing_and_wrong_arrays_raise_errors(wrong):
    arrays = Normalization().arrays | {"normalization.count": wrong}
    with pytest.raises(InputError, match=r"normalization\.count must be a single float32"):
        Normalization.from_arrays(arrays)


@pytest.mark.parametrize("images", [3001, 1])  # many blocks, of which the last is not full, and less than one
def test_sums_over_all_pixels_are_exact(images, rng):
    pixels = rng.integers(0, 256, (images, 28, 28)).astype(np.uint8)
    wide = pixels.astype(np.int64)
    assert moments(pixels) == (wide.sum(), (wide**2).sum())


def test_sums_over_the_brightest_pixels_do_not_overflow():
    assert moments(np.full((200, 28, 28), 255, np.uint8)) == (200 * 784 * 255, 200 * 784 * 255**2)


def test_the_variance_of_nearly_equal_pixels_is_exact():
    images = np.full((1000, 28, 28), 255, np.uint8)
    images[0, 0, 0] = 254
    n = images.size
    assert Normalization.fit(images).variance == np.float32((1 / n - 1 / n**2) / 255**2)
