"""Eleven corruptions in five severities: what each changes, and what it leaves unchanged."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from inksight import InputError
from inksight.augmentation.corruptions import CORRUPTIONS, SEVERITIES, SPACING, corrupt

# The strength at which each corruption changes nothing.
NEUTRAL = dict.fromkeys(CORRUPTIONS, 0.0) | {"scale": 1.0, "low resolution": 28.0, "contrast": 1.0, "occlusion": -1.0}
EACH_CORRUPTION = pytest.mark.parametrize("name", CORRUPTIONS)


@pytest.fixture(scope="module")
def sample(mnist):
    return mnist.images[:200]


def test_eleven_corruptions_have_five_strengths():
    assert len(CORRUPTIONS) == 11
    assert all(len(corruption.strengths) == SEVERITIES == 5 for corruption in CORRUPTIONS.values())


@EACH_CORRUPTION
def test_strength_0_changes_nothing(name, sample):
    np.testing.assert_array_equal(corrupt(sample, name, 0), sample)
    ink = (sample / 255).astype(np.float32)
    corrupted = CORRUPTIONS[name].apply(ink, NEUTRAL[name], np.random.default_rng(0))
    assert corrupted.dtype == np.float32
    np.testing.assert_allclose(corrupted, ink, atol=1e-6)


@EACH_CORRUPTION
def test_each_strength_changes_more_than_the_one_before(name, sample):
    original = sample.astype(float)
    change = [np.abs(corrupt(sample, name, strength) - original).mean() for strength in range(SEVERITIES + 1)]
    assert change == sorted(set(change))
    assert change[1] > 0.5  # of 255


@EACH_CORRUPTION
@given(seed=st.integers(0, 9))
@settings(max_examples=5, deadline=None)
def test_random_choices_depend_on_the_seed(name, seed, sample):
    corrupted = corrupt(sample, name, 4, seed=seed)
    assert corrupted.dtype == np.uint8
    assert corrupted.shape == sample.shape
    np.testing.assert_array_equal(corrupt(sample, name, 4, seed=seed), corrupted)
    np.testing.assert_array_equal(corrupt(sample / 255, name, 4, seed=seed), corrupted)
    if name not in ("blur", "low resolution", "contrast"):
        assert (corrupt(sample, name, 4, seed=seed + 1) != corrupted).any()


@EACH_CORRUPTION
def test_one_image_no_images_and_blank_images(name):
    assert corrupt(np.zeros((28, 28), np.uint8), name, 5).shape == (1, 28, 28)
    assert corrupt(np.zeros((0, 28, 28), np.uint8), name, 5).shape == (0, 28, 28)
    any_ink = corrupt(np.zeros((50, 28, 28), np.uint8), name, 5).any()
    assert any_ink == (name in ("noise", "contrast", "lined paper"))  # the others add no ink


def bar():
    """Return a hundred images of a vertical bar of 16x2 pixels in the middle."""
    image = np.zeros((28, 28), np.uint8)
    image[6:22, 13:15] = 255
    return np.repeat(image[None], 100, axis=0)


def slope(image):
    """Return the tangent of the angle between an image's ink and the vertical, from its second moments."""
    rows, columns = np.indices((28, 28)) - 13.5
    return (image * rows * columns).sum() / (image * rows * rows).sum()


def test_rotation_turns_by_its_degrees_in_both_directions():
    for strength, degrees in zip((1, 3), (10, 30), strict=True):
        rotated = corrupt(bar(), "rotation", strength)
        angles = np.degrees(np.arctan([slope(image.astype(float)) for image in rotated]))
        assert np.abs(np.abs(angles) - degrees).max() < 1
        assert 20 < (angles > 0).sum() < 80


def test_shear_moves_rows_in_proportion_to_their_distance_from_the_middle():
    slopes = np.array([slope(image.astype(float)) for image in corrupt(bar(), "shear", 2)])
    assert np.abs(np.abs(slopes) - 0.35).max() < 0.02
    assert 20 < (slopes > 0).sum() < 80


def test_shift_moves_the_center_of_mass_by_its_distance_in_all_directions():
    shifted = corrupt(bar(), "shift", 3)
    offsets = np.array([ndimage.center_of_mass(image) for image in shifted]) - 13.5
    np.testing.assert_allclose(np.hypot(*offsets.T), 3, atol=0.05)
    assert (np.abs(offsets.mean(axis=0)) < 1).all()


def test_scale_multiplies_or_divides_lengths_by_its_factor():
    wide = np.zeros((100, 28, 28), np.uint8)
    wide[:, 6:22, 10:18] = 255
    heights = corrupt(wide, "scale", 5).max(axis=2).sum(axis=1) / 255
    larger = heights > 16
    assert 20 < larger.sum() < 80
    np.testing.assert_allclose(heights[larger], 16 * 1.5, atol=0.5)
    np.testing.assert_allclose(heights[~larger], 16 / 1.5, atol=0.5)


def test_thickness_changes_the_width_of_strokes_and_never_breaks_them():
    wide = np.zeros((100, 28, 28), np.uint8)
    wide[:, 6:22, 10:18] = 255
    widths = np.array([image[14].sum() / 255 for image in corrupt(wide, "thickness", 2)])
    np.testing.assert_allclose(np.unique(widths.round(1)), [8 - 1.2, 8 + 1.2])
    thinnest = corrupt(bar(), "thickness", 5).max(axis=2)[:, 8:20]
    assert thinnest.min() > 200, "a stroke must not break"


def test_blur_and_low_resolution_keep_the_amount_of_ink(sample):
    for name in ("blur", "low resolution"):
        ratio = corrupt(sample, name, 3).sum(axis=(1, 2)) / sample.sum(axis=(1, 2))
        np.testing.assert_allclose(ratio, 1, atol=0.05)
    assert CORRUPTIONS["low resolution"].strengths[-1] == 7
    rank = np.linalg.matrix_rank(corrupt(sample, "low resolution", 5)[0].astype(float), tol=20)
    assert rank <= 7


def test_contrast_and_noise_have_the_expected_statistics():
    halves = np.zeros((1, 28, 28), np.uint8)
    halves[:, :, :14] = 255
    gray = corrupt(halves, "contrast", 3)  # leaves 0.4 of the contrast
    assert np.abs(np.unique(gray) - np.array([0.3 * 255, 0.7 * 255])).max() <= 0.5
    ink = np.full((400, 28, 28), 0.5, np.float32)
    noise = CORRUPTIONS["noise"].apply(ink, 0.2, np.random.default_rng(0)) - ink
    assert noise.std() == pytest.approx(0.2, rel=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.002)


def test_occlusion_removes_a_square_of_ink():
    full = np.full((100, 28, 28), 255, np.uint8)
    for strength, side in zip((1, 3), (2, 5), strict=True):
        removed = (255 - corrupt(full, "occlusion", strength).astype(int)) / 255
        inside = removed.sum(axis=(1, 2)) > side * side * 0.99
        assert inside.mean() > 0.5  # the edge of the image cuts off the others
        # A square with an even side is centered on a pixel and covers half of the pixels at its edges.
        np.testing.assert_allclose(removed[inside].max(axis=1).sum(axis=1), side, atol=0.01)
    digits = corrupt(bar(), "occlusion", 1)
    assert (digits.sum(axis=(1, 2)) < bar()[0].sum()).all(), "every digit loses ink"


def test_ruled_lines_are_horizontal_and_evenly_spaced():
    lined = corrupt(np.zeros((50, 28, 28), np.uint8), "lined paper", 3)
    assert (lined == lined[:, :, :1]).all()
    for image in lined:
        rows = np.flatnonzero(image[:, 0])
        assert (np.diff(rows) == SPACING).all()
        assert set(image[rows, 0]) == {round(0.4 * 255)}
    assert len(np.unique(lined[:, :SPACING, 0], axis=0)) == SPACING


def test_invalid_arguments_raise_errors(sample):
    with pytest.raises(InputError, match=r"corruption must be one of rotation, scale, .* got 'color'"):
        corrupt(sample, "color", 1)
    for strength in (6, -1, 0.5, True):
        with pytest.raises(InputError, match="severity must be 0 to 5"):
            corrupt(sample, "blur", strength)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="seed must be"):
        corrupt(sample, "blur", 1, seed=-1)
    with pytest.raises(InputError, match="shape of images"):
        corrupt(np.zeros((3, 20, 20), np.uint8), "blur", 1)
