"""Eleven ways to change a digit, five strengths each: what they do, and what they leave alone."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from inksight import InputError
from inksight.augmentation.corruptions import CORRUPTIONS, SEVERITIES, SPACING, corrupt

# The strength, in its unit, at which each changes nothing.
NEUTRAL = dict.fromkeys(CORRUPTIONS, 0.0) | {"scale": 1.0, "low resolution": 28.0, "contrast": 1.0, "occlusion": -1.0}
EVERY = pytest.mark.parametrize("name", CORRUPTIONS)


@pytest.fixture(scope="module")
def some(mnist):
    return mnist.images[:200]


def test_there_are_eleven_ways_and_five_strengths():
    assert len(CORRUPTIONS) == 11
    assert all(len(one.strengths) == SEVERITIES == 5 for one in CORRUPTIONS.values())


@EVERY
def test_strength_0_changes_nothing(name, some):
    np.testing.assert_array_equal(corrupt(some, name, 0), some)
    ink = (some / 255).astype(np.float32)
    made = CORRUPTIONS[name].make(ink, NEUTRAL[name], np.random.default_rng(0))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, ink, atol=1e-6)


@EVERY
def test_each_strength_does_more_than_the_one_before(name, some):
    ink = some.astype(float)
    far = [np.abs(corrupt(some, name, strength) - ink).mean() for strength in range(SEVERITIES + 1)]
    assert far == sorted(set(far))
    assert far[1] > 0.5  # of 255


@EVERY
@given(seed=st.integers(0, 9))
@settings(max_examples=5, deadline=None)
def test_what_is_random_depends_on_seed_and_row_alone(name, seed, some):
    once = corrupt(some, name, 4, seed=seed)
    assert once.dtype == np.uint8
    assert once.shape == some.shape
    np.testing.assert_array_equal(corrupt(some, name, 4, seed=seed), once)
    np.testing.assert_array_equal(corrupt(some / 255, name, 4, seed=seed), once)
    if name not in ("blur", "low resolution", "contrast"):
        assert (corrupt(some, name, 4, seed=seed + 1) != once).any()


@EVERY
def test_one_image_none_and_blank_ones(name):
    assert corrupt(np.zeros((28, 28), np.uint8), name, 5).shape == (1, 28, 28)
    assert corrupt(np.zeros((0, 28, 28), np.uint8), name, 5).shape == (0, 28, 28)
    marks = corrupt(np.zeros((50, 28, 28), np.uint8), name, 5).any()
    assert marks == (name in ("noise", "contrast", "lined paper"))  # the others make no ink


def bar():
    """A bar of 16x2 pixels, upright, in the middle, a hundred times."""
    image = np.zeros((28, 28), np.uint8)
    image[6:22, 13:15] = 255
    return np.repeat(image[None], 100, axis=0)


def slope(image):
    """Tangent of the angle between an image's ink and the upright, from its second moments."""
    rows, columns = np.indices((28, 28)) - 13.5
    return (image * rows * columns).sum() / (image * rows * rows).sum()


def test_rotation_turns_by_its_degrees_both_ways():
    for strength, degrees in zip((1, 3), (10, 30), strict=True):
        turned = corrupt(bar(), "rotation", strength)
        angles = np.degrees(np.arctan([slope(image.astype(float)) for image in turned]))
        assert np.abs(np.abs(angles) - degrees).max() < 1
        assert 20 < (angles > 0).sum() < 80


def test_shear_moves_rows_by_a_share_of_their_distance():
    slopes = np.array([slope(image.astype(float)) for image in corrupt(bar(), "shear", 2)])
    assert np.abs(np.abs(slopes) - 0.35).max() < 0.02
    assert 20 < (slopes > 0).sum() < 80


def test_shift_moves_the_centre_of_mass_so_far_in_all_directions():
    moved = corrupt(bar(), "shift", 3)
    ways = np.array([ndimage.center_of_mass(image) for image in moved]) - 13.5
    np.testing.assert_allclose(np.hypot(*ways.T), 3, atol=0.05)
    assert (np.abs(ways.mean(axis=0)) < 1).all()


def test_scale_is_a_factor_of_length():
    wide = np.zeros((100, 28, 28), np.uint8)
    wide[:, 6:22, 10:18] = 255
    heights = corrupt(wide, "scale", 5).max(axis=2).sum(axis=1) / 255
    larger = heights > 16
    assert 20 < larger.sum() < 80
    np.testing.assert_allclose(heights[larger], 16 * 1.5, atol=0.5)
    np.testing.assert_allclose(heights[~larger], 16 / 1.5, atol=0.5)


def test_thickness_grows_and_shrinks_strokes_but_loses_none(some):
    wide = np.zeros((100, 28, 28), np.uint8)
    wide[:, 6:22, 10:18] = 255
    widths = np.array([image[14].sum() / 255 for image in corrupt(wide, "thickness", 2)])
    np.testing.assert_allclose(np.unique(widths.round(1)), [8 - 1.2, 8 + 1.2])
    thinnest = corrupt(bar(), "thickness", 5).max(axis=2)[:, 8:20]
    assert thinnest.min() > 200, "a stroke must stay in one piece"


def test_blur_and_low_resolution_keep_the_ink(some):
    for name in ("blur", "low resolution"):
        ratio = corrupt(some, name, 3).sum(axis=(1, 2)) / some.sum(axis=(1, 2))
        np.testing.assert_allclose(ratio, 1, atol=0.05)
    assert CORRUPTIONS["low resolution"].strengths[-1] == 7
    rank = np.linalg.matrix_rank(corrupt(some, "low resolution", 5)[0].astype(float), tol=20)
    assert rank <= 7


def test_contrast_and_noise_by_numbers():
    halves = np.zeros((1, 28, 28), np.uint8)
    halves[:, :, :14] = 255
    grey = corrupt(halves, "contrast", 3)  # 0.4 is left
    assert np.abs(np.unique(grey) - np.array([0.3 * 255, 0.7 * 255])).max() <= 0.5
    ink = np.full((400, 28, 28), 0.5, np.float32)
    noise = CORRUPTIONS["noise"].make(ink, 0.2, np.random.default_rng(0)) - ink
    assert noise.std() == pytest.approx(0.2, rel=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.002)


def test_occlusion_takes_a_square_of_ink():
    full = np.full((100, 28, 28), 255, np.uint8)
    for strength, side in zip((1, 3), (2, 5), strict=True):
        gone = (255 - corrupt(full, "occlusion", strength).astype(int)) / 255
        inside = gone.sum(axis=(1, 2)) > side * side * 0.99
        assert inside.mean() > 0.5  # the others are cut off by the edge
        # An even side has its middle on a pixel: half of what it covers on either side.
        np.testing.assert_allclose(gone[inside].max(axis=1).sum(axis=1), side, atol=0.01)
    digits = corrupt(bar(), "occlusion", 1)
    assert (digits.sum(axis=(1, 2)) < bar()[0].sum()).all(), "every digit loses something"


def test_lines_stand_apart_and_run_across():
    lined = corrupt(np.zeros((50, 28, 28), np.uint8), "lined paper", 3)
    assert (lined == lined[:, :, :1]).all()
    for image in lined:
        rows = np.flatnonzero(image[:, 0])
        assert (np.diff(rows) == SPACING).all()
        assert set(image[rows, 0]) == {round(0.4 * 255)}
    assert len(np.unique(lined[:, :SPACING, 0], axis=0)) == SPACING


def test_bad_requests_are_named(some):
    with pytest.raises(InputError, match=r"change must be one of rotation, scale, .* got 'colour'"):
        corrupt(some, "colour", 1)
    for strength in (6, -1, 0.5, True):
        with pytest.raises(InputError, match="strength must be 0 to 5"):
            corrupt(some, "blur", strength)
    with pytest.raises(InputError, match="seed must be"):
        corrupt(some, "blur", 1, seed=-1)
    with pytest.raises(InputError, match="shape of images"):
        corrupt(np.zeros((3, 20, 20), np.uint8), "blur", 1)
