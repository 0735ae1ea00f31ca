"""Punctuation: which components of a line are signs, by their size, their shape and their place among the digits.

A sign is judged beside its neighbours: a dot stands on the baseline, a comma reaches below it, a dash lies at half the
height of the digits, and a slash is a straight stroke that is longer than a digit on either end.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inksight.reading.components import Component, bounding_box, ink_of

MAX_PROBABILITY = 0.95  # of a sign, however well it fits
MIN_PROBABILITY = 0.1  # less probable signs are not considered: what is not a digit might pass as one
MIN_PROBABILITY_IF_EXPECTED = 1e-4  # the same, if there must be signs on the line
NEIGHBOURS = 4  # digits nearest to a sign, from which the baseline and the height of the digits are taken
MIN_SLASH_HEIGHT = 1.1  # heights of the page's digits
MIN_SLASH_HEIGHT_IF_EXPECTED = 0.95  # the same, if there must be signs on the line
WIDEST = 0.95  # quantile of a sign's width across its rows
MIN_NEIGHBOUR_HEIGHT = 0.6  # heights of the page's digits: what is lower may be a part of a digit

# For each sign, the limits of its features, and how far beyond them it is 1/e times as probable. Lengths are in heights
# of the neighbouring digits.
Limits = dict[str, tuple[float, float, float]]
INFINITY = float("inf")
# `level` is the height of the middle above the baseline; `rise` and `drop` are how far the sign reaches above and below
# the digits; `gap` is the distance to the nearest digit, from left to right; `sides` is the number of sides on which
# there is a digit.
PLACES: dict[str, Limits] = {
    ".": {
        "width": (0.07, 0.27, 0.03), "height": (0.07, 0.25, 0.03), "aspect": (0.6, 1.8, 0.3),
        "level": (-0.1, 0.2, 0.06),
    },
    ",": {
        "width": (0.04, 0.35, 0.05), "height": (0.14, 0.5, 0.06), "aspect": (0.0, 1.3, 0.2),
        "level": (-0.45, 0.12, 0.05), "drop": (0.08, 0.7, 0.05),
    },
    "-": {
        "width": (0.2, 0.95, 0.08), "height": (0.02, 0.22, 0.04), "aspect": (2.0, INFINITY, 0.3),
        "level": (0.28, 0.7, 0.06), "gap": (0.1, INFINITY, 0.04),
    },
    "/": {"rise": (0.1, 0.7, 0.05), "drop": (0.08, 0.7, 0.05), "aspect": (0.15, 1.0, 0.05), "sides": (2.0, 2.0, 0.5)},
}  # fmt: skip
# The upper dot of a colon; `shift` is how far its middle is from that of the lower one, to the left or right.
PLACES[":"] = PLACES["."] | {"level": (0.4, 0.9, 0.08), "shift": (0.0, 0.15, 0.05)}
# `fill` is the share of the box that is ink; `bend` is by how much the middle of a stroke departs from a straight line,
# `slope` is how far it goes to the right for each pixel that it goes up, and `widest` is its width across nearly all of
# its rows, of which a slanted 4 has some that are wider.
STROKES: dict[str, Limits] = {
    ".": {"fill": (0.5, 1.0, 0.1)},
    ":": {"fill": (0.5, 1.0, 0.1)},
    "/": {
        "bend": (0.0, 0.04, 0.015),
        "slope": (0.18, 1.2, 0.04),
        "thickness": (0.0, 0.3, 0.05),
        "widest": (0.0, 0.2, 0.04),
    },
}


class SignCandidate(NamedTuple):
    """The components `first` to `last` - 1 of a line, which are a sign with some probability."""

    first: int
    last: int
    symbol: str
    probability: float


class _Ink(NamedTuple):
    """Connected or stacked ink on a line: the components `first` to `last` - 1."""

    first: int
    last: int
    box: tuple[int, int, int, int]
    labels: tuple[int, ...]


def find_signs(
    components: Sequence[Component], height: float, regions: NDArray[np.int32], *, expected: bool = False
) -> list[SignCandidate]:
    """Return which components of a line may be signs.

    Parameters
    ----------
    components : sequence of Component
        From left to right.
    height : float
        Height of the page's digits, in pixels.
    regions : (height, width) int32
        Label map of the page.
    expected : bool
        Whether there must be signs on the line, so that improbable ones count.
    """
    least = MIN_PROBABILITY_IF_EXPECTED if expected else MIN_PROBABILITY
    slash_height = height * (MIN_SLASH_HEIGHT_IF_EXPECTED if expected else MIN_SLASH_HEIGHT)
    pieces = _connected(components)
    boxes = np.array([piece.box for piece in pieces], np.float64).reshape(-1, 4)
    heights = boxes[:, 3] - boxes[:, 1]
    is_digit = heights >= MIN_NEIGHBOUR_HEIGHT * height
    found = []
    for number, piece in enumerate(pieces):
        is_stack = piece.last == piece.first + 1 and len(piece.labels) == 2
        if is_digit[number] and heights[number] < slash_height and not is_stack:
            continue  # it is a digit or a part of one: looking closer would take time
        digits = boxes[is_digit & (np.arange(len(pieces)) != number)]
        if not len(digits):
            continue
        place = _place(piece.box, digits)
        probability, symbol = max((_probability(piece, sign, place, regions), sign) for sign in ".,-/")
        if probability >= least:
            found.append(SignCandidate(piece.first, piece.last, symbol, probability))
        dots = _split(piece, regions) if is_stack else pieces[number : number + 2]
        if len(dots) == 2 and (is_stack or not is_digit[number : number + 2].any()):
            probability = _colon(dots, digits, regions)
            if probability >= least:
                found.append(SignCandidate(dots[0].first, dots[1].last, ":", probability))
    return found


def _connected(components: Sequence[Component]) -> list[_Ink]:
    """Return the ink of a line piece by piece: what was cut is put together again."""
    starts = [i for i, c in enumerate(components) if i == 0 or components[i - 1].region != c.region]
    pieces = []
    for first, last in pairwise([*starts, len(components)]):
        labels = tuple(label for component in components[first:last] for label in component.labels)
        box = components[first].box if last == first + 1 else bounding_box(list(components[first:last]))
        pieces.append(_Ink(first, last, box, labels))
    return pieces


def _split(piece: _Ink, regions: NDArray[np.int32]) -> list[_Ink]:
    """Return the two labels of a piece apart."""
    left, top, right, bottom = piece.box
    parts = []
    for label in piece.labels:
        y, x = np.nonzero(regions[top:bottom, left:right] == label)
        box = (left + int(x.min()), top + int(y.min()), left + int(x.max()) + 1, top + int(y.max()) + 1)
        parts.append(_Ink(piece.first, piece.last, box, (label,)))
    return parts


def _colon(dots: Sequence[_Ink], digits: NDArray[np.float64], regions: NDArray[np.int32]) -> float:
    """Return the probability that two pieces are the dots of a colon."""
    lower, upper = sorted(dots, key=lambda dot: -dot.box[1])
    place = _place(upper.box, digits)
    shift = abs(upper.box[0] + upper.box[2] - lower.box[0] - lower.box[2]) / 2
    place["shift"] = shift * place["height"] / (upper.box[3] - upper.box[1])
    probability = _probability(upper, ":", place, regions)
    return min(probability, _probability(lower, ".", _place(lower.box, digits), regions)) if probability else 0.0


def _probability(piece: _Ink, symbol: str, place: dict[str, float], regions: NDArray[np.int32]) -> float:
    """Return the probability that a piece at a place is a sign."""
    probability = MAX_PROBABILITY * _fit(place, PLACES[symbol])
    if symbol in STROKES and probability >= MIN_PROBABILITY_IF_EXPECTED:
        probability *= _fit(_stroke(piece, regions), STROKES[symbol])
    return probability


def _fit(features: dict[str, float], limits: Limits) -> float:
    """Return 1 if all features lie within their limits, and less the farther they are beyond them."""
    excess = 0.0
    for name, (low, high, tolerance) in limits.items():
        excess += (max(low - features[name], features[name] - high, 0.0) / tolerance) ** 2
    return math.exp(-excess)


def _place(box: tuple[int, int, int, int], digits: NDArray[np.float64]) -> dict[str, float]:
    """Return the size of a box and its place among its neighbours."""
    left, top, right, bottom = box
    gap = np.maximum(digits[:, 0] - right, left - digits[:, 2])
    near = digits[np.argsort(np.maximum(gap, 0), kind="stable")[:NEIGHBOURS]]
    upper, baseline = (float(level) for level in np.median(near[:, [1, 3]], axis=0))
    height = max(baseline - upper, 1.0)
    offset = (digits[:, 0] + digits[:, 2]) / 2 - (left + right) / 2
    return {
        "width": (right - left) / height, "height": (bottom - top) / height, "aspect": (right - left) / (bottom - top),
        "level": (baseline - (top + bottom) / 2) / height, "rise": (upper - top) / height,
        "drop": (bottom - baseline) / height, "gap": float(gap.min()) / height,
        "sides": float(offset.min() < 0) + float(offset.max() > 0),
    }  # fmt: skip


def _stroke(piece: _Ink, regions: NDArray[np.int32]) -> dict[str, float]:
    """Return how a piece is drawn: its middle line, row by row, and how much of its box is ink."""
    left, top, right, bottom = piece.box
    ink = ink_of(piece.labels, regions[top:bottom, left:right])
    rows = np.flatnonzero(ink.any(axis=1))
    first, last = ink[rows].argmax(axis=1), ink.shape[1] - 1 - ink[rows, ::-1].argmax(axis=1)
    middle, across, height = (first + last) / 2, last - first + 1, bottom - top
    slope, start = np.polyfit(rows, middle, 1) if len(rows) > 1 else (0.0, middle[0])
    return {
        "fill": float(ink.mean()), "slope": -float(slope), "thickness": float(across.mean()) / height,
        "widest": float(np.quantile(across, WIDEST)) / height,
        "bend": float(np.abs(middle - slope * rows - start).mean()) / height,
    }  # fmt: skip
