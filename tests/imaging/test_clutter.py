"""Frames, lines, dots and specks around a single digit are taken away; strokes of the digit are not."""

import numpy as np
import pytest

from inksight import read
from inksight.imaging.clutter import without_clutter
from inksight.imaging.preprocessing import Prepared, prepare_grayscale
from inksight.imaging.resampling import resample

SIDE = 96


def clean(picture: np.ndarray) -> Prepared:
    return without_clutter(prepare_grayscale(picture), picture.shape)


def cell(digit: np.ndarray, size: int = 60, side: int = SIDE) -> np.ndarray:
    """A digit in the middle of a white picture, dark."""
    ink = np.zeros((side, side))
    start = (side - size) // 2
    ink[start : start + size, start : start + size] = resample(digit / 255, size, size)
    return 1 - ink


@pytest.fixture(scope="module")
def some(mnist):
    return mnist.images[50_000:50_012]


def with_frame(picture: np.ndarray, edges: str, inset: int, thickness: int = 3) -> np.ndarray:
    framed = picture.copy()
    for edge in edges:
        turned = np.rot90(framed, "trbl".index(edge))
        turned[inset : inset + thickness] = 0.1
    return framed


@pytest.mark.parametrize("edges", ["t", "r", "b", "l", "tl", "br", "tb", "trbl"])
@pytest.mark.parametrize("inset", [0, 4])
def test_a_frame_is_taken_away_and_the_digit_is_the_same(edges, inset, some):
    for digit in some:
        alone = cell(digit)
        cleaned = clean(with_frame(alone, edges, inset))
        assert cleaned.problem == ""
        np.testing.assert_allclose(cleaned.box, prepare_grayscale(alone).box, atol=2)


def test_a_tilted_double_frame_is_taken_away(some):
    rows, columns = np.indices((SIDE, SIDE))
    for digit in some[:10]:
        alone = cell(digit, 52)
        framed = alone.copy()
        framed[np.abs(rows - 4 - 0.04 * columns) < 1.5] = 0.2
        framed[np.abs(rows - 11 - 0.04 * columns) < 1.0] = 0.2
        np.testing.assert_allclose(clean(framed).box, prepare_grayscale(alone).box, atol=2)


@pytest.mark.parametrize("edges", ["t", "b", "l", "rb", "trbl"])
def test_a_cell_with_nothing_but_its_frame_is_blank(edges):
    blank = with_frame(np.ones((SIDE, SIDE)), edges, 3)
    assert prepare_grayscale(blank).problem == ""
    cleaned = clean(blank)
    assert cleaned.problem == "blank"
    assert not cleaned.image.any()


def test_a_piece_of_a_frame_in_a_corner_is_taken_away(some):
    for digit in some:
        alone = cell(digit)
        cornered = alone.copy()
        cornered[:30, 90:93] = cornered[3:6, 70:93] = 0.2
        np.testing.assert_allclose(clean(cornered).box, prepare_grayscale(alone).box, atol=2)


def test_a_dot_and_a_comma_behind_the_digit_are_taken_away(some):
    for digit in some:
        alone = cell(digit, 64)
        left, top, width, height = prepare_grayscale(alone).box
        foot, right = top + height, left + width
        for bottom in (foot, foot + 6):
            dotted = alone.copy()
            dotted[foot - 6 : bottom, right + 6 : right + 11] = 0.1
            assert clean(dotted).box == prepare_grayscale(alone).box


def test_digits_that_are_cropped_tightly_stay_as_they_are(mnist):
    changed = 0
    for digit in mnist.images[50_000:50_300]:
        rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
        tight = 1 - digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] / 255.0
        prepared = prepare_grayscale(tight)
        cleaned = without_clutter(prepared, tight.shape)
        if prepared.polarity_ambiguous:  # reading compares both polarities
            continue
        changed += np.abs(cleaned.image.astype(int) - prepared.image).mean() > 5
    assert changed == 0


@pytest.mark.parametrize(
    "strokes",
    [
        {"7": (slice(0, 6), slice(0, 40)), "stem": (slice(0, 60), slice(34, 40))},
        {"1": (slice(0, 60), slice(3, 9))},
        {"L": (slice(54, 60), slice(0, 40)), "stem": (slice(0, 60), slice(0, 6))},
    ],
    ids=lambda strokes: next(iter(strokes)),
)
def test_straight_strokes_along_the_edges_of_a_tight_crop_are_strokes(strokes):
    picture = np.ones((60, 12 if "1" in strokes else 40))
    for place in strokes.values():
        picture[place] = 0
    prepared = prepare_grayscale(picture, invert=False)
    assert without_clutter(prepared, picture.shape) is prepared


def test_a_digit_with_a_wide_margin_is_returned_unchanged(some):
    for digit in some:
        prepared = prepare_grayscale(1 - digit / 255.0)
        assert without_clutter(prepared, digit.shape).image.tobytes() == prepared.image.tobytes()


def test_a_pale_digit_in_a_dark_frame_is_found(some):
    rng = np.random.default_rng(0)
    for digit in some:
        alone = 1 - 0.2 * (1 - cell(digit)) + rng.normal(0, 0.005, (SIDE, SIDE))
        framed = with_frame(alone, "trbl", 4)
        assert not (prepare_grayscale(framed).ink[20:76, 20:76] > 0.5).any()  # it is much paler than the frame
        cleaned = clean(framed)
        assert cleaned.problem == ""
        np.testing.assert_allclose(cleaned.box, prepare_grayscale(alone).box, atol=3)


@pytest.mark.parametrize("polarity", ["dark", "light"])
def test_print_that_shows_through_a_framed_cell_is_no_digit(polarity, some):
    rng = np.random.default_rng(0)
    for digit in some:
        faint = 0.9 - 0.05 * (1 - cell(digit)) + rng.normal(0, 0.005, (SIDE, SIDE))
        framed = with_frame(faint, "trbl", 4)
        assert clean(framed if polarity == "dark" else 1 - framed).problem == "blank"


def with_bar(picture: np.ndarray) -> np.ndarray:
    """A picture with a thick line along its right edge, beyond which is paper, and a pale one along the lower edge."""
    barred = picture.copy()
    barred[:, 80:90] = 0.15
    barred[92:94] = 0.6
    return barred


def test_a_thick_line_of_a_grid_is_taken_away(some):
    for digit in some:
        alone = cell(digit, 52)
        np.testing.assert_allclose(clean(with_bar(alone)).box, prepare_grayscale(alone).box, atol=2)
    assert clean(with_bar(np.ones((SIDE, SIDE)))).problem == "blank"


def test_a_cell_with_a_thick_line_is_blank_whatever_its_polarity_may_be():
    for slope in (0, 0.02, 0.04):
        rows, columns = np.indices((SIDE, SIDE))
        blank = np.full((SIDE, SIDE), 0.8)
        blank[(columns > 82 + slope * rows) & (columns < 92 + slope * rows)] = 0.3
        blank[92:] = 0.3
        page = read((255 * blank).astype(np.uint8))
        assert [reading.reason for reading in page] == ["blank"], slope


def test_a_line_with_a_piece_of_another_at_its_end_is_taken_away_beside_a_high_digit(some):
    for digit in some:
        tight = digit[:, digit.any(axis=0)][digit.any(axis=1)] / 255
        alone = np.ones((SIDE, SIDE))
        alone[14:96, 18:68] = 1 - resample(tight, 82, 50)
        framed = with_frame(alone, "r", 3)
        framed[93:, 85:] = framed[95, 84:] = 0.2
        framed[2:5] = 0.6
        np.testing.assert_allclose(clean(framed).box, prepare_grayscale(alone).box, atol=2)


def test_a_base_stroke_that_is_thick_is_not_a_line():
    for thickness in (9, 11):  # of 96: a 2 whose base is as long as most of the picture
        two = np.ones((SIDE, SIDE))
        two[84 - thickness : 84, 14:76] = 0.1
        for step in range(50):
            two[84 - thickness - step : 94 - thickness - step, 30 + step // 2 : 40 + step // 2] = 0.1
        prepared = prepare_grayscale(two)
        assert without_clutter(prepared, two.shape) is prepared


def test_the_wavy_bar_of_a_seven_of_few_pixels_is_a_stroke():
    bar = ["............####", ".........######.", "##############..", "#####......##..."]
    rows = [*bar, *["..........###..."] * 4, *[".........###...."] * 4, *["........###....."] * 4]
    seven = np.array([[character == "#" for character in row] for row in rows], float)
    prepared = prepare_grayscale(seven, invert=True)
    assert without_clutter(prepared, seven.shape) is prepared
