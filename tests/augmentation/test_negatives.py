"""Synthetic negatives: their kinds, their number and their size."""

import sys

import numpy as np
import pytest
from scipy import ndimage

from inksight.augmentation.negatives import KINDS, synthetic_negatives

MODULE = sys.modules[synthetic_negatives.__module__]  # `import` finds the function of the same name


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.images[:960]


def negatives_of_kind(kind, images, monkeypatch):
    assert kind in KINDS
    monkeypatch.setattr(MODULE, "KIND_PROBABILITIES", tuple(float(kind == other) for other in KINDS))
    return synthetic_negatives(images, np.random.default_rng(1))


def ink_columns(image):
    return np.flatnonzero(image.max(axis=0) > 80)


def test_negatives_have_the_format_of_digits_and_depend_on_the_seed_alone(images):
    negatives = synthetic_negatives(images, np.random.default_rng(0))
    assert negatives.dtype == np.uint8
    assert negatives.shape[1:] == (28, 28)
    assert 0.6 * len(images) < len(negatives) <= len(images)
    assert (negatives.max(axis=(1, 2)) == 255).mean() > 0.95
    widths = np.array([np.ptp(ink_columns(image)) + 1 for image in negatives])
    assert np.quantile(widths, 0.99) <= 24  # the box of 20 and its blurred edges; few digits are wider
    np.testing.assert_array_equal(negatives, synthetic_negatives(images, np.random.default_rng(0)))


def test_pair_is_two_digits_next_to_each_other(images, monkeypatch):
    pairs = negatives_of_kind("pair", images, monkeypatch)
    assert len(pairs) == len(images)
    components = [ndimage.label(image > 60, np.ones((3, 3)))[1] for image in pairs]
    assert np.mean(np.array(components) >= 2) > 0.4  # in the others, the digits touch
    heights = [np.ptp(np.flatnonzero(image.max(axis=1) > 80)) + 1 for image in pairs]
    assert np.median(heights) < 16  # a single digit has 20


def test_some_digits_with_part_of_a_neighbour_are_left_out(images, monkeypatch):
    negatives = negatives_of_kind("neighbour", images, monkeypatch)
    assert 0.3 * len(images) < len(negatives) <= len(images)


def test_fragment_has_less_ink_than_a_digit(images, monkeypatch):
    fragments = negatives_of_kind("fragment", images, monkeypatch)
    assert 0.3 * len(images) < len(fragments) < len(images)
    assert np.median(fragments.sum(axis=(1, 2))) < 0.8 * np.median(images.astype(np.int64).sum(axis=(1, 2)))


def test_few_images_none_and_blank_ones(images):
    assert len(synthetic_negatives(images[:0], np.random.default_rng(0))) == 0
    assert len(synthetic_negatives(images[:1], np.random.default_rng(0))) <= 1
    assert len(synthetic_negatives(np.zeros((5, 28, 28), np.uint8), np.random.default_rng(0))) <= 5
