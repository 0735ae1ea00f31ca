"""Strokes are rasterized with a round pen and can be read as digits."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import ArrayLike

from inksight import InputError, Strokes, prepare, read
from inksight.imaging.strokes import MAX_SIDE, rasterize

POINT = st.tuples(st.integers(-40, 140), st.integers(-40, 140))
LINES = st.lists(st.lists(POINT, min_size=1, max_size=5), min_size=1, max_size=4)


def ink(lines, width=None):
    return 1 - rasterize(Strokes(lines, width))


def arc(radius, start, end, center=(90, 90), aspect=1.0):
    """Points on an arc of an ellipse, angles in degrees."""
    angle = np.radians(np.linspace(start, end, 40))
    return np.stack([center[0] + aspect * radius * np.cos(angle), center[1] + radius * np.sin(angle)], axis=1)


@pytest.mark.parametrize(
    ("digit", "lines"),
    [
        ("0", [arc(60, 0, 360, aspect=0.6)]),
        ("1", [[(60, 20), (55, 150)]]),
        ("2", [np.concatenate([arc(35, -170, 40), [(50, 160), (130, 160)]])]),
        ("4", [[(60, 20), (40, 90), (120, 90)], [(105, 30), (100, 160)]]),
        ("7", [[(40, 20), (120, 20), (70, 160)]]),
        ("8", [arc(28, 0, 360, center=(90, 50)), arc(34, 0, 360, center=(90, 112))]),
    ],
)
@pytest.mark.parametrize("size", [0.3, 1, 20])
def test_digits_are_read_at_any_size(digit, lines, size):
    assert read(Strokes([np.asarray(line) * size for line in lines])).digit == digit


@pytest.mark.parametrize(("end", "width"), [((70, 5), 4), ((5, 70), 6), ((60, 50), 9), ((33, 71), 3.5)])
def test_a_segment_agrees_with_supersampling(end, width):
    """The reference is the share of 8x8 samples of each pixel inside the union of circles along the segment."""
    drawn = ink([[(5, 5), end]], width)
    extent = max(end) - 5
    margin = width + 1 + extent / 4
    along = np.linspace(0, 1, 1000)[:, None] * (np.array(end) - 5) + margin
    fine = (np.arange(8 * max(drawn.shape)) + 0.5) / 8
    inside = np.zeros((len(fine), len(fine)), bool)
    for x, y in along:
        columns, rows = (slice(*np.searchsorted(fine, [z - width, z + width])) for z in (x, y))
        inside[rows, columns] |= np.hypot(fine[columns] - x, fine[rows][:, None] - y) <= width / 2
    share = inside.reshape(max(drawn.shape), 8, -1, 8).mean(axis=(1, 3))[: drawn.shape[0], : drawn.shape[1]]
    assert np.abs(drawn - share).max() < 0.2
    assert drawn.sum() == pytest.approx(share.sum(), rel=0.01)


def test_a_dot_is_round():
    dot = ink([[(7, 9)]], 10)
    assert dot.sum() == pytest.approx(np.pi * 25, rel=0.02)
    np.testing.assert_allclose(dot, dot.T)
    np.testing.assert_allclose(dot, dot[::-1, ::-1])


@settings(max_examples=50, deadline=None)
@given(LINES, st.integers(-300, 300), st.integers(-300, 300), st.sampled_from([None, 1.0, 7.5]))
def test_position_order_and_direction_do_not_matter(lines, x, y, width):
    expected = ink(lines, width)
    assert expected.shape[0] <= MAX_SIDE + 1
    assert expected.shape[1] <= MAX_SIDE + 1
    assert 0 <= expected.min() <= expected.max() <= 1
    np.testing.assert_allclose(ink([np.add(line, (x, y)) for line in lines], width), expected, atol=1e-9)
    np.testing.assert_allclose(ink([line[::-1] for line in lines[::-1]], width), expected, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(LINES, st.sampled_from([None, 3.0]))
def test_there_is_a_white_margin(lines, width):
    sheet = ink(lines, width)
    for edge in (sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1]):
        assert not edge.any()
    assert not prepare(Strokes(lines, 20.0)).problem
    assert prepare(Strokes(lines, 20.0)).dark


def test_a_stroke_in_two_parts_is_the_same(rng):
    line = rng.integers(0, 100, (6, 2))
    np.testing.assert_array_equal(ink([line[:4], line[3:]], 5), ink([line], 5))


def test_time_and_pressure_are_ignored(rng):
    line = rng.integers(0, 100, (6, 4))
    np.testing.assert_array_equal(ink([line]), ink([line[:, :2]]))


def test_no_strokes_are_blank():
    blank: list[list[ArrayLike]] = [[], [[]], [np.empty((0, 2))]]
    for lines in blank:
        assert prepare(Strokes(lines)).problem == "blank"
        assert read(Strokes(lines)).reason == "blank"


@pytest.mark.parametrize(
    ("lines", "width", "words"),
    [
        ([[(0, np.nan)]], None, "coordinates of stroke 0 must be finite"),
        ([[(0, 1)], [(0, np.inf)]], None, "coordinates of stroke 1 must be finite"),
        ([[(0, 1e9)]], None, "up to a million pixels"),
        ([[(0,)]], None, "shape of stroke 0 must be (points, 2), got (1, 1): give x and y of each point"),
        ([(1, 2)], None, "shape of stroke 0"),
        ([[(1, 2), (3,)]], None, "stroke 0 must be numbers (points, 2)"),
        (["abc"], None, "stroke 0 must be numbers"),
        (7, None, "lines must be a list of strokes"),
        ([np.zeros((20_001, 2))], None, "number of points must be at most 20,000, got 20001"),
        ([[(0, 1)]], 0, "width must be 0.001 to 10,000 pixels, got 0"),
        ([[(0, 1)]], np.nan, "width must be"),
        ([[(0, 1)]], "thick", "width must be"),
    ],
)
def test_wrong_strokes_are_reported(lines, width, words):
    with pytest.raises(InputError) as caught:
        Strokes(lines, width)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
