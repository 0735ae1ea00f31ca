"""Redrawn digits: how many, how different, and that seed and pass alone decide."""

import numpy as np
import pytest

from inksight.augmentation.pen_style import restyle
from inksight.config import Augmentation


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist[:600]


def test_given_share_of_images_is_redrawn(digits):
    for share in (0.1, 0.5, 1.0):
        redrawn = restyle(digits.images, digits.labels, share, seed=0, pass_number=0)
        changed = (redrawn != digits.images).any(axis=(1, 2)).mean()
        assert abs(changed - share) < 0.07


def test_seed_and_pass_decide(digits):
    first = restyle(digits.images, digits.labels, 0.5, seed=3, pass_number=4)
    np.testing.assert_array_equal(first, restyle(digits.images, digits.labels, 0.5, seed=3, pass_number=4))
    for seed, pass_number in ((3, 5), (4, 4)):
        assert (first != restyle(digits.images, digits.labels, 0.5, seed=seed, pass_number=pass_number)).any()


def test_input_images_do_not_change(digits):
    before = digits.images.copy()
    restyle(digits.images, digits.labels, 1.0, seed=0, pass_number=0)
    np.testing.assert_array_equal(digits.images, before)


def test_digit_keeps_its_position_and_most_of_its_ink(digits):
    """Measured without allographs: the row of the center of mass, and the overlap with the original ink."""
    redrawn = restyle(digits.images, None, 1.0, seed=0, pass_number=0).astype(np.float64)
    original = digits.images.astype(np.float64)
    rows = np.arange(28)
    for images in (redrawn, original):
        assert (images.sum(axis=(1, 2)) > 0).all()
    center = [(x.sum(axis=2) * rows).sum(axis=1) / x.sum(axis=(1, 2)) for x in (redrawn, original)]
    assert np.abs(center[0] - center[1]).mean() < 0.6
    overlap = (np.minimum(redrawn, original)).sum(axis=(1, 2)) / original.sum(axis=(1, 2))
    assert np.median(overlap) > 0.5


def test_some_strokes_get_thicker_and_some_thinner(digits):
    redrawn = restyle(digits.images, None, 1.0, seed=0, pass_number=0)
    ratio = (redrawn > 127).sum(axis=(1, 2)) / (digits.images > 127).sum(axis=(1, 2))
    assert (ratio < 0.9).mean() > 0.05
    assert (ratio > 1.5).mean() > 0.2


def test_blank_image_stays_blank():
    blank = np.zeros((70, 28, 28), np.uint8)
    labels = np.arange(70) % 10
    assert restyle(blank, None, 1.0, seed=0, pass_number=0).max() == 0
    assert restyle(blank, labels, 1.0, seed=0, pass_number=0).shape == blank.shape


def test_pen_style_does_not_taper():
    half = Augmentation(rotation=10, aspect=0.4, pen_style=0.3).scaled(0.5)
    assert half == Augmentation(rotation=5, aspect=0.2, pen_style=0.3)
