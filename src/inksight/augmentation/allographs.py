"""Allographs: variant forms of digits that are rare in MNIST.

A 1 with an upstroke (often a long one) or a serif, a 7 with a bar, a 9 with a stroke to the left at the bottom or with
a curved tail like that of a g, and a 4 whose stem starts at the bar.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE

Ink = NDArray[np.float32]  # (n, 28, 28), 0..1, high = ink
Numbers = NDArray[np.floating]

INK_THRESHOLD = 0.3  # ink, 0..1: only pixels above it count for the extent of a digit
INK_PER_HALF_WIDTH = 2.6  # typical ink of a digit, divided by its height and half its stroke width
MIN_HALF_WIDTH, MAX_HALF_WIDTH = 0.6, 2.2  # pixels: limits on half the width of an added stroke


@dataclass(frozen=True)
class Allograph:
    """A straight stroke that some writers add to a digit; the ranges are drawn from uniformly.

    Parameters
    ----------
    digit : int
    probability : float
        Share of these digits that get the stroke, 0..1.
    position : (float, float)
        Range of the height at which the stroke crosses the digit, from its top (0) to its bottom (1).
    left, right : (float, float)
        Range of the stroke's length to each side, as a share of the digit's height.
    tilt : (float, float)
        Range of the stroke's angle in degrees; above 0, its left end is lower.
    """

    digit: int
    probability: float
    position: tuple[float, float]
    left: tuple[float, float]
    right: tuple[float, float]
    tilt: tuple[float, float]


ALLOGRAPHS = (
    # upstroke of a 1
    Allograph(1, 0.4, position=(0, 0), left=(0.2, 0.6), right=(0, 0), tilt=(25, 65)),
    # long upstroke of a 1
    Allograph(1, 0.5, position=(0, 0), left=(0.5, 1.1), right=(0, 0), tilt=(40, 70)),
    # serif of a 1
    Allograph(1, 0.2, position=(1, 1), left=(0.15, 0.35), right=(0.15, 0.35), tilt=(-3, 3)),
    # bar of a 7
    Allograph(7, 0.4, position=(0.4, 0.6), left=(0.15, 0.3), right=(0.15, 0.3), tilt=(-20, 20)),
    # bottom stroke of a 9
    Allograph(9, 0.6, position=(1, 1), left=(0.2, 0.8), right=(0, 0), tilt=(-30, 10)),
)
TAIL_PROBABILITY = 0.3  # that the stem of a 9 becomes a curved tail
TAIL_SEGMENTS = 5  # straight strokes that make up a tail
SHORT_STEM_PROBABILITY = 0.5  # that the stem of a 4 starts at the bar


def add_allographs(ink: Ink, labels: NDArray[np.int64], rng: np.random.Generator) -> Ink:
    """Return digits, some of them changed to allographs.

    Parameters
    ----------
    ink : (n, 28, 28) float32, 0..1
        High = ink.
    labels : (n,) int64
        The digits; only 1, 4, 7 and 9 have allographs.
    rng : Generator

    Returns
    -------
    (n, 28, 28) float32, 0..1

    Examples
    --------
    >>> one = np.zeros((1, 28, 28), np.float32)
    >>> one[:, 4:24, 14] = 1
    >>> bool(add_allographs(one, np.array([1]), np.random.default_rng(0))[0, 8, :14].max() > 0.5)  # an upstroke
    True
    """
    result = ink.copy()
    for allograph in ALLOGRAPHS:
        rows = np.flatnonzero((labels == allograph.digit) & (rng.random(len(labels)) < allograph.probability))
        if len(rows):
            result[rows] = np.maximum(ink[rows], _allograph_strokes(allograph, ink[rows], rng))
    rows = np.flatnonzero((labels == 9) & (rng.random(len(labels)) < TAIL_PROBABILITY))
    if len(rows):
        result[rows] = _with_tail(ink[rows], rng)
    rows = np.flatnonzero((labels == 4) & (rng.random(len(labels)) < SHORT_STEM_PROBABILITY))
    if len(rows):
        result[rows] = _with_short_stem(ink[rows], rng)
    return result


def ink_extent(ink: Ink, axis: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last row (axis 1) or column (axis 2) with ink of each image, (n,).

    For an image without ink, these are the first and the last one of the image.
    """
    has_ink = ink.max(axis=3 - axis) > INK_THRESHOLD
    return has_ink.argmax(axis=1), IMAGE_SIZE - 1 - has_ink[:, ::-1].argmax(axis=1)


def draw_strokes(start: tuple[Numbers, Numbers], end: tuple[Numbers, Numbers], half_width: Numbers) -> Ink:
    """Draw one straight stroke with round ends per image.

    Parameters
    ----------
    start, end : tuple of two (n,) float
        Row and column of each end, in pixels.
    half_width : (n,) float
        Half the width of each stroke, in pixels.

    Returns
    -------
    (n, 28, 28) float32, 0..1
    """

    def per_image(values: Numbers) -> Ink:
        return np.asarray(values, np.float32)[:, None, None]

    rows, columns = np.arange(IMAGE_SIZE, dtype=np.float32)[:, None], np.arange(IMAGE_SIZE, dtype=np.float32)
    y, x = (per_image(value) for value in start)
    down, across = per_image(end[0]) - y, per_image(end[1]) - x
    along = ((rows - y) * down + (columns - x) * across) / np.maximum(down**2 + across**2, np.float32(1e-6))
    along = np.clip(along, 0, 1)
    distance = np.hypot(rows - y - along * down, columns - x - along * across)
    result: Ink = np.clip(per_image(half_width) + np.float32(0.5) - distance, 0, 1)
    return result


def _allograph_strokes(allograph: Allograph, ink: Ink, rng: np.random.Generator) -> Ink:
    """Draw the stroke of an allograph for each digit, in an image without the digit."""

    def draw(limits: tuple[float, float]) -> Numbers:
        return rng.uniform(*limits, len(ink))

    first, last, half_width = _rows_and_half_width(ink)
    top, bottom, height = first + 1, last - 1, np.maximum(last - first, 3)
    row = np.clip(top + (bottom - top) * draw(allograph.position), 0, IMAGE_SIZE - 1)
    row_ink = ink[np.arange(len(ink)), row.astype(np.int64)]
    column = (row_ink * np.arange(IMAGE_SIZE)).sum(axis=1) / np.maximum(row_ink.sum(axis=1), 1e-6)
    left, right = height * draw(allograph.left), height * draw(allograph.right)
    angle = np.radians(draw(allograph.tilt))
    down, across = np.sin(angle), np.cos(angle)
    return draw_strokes(
        (row + left * down, column - left * across), (row - right * down, column + right * across), half_width
    )


def _with_short_stem(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return fours without the part of the stem that lies above the bar."""
    indices = np.arange(IMAGE_SIZE, dtype=np.float32)
    row_sums = ink.sum(axis=2)
    center = (row_sums * indices).sum(axis=1) / np.maximum(row_sums.sum(axis=1), 1e-6)
    near_center = np.abs(indices - center[:, None]) < 5
    bar = (row_sums * near_center).argmax(axis=1)  # the row with the most ink
    gap = rng.uniform(1, 4, len(ink))
    above = (indices < (bar - gap)[:, None])[:, :, None]
    column_sums = (ink * above).sum(axis=1)
    middle = (column_sums * indices).sum(axis=1) / np.maximum(column_sums.sum(axis=1), 1e-6)  # between arm and stem
    result: Ink = np.where(above & (indices > middle[:, None, None]), np.float32(0), ink)
    return result


def _with_tail(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return nines with a curved tail in place of the stem: from the loop outward, down and back to the left."""
    count = len(ink)
    top, bottom, half_width = _rows_and_half_width(ink)
    height = bottom - top + 1
    neck = np.clip(np.round(top + rng.uniform(0.45, 0.6, count) * height), 0, IMAGE_SIZE - 1).astype(np.int64)
    has_ink = ink[np.arange(count), neck] > INK_THRESHOLD
    last_column = IMAGE_SIZE - 1 - has_ink[:, ::-1].argmax(axis=1)
    stem = np.where(has_ink.any(axis=1), last_column - half_width, IMAGE_SIZE / 2)
    # The tail is an arc of an ellipse, from its right end down and around to the left.
    depth, width = bottom - half_width - neck, height * rng.uniform(0.2, 0.6, count)
    right = stem + height * rng.uniform(0, 0.15, count)
    angle = np.linspace(0, 1, TAIL_SEGMENTS)[:, None] * np.radians(rng.uniform(90, 170, count))
    rows = np.concatenate([neck[None], neck + depth * (0.35 + 0.65 * np.sin(angle))])
    columns = np.concatenate([stem[None], right - width + np.cos(angle) * width])
    result: Ink = ink * (np.arange(IMAGE_SIZE) <= neck[:, None])[:, :, None]
    for start, end in pairwise(zip(rows, columns, strict=True)):
        result = np.maximum(result, draw_strokes(start, end, half_width))
    return result


def _rows_and_half_width(ink: Ink) -> tuple[Numbers, Numbers, Numbers]:
    """Return each digit's first row, last row and half stroke width, in pixels."""
    top, bottom = (rows.astype(np.float64) for rows in ink_extent(ink, 1))
    height = np.maximum(bottom - top, 3) + 1
    half_width = np.clip(ink.sum(axis=(1, 2)) / (INK_PER_HALF_WIDTH * height), MIN_HALF_WIDTH, MAX_HALF_WIDTH)
    return top, bottom, half_width
