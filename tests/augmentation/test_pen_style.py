"""Digits drawn again: which, how far, and that nothing but seed and pass decide it."""

import numpy as np
import pytest

from inksight.augmentation.pen_style import restyle
from inksight.config import Augmentation


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist[:600]


def test_the_share_asked_for_is_drawn_again(digits):
    for share in (0.1, 0.5, 1.0):
        again = restyle(digits.images, digits.labels, share, seed=0, number=0)
        changed = (again != digits.images).any(axis=(1, 2)).mean()
        assert abs(changed - share) < 0.07


def test_only_seed_and_pass_decide(digits):
    first = restyle(digits.images, digits.labels, 0.5, seed=3, number=4)
    np.testing.assert_array_equal(first, restyle(digits.images, digits.labels, 0.5, seed=3, number=4))
    for seed, number in ((3, 5), (4, 4)):
        assert (first != restyle(digits.images, digits.labels, 0.5, seed=seed, number=number)).any()


def test_images_handed_in_stay_as_they_are(digits):
    before = digits.images.copy()
    restyle(digits.images, digits.labels, 1.0, seed=0, number=0)
    np.testing.assert_array_equal(digits.images, before)


def test_a_digit_stays_where_it_was_and_keeps_most_of_its_ink(digits):
    """Measured on what habits leave alone: the place of the ink's middle, and its overlap with the ink of before."""
    again = restyle(digits.images, None, 1.0, seed=0, number=0).astype(np.float64)
    before = digits.images.astype(np.float64)
    rows = np.arange(28)
    for images in (again, before):
        assert (images.sum(axis=(1, 2)) > 0).all()
    middle = [(x.sum(axis=2) * rows).sum(axis=1) / x.sum(axis=(1, 2)) for x in (again, before)]
    assert np.abs(middle[0] - middle[1]).mean() < 0.6
    overlap = (np.minimum(again, before)).sum(axis=(1, 2)) / before.sum(axis=(1, 2))
    assert np.median(overlap) > 0.5


def test_strokes_get_thicker_and_thinner(digits):
    again = restyle(digits.images, None, 1.0, seed=0, number=0)
    ratio = (again > 127).sum(axis=(1, 2)) / (digits.images > 127).sum(axis=(1, 2))
    assert (ratio < 0.9).mean() > 0.05
    assert (ratio > 1.5).mean() > 0.2


def test_an_image_without_ink_has_none_afterwards():
    nothing = np.zeros((70, 28, 28), np.uint8)
    labels = np.arange(70) % 10
    assert restyle(nothing, None, 1.0, seed=0, number=0).max() == 0
    assert restyle(nothing, labels, 1.0, seed=0, number=0).shape == nothing.shape


def test_pens_do_not_taper():
    half = Augmentation(rotation=10, aspect=0.4, pen_style=0.3).scaled(0.5)
    assert half == Augmentation(rotation=5, aspect=0.2, pen_style=0.3)
