"""Straight bars that are not digits: those of barcodes, and the sides of boxes that are too pale to be found whole."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_CANDIDATES = 300  # connected components that may be bars: the highest
MIN_HEIGHT = 12  # pixels: lower strokes are too coarse to judge
MAX_WIDTH = 0.25  # of the height: of a bar that is held askew
MAX_BEND = 0.02  # of the height, at least 0.75 pixels: mean departure of the middle of a bar from a straight line
MAX_ROUGHNESS = 0.2  # standard deviation of the thickness, in thicknesses

# Of barcodes, in heights of the bars:
MIN_BARS = 12
MAX_UNEVENNESS = 0.04  # departure of their ends from straight lines
MAX_BAR_GAP = 0.5
MIN_BAR_HEIGHT = 0.7  # of what else is part of the barcode
MAX_LEAN_SPREAD = 0.03  # pixels across per pixel down
MIN_THICKNESS_RATIO = 1.6  # of the thickest bar to the thinnest: the digits 1 of a font are equally thick

# Of boxes, in heights of their sides:
MAX_SIDE_THICKNESS = 0.1
MAX_SIDE_DIFFERENCE = 0.1  # of two sides of a box, in height, and in the places of their ends
MIN_BOX_WIDTH, MAX_BOX_WIDTH = 0.3, 4.0
LINE_REACH = 0.04  # at least 2 pixels: how far the lines across are from the ends of the sides
MIN_COVERAGE = 0.9  # of a line's columns that have ink
OUTSIDE = 0.15  # distance at which there are no lines
MAX_OUTSIDE_COVERAGE = 0.5  # with more, the paper is dark all over


class _Bars(NamedTuple):
    """Straight, upright strokes of even thickness: numbers of their components, their ends (n, 2), their shape (n,)."""

    numbers: NDArray[np.int64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    thickness: NDArray[np.float64]

    def of(self, which: NDArray[np.int64]) -> "_Bars":
        return _Bars(self.numbers[which], self.upper[which], self.lower[which], self.thickness[which])

    @property
    def heights(self) -> NDArray[np.float64]:
        heights: NDArray[np.float64] = self.lower[:, 1] - self.upper[:, 1] + 1
        return heights


def find_bars(ink: NDArray[np.bool_], regions: NDArray[np.int32], boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which connected components are bars of a barcode, or sides of boxes.

    Parameters
    ----------
    ink : (height, width) bool
        Where there is ink, however pale: the lines between the sides of a box may be missing in `regions`.
    regions : (height, width) int32
        Label of each pixel's component, from 1; 0 is paper.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.

    Returns
    -------
    (n,) bool

    Examples
    --------
    >>> regions = np.zeros((60, 100), np.int32)
    >>> regions[10:50, 20:22], regions[10:50, 70:72], regions[20:40, 40:43] = 1, 2, 3
    >>> ink = regions > 0
    >>> ink[[9, 50], 20:72] = True
    >>> find_bars(ink, regions, np.array([[20, 10, 22, 50], [70, 10, 72, 50], [40, 20, 43, 40]]))
    array([ True,  True, False])
    """
    found = np.zeros(len(boxes), bool)
    bars = _straight_bars(regions, boxes)
    if len(bars.numbers) < 2:
        return found
    found[bars.numbers[_in_barcode(bars)]] = True
    if found.any():  # bars that blur joins are no straight bars
        left, top = boxes[found, :2].min(axis=0)
        right, bottom = boxes[found, 2:].max(axis=0)
        reach = MAX_BAR_GAP * (bottom - top)
        center = boxes[:, :2] + (boxes[:, 2:] - boxes[:, :2]) / 2
        within = (center >= [left - reach, top]).all(axis=1) & (center <= [right + reach, bottom]).all(axis=1)
        found |= within & (boxes[:, 3] - boxes[:, 1] >= MIN_BAR_HEIGHT * (bottom - top))
    found[bars.numbers[_side_of_box(bars, ink)]] = True
    return found


def _straight_bars(regions: NDArray[np.int32], boxes: NDArray[np.int64]) -> _Bars:
    """Return the components that are bars, from left to right."""
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    narrow = np.flatnonzero((heights >= MIN_HEIGHT) & (widths <= MAX_WIDTH * heights))
    numbers, ends = [], []
    highest = narrow[np.argsort(-heights[narrow], kind="stable")][:MAX_CANDIDATES]
    for i in highest[np.argsort(boxes[highest, 0], kind="stable")].tolist():
        left, top, right, bottom = boxes[i]
        ink = regions[top:bottom, left:right] == i + 1
        rows, thickness = np.arange(bottom - top), ink.sum(axis=1)
        middle = (ink @ np.arange(right - left)) / thickness.clip(1)
        lean, start = np.polyfit(rows, middle, 1)
        inner = thickness[1:-1]
        if np.abs(middle - start - lean * rows).mean() <= max(MAX_BEND * len(rows), 0.75) and inner.std() <= max(
            MAX_ROUGHNESS * inner.mean(), 0.6
        ):
            numbers.append(i)
            ends.append((left + start, top, left + start + lean * rows[-1], bottom - 1, float(inner.mean())))
    measures = np.array(ends, np.float64).reshape(-1, 5)
    return _Bars(np.array(numbers, np.int64), measures[:, :2], measures[:, 2:4], measures[:, 4])


def _in_barcode(bars: _Bars) -> NDArray[np.bool_]:
    """Return which bars are those of a barcode, (n,): many beside each other, of one height and several thicknesses."""
    result = np.zeros(len(bars.numbers), bool)
    height = float(np.median(bars.heights))
    alike = np.flatnonzero(np.abs(bars.heights - height) <= 2 * MAX_UNEVENNESS * height)
    few = bars.of(alike)
    if len(alike) < MIN_BARS:
        return result
    lean = (few.lower[:, 0] - few.upper[:, 0]) / few.heights
    even = np.abs(lean - np.median(lean)) <= MAX_LEAN_SPREAD
    for ends in (few.upper, few.lower):
        x, y = ends.T
        slope = np.median(np.diff(y) / np.maximum(np.diff(x), 1))
        level = y - slope * x
        even &= np.abs(level - np.median(level)) <= max(MAX_UNEVENNESS * height, 1.5)
    alike = alike[even]
    few = bars.of(alike)
    close = np.diff(few.upper[:, 0]) <= MAX_BAR_GAP * height
    thick, thin = (float(np.quantile(few.thickness, share)) for share in (0.95, 0.05)) if len(alike) else (0.0, 1.0)
    result[alike] = len(alike) >= MIN_BARS and bool(close.mean() > 0.9) and thick >= MIN_THICKNESS_RATIO * thin
    return result


def _side_of_box(bars: _Bars, ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which bars are sides of boxes, (n,): two alike, with a line between their upper and their lower ends."""
    result, heights = np.zeros(len(bars.numbers), bool), bars.heights
    thin = np.flatnonzero(bars.thickness <= np.maximum(MAX_SIDE_THICKNESS * heights, 3)).tolist()
    for place, one in enumerate(thin):
        for other in thin[place + 1 :]:
            height = max(heights[one], heights[other])
            width = bars.upper[other, 0] - bars.upper[one, 0]
            if width > MAX_BOX_WIDTH * height:
                break
            if width < MIN_BOX_WIDTH * height or min(heights[one], heights[other]) < (1 - MAX_SIDE_DIFFERENCE) * height:
                continue
            lines = [(ends[one], ends[other]) for ends in (bars.upper, bars.lower)]
            shift = OUTSIDE * height
            if all(_coverage(ink, *line, 0, height) >= MIN_COVERAGE for line in lines) and all(
                _coverage(ink, *line, offset, height) <= MAX_OUTSIDE_COVERAGE
                for line, offset in zip(lines, (-shift, shift), strict=True)
            ):
                result[[one, other]] = True
    return result


def _coverage(
    ink: NDArray[np.bool_], start: NDArray[np.float64], end: NDArray[np.float64], offset: float, height: float
) -> float:
    """Return the share of the columns between two points that have ink near the line between them, or beside it."""
    columns = np.arange(int(start[0]) + 1, max(int(end[0]), int(start[0]) + 2))
    level = start[1] + offset + (end[1] - start[1]) * (columns - start[0]) / (end[0] - start[0])
    reach = max(round(LINE_REACH * height), 2)
    rows = np.round(level).astype(np.int64) + np.arange(-reach, reach + 1)[:, None]
    inside = (rows >= 0) & (rows < ink.shape[0])
    return float((ink[rows.clip(0, ink.shape[0] - 1), columns.clip(0, ink.shape[1] - 1)] & inside).any(axis=0).mean())
