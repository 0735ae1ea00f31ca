"""Habits of hands that MNIST's writers seldom had.

An upstroke, often a long one, and a foot at the 1, a bar through the 7, a 9 that turns to the left below or has a tail
as a g has, a 4 whose last stroke begins at the bar.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE

Pixels = NDArray[np.float32]  # (images, side, side), 0..1, high = ink
Numbers = NDArray[np.floating]

INK = 0.3  # of full ink: paler pixels are not where a digit begins or ends
LENGTH = 2.6  # times a digit's height, roughly, its strokes are long, edges included: ink by it is their half width
THINNEST, THICKEST = 0.6, 2.2  # pixels: half the width of a stroke added


@dataclass(frozen=True)
class Allograph:
    """A stroke that some hands add to a digit.

    Parameters
    ----------
    digit : int
    chance : float
        Of a digit to get it, 0..1.
    begins : (float, float)
        Where, between the digit's top (0) and its foot (1).
    left, right : (float, float)
        How far it goes to either side, in heights of the digit.
    falls : (float, float)
        Degrees by which its left end lies lower.
    """

    digit: int
    chance: float
    begins: tuple[float, float]
    left: tuple[float, float]
    right: tuple[float, float]
    falls: tuple[float, float]


ALLOGRAPHS = (
    Allograph(1, 0.4, begins=(0, 0), left=(0.2, 0.6), right=(0, 0), falls=(25, 65)),
    Allograph(1, 0.5, begins=(0, 0), left=(0.5, 1.1), right=(0, 0), falls=(40, 70)),
    Allograph(1, 0.2, begins=(1, 1), left=(0.15, 0.35), right=(0.15, 0.35), falls=(-3, 3)),
    Allograph(7, 0.4, begins=(0.4, 0.6), left=(0.15, 0.3), right=(0.15, 0.3), falls=(-20, 20)),
    Allograph(9, 0.6, begins=(1, 1), left=(0.2, 0.8), right=(0, 0), falls=(-30, 10)),
)
TAILED_NINES = 0.3  # share of the nines whose stem is a tail, round as that of a g
BENDS = 5  # places on that tail, which are joined by straight strokes
SHORT_FOURS = 0.5  # share of the fours whose stem begins at the bar


def add_allographs(ink: Pixels, labels: NDArray[np.int64], rng: np.random.Generator) -> Pixels:
    """Return digits of which some have got strokes of `ALLOGRAPHS`.

    Parameters
    ----------
    ink : (n, 28, 28) float32, 0..1
        High = ink.
    labels : (n,) int64
        Which digits they are.
    rng : Generator

    Returns
    -------
    (n, 28, 28) float32, 0..1
        The digits, most of them with more ink than before.

    Examples
    --------
    >>> one = np.zeros((1, 28, 28), np.float32)
    >>> one[:, 4:24, 14] = 1
    >>> bool(add_allographs(one, np.array([1]), np.random.default_rng(0))[0, 8, :14].max() > 0.5)  # an upstroke
    True
    """
    result = ink.copy()
    for habit in ALLOGRAPHS:
        rows = np.flatnonzero((labels == habit.digit) & (rng.random(len(labels)) < habit.chance))
        if len(rows):
            result[rows] = np.maximum(ink[rows], _added(habit, ink[rows], rng))
    rows = np.flatnonzero((labels == 9) & (rng.random(len(labels)) < TAILED_NINES))
    if len(rows):
        result[rows] = _with_tail(ink[rows], rng)
    rows = np.flatnonzero((labels == 4) & (rng.random(len(labels)) < SHORT_FOURS))
    if len(rows):
        result[rows] = _without_arm(ink[rows], rng)
    return result


def _without_arm(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Return fours without their right arm: what lies above the bar, right of the middle."""
    places = np.arange(IMAGE_SIZE, dtype=np.float32)
    lines = ink.sum(axis=2)
    middle = (lines * places).sum(axis=1) / np.maximum(lines.sum(axis=1), 1e-6)
    near = np.abs(places - middle[:, None]) < 5
    bar = (lines * near).argmax(axis=1)  # the row with most ink
    height = rng.uniform(1, 4, len(ink))
    above = (places < (bar - height)[:, None])[:, :, None]
    upper = (ink * above).sum(axis=1)
    between = (upper * places).sum(axis=1) / np.maximum(upper.sum(axis=1), 1e-6)  # the two arms
    result: Pixels = np.where(above & (places > between[:, None, None]), np.float32(0), ink)
    return result


def _with_tail(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Return nines whose stem is drawn anew: from the loop on it swings out, round, and back to the left."""
    count = len(ink)
    top, foot, half = _extent(ink)
    height = foot - top + 1
    neck = np.clip(np.round(top + rng.uniform(0.45, 0.6, count) * height), 0, IMAGE_SIZE - 1).astype(np.int64)
    inked = ink[np.arange(count), neck] > INK
    stem = np.where(inked.any(axis=1), IMAGE_SIZE - 1 - inked[:, ::-1].argmax(axis=1) - half, IMAGE_SIZE / 2)
    # An arc of an ellipse, from its right end down and round to the left.
    deep, wide = foot - half - neck, height * rng.uniform(0.2, 0.6, count)
    right = stem + height * rng.uniform(0, 0.15, count)
    angle = np.linspace(0, 1, BENDS)[:, None] * np.radians(rng.uniform(90, 170, count))
    rows = np.concatenate([neck[None], neck + deep * (0.35 + 0.65 * np.sin(angle))])
    columns = np.concatenate([stem[None], right - wide + np.cos(angle) * wide])
    result: Pixels = ink * (np.arange(IMAGE_SIZE) <= neck[:, None])[:, :, None]
    for start, end in pairwise(zip(rows, columns, strict=True)):
        result = np.maximum(result, stroke(start, end, half))
    return result


def span(ink: Pixels, axis: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each image's first and last row (axis 1) or column (axis 2) of ink; all of them for one without ink."""
    inked = ink.max(axis=3 - axis) > INK
    return inked.argmax(axis=1), IMAGE_SIZE - 1 - inked[:, ::-1].argmax(axis=1)


def _extent(ink: Pixels) -> tuple[Numbers, Numbers, Numbers]:
    """Return each digit's first and last row, and half the width of its strokes, in pixels."""
    top, foot = (rows.astype(np.float64) for rows in span(ink, 1))
    height = np.maximum(foot - top, 3) + 1
    return top, foot, np.clip(ink.sum(axis=(1, 2)) / (LENGTH * height), THINNEST, THICKEST)


def _added(habit: Allograph, ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw the stroke that a habit adds to each of some digits."""

    def draw(span: tuple[float, float]) -> Numbers:
        return rng.uniform(*span, len(ink))

    first, last, half = _extent(ink)
    top, foot, height = first + 1, last - 1, np.maximum(last - first, 3)
    row = np.clip(top + (foot - top) * draw(habit.begins), 0, IMAGE_SIZE - 1)
    line = ink[np.arange(len(ink)), row.astype(np.int64)]
    column = (line * np.arange(IMAGE_SIZE)).sum(axis=1) / np.maximum(line.sum(axis=1), 1e-6)
    left, right, angle = height * draw(habit.left), height * draw(habit.right), np.radians(draw(habit.falls))
    down, across = np.sin(angle), np.cos(angle)
    return stroke((row + left * down, column - left * across), (row - right * down, column + right * across), half)


def stroke(start: tuple[Numbers, Numbers], end: tuple[Numbers, Numbers], half: Numbers) -> Pixels:
    """Draw one straight stroke an image, with round ends, (n, 28, 28) 0..1; places are (rows, columns) in pixels."""

    def each(values: Numbers) -> Pixels:
        return np.asarray(values, np.float32)[:, None, None]

    rows, columns = np.arange(IMAGE_SIZE, dtype=np.float32)[:, None], np.arange(IMAGE_SIZE, dtype=np.float32)
    y, x = (each(value) for value in start)
    down, across = each(end[0]) - y, each(end[1]) - x
    along = ((rows - y) * down + (columns - x) * across) / np.maximum(down**2 + across**2, np.float32(1e-6))
    along = np.clip(along, 0, 1)
    distance = np.hypot(rows - y - along * down, columns - x - along * across)
    result: Pixels = np.clip(each(half) + np.float32(0.5) - distance, 0, 1)
    return result
