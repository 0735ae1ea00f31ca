"""Scraps: what is cut and put together wrongly, in the form that digits have."""

import numpy as np
import pytest
from scipy import ndimage

from inksight.augmentation import synthetic_negatives as module
from inksight.augmentation.synthetic_negatives import synthetic_negatives


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.images[:960]


def only(kind, images, monkeypatch):
    monkeypatch.setattr(module, "SHARES", tuple(float(kind == one) for one in module.KINDS))
    return synthetic_negatives(images, np.random.default_rng(1))


def columns(image):
    return np.flatnonzero(image.max(axis=0) > 80)


def test_they_are_images_placed_as_digits_are_and_the_same_again(images):
    found = synthetic_negatives(images, np.random.default_rng(0))
    assert found.dtype == np.uint8
    assert found.shape[1:] == (28, 28)
    assert 0.6 * len(images) < len(found) <= len(images)
    assert (found.max(axis=(1, 2)) == 255).mean() > 0.95
    widths = np.array([np.ptp(columns(one)) + 1 for one in found])
    assert np.quantile(widths, 0.99) <= 24  # a box of 20, and what its edges blur; few digits are wider
    np.testing.assert_array_equal(found, synthetic_negatives(images, np.random.default_rng(0)))


def test_a_pair_is_two_digits_side_by_side(images, monkeypatch):
    found = only("pair", images, monkeypatch)
    assert len(found) == len(images)
    parts = [ndimage.label(one > 60, np.ones((3, 3)))[1] for one in found]
    assert np.mean(np.array(parts) >= 2) > 0.4  # the others touch
    heights = [np.ptp(np.flatnonzero(one.max(axis=1) > 80)) + 1 for one in found]
    assert np.median(heights) < 16  # a digit alone has 20


def test_a_neighbour_adds_ink_on_one_side(images, monkeypatch):
    found = only("neighbour", images, monkeypatch)
    assert 0.3 * len(images) < len(found) <= len(images)


def test_a_part_has_less_ink_than_a_digit(images, monkeypatch):
    found = only("part", images, monkeypatch)
    assert 0.3 * len(images) < len(found) < len(images)
    assert np.median(found.sum(axis=(1, 2))) < 0.8 * np.median(images.astype(np.int64).sum(axis=(1, 2)))


def test_few_images_and_none(images):
    assert len(synthetic_negatives(images[:0], np.random.default_rng(0))) == 0
    assert len(synthetic_negatives(images[:1], np.random.default_rng(0))) <= 1
    assert len(synthetic_negatives(np.zeros((5, 28, 28), np.uint8), np.random.default_rng(0))) <= 5
