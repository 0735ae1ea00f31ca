"""Form lines: frames, rows of boxes and underlines around what is written on a form."""

import numpy as np
from numpy.typing import NDArray

MAX_CANDIDATES = 500  # connected components that may be form lines: the largest
MIN_UNDERLINE_ASPECT = 5.0  # width / height of an underline, even of one held askew
MIN_SINGLE_RUNS = 0.9  # of an underline's columns that have exactly one run of ink
MAX_FRAME_FILL = 0.3  # of a frame's bounding box that is ink
MIN_CONTENT_HEIGHT = 0.3  # of a frame's height that something written in it has
MIN_BORDER_ASPECT = 6.0  # height / thickness of the border between two cells
MAX_BORDER_BEND = 1.0  # pixels by which a border departs from a straight line
MAX_LEVEL_DIFFERENCE = 0.1  # of their height: between the ends of the borders in a row of cells


def find_form_lines(
    regions: NDArray[np.int32], boxes: NDArray[np.int64], mass: NDArray[np.float64], ruled: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which connected components are frames, underlines, or borders of cells between two ruled lines.

    Parameters
    ----------
    regions : (height, width) int32
        Label of each pixel's component, from 1; 0 is paper.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.
    mass : (n,) float64
        Number of pixels of each component.
    ruled : (height, width) bool
        Where there are ruled lines, which belong to no component.

    Returns
    -------
    (n,) bool

    Examples
    --------
    >>> page = np.zeros((60, 100), np.int32)
    >>> page[5:55, 10:90] = 1
    >>> page[7:53, 12:88] = 0
    >>> page[20:40, 30:34] = 2
    >>> find_form_lines(page, np.array([[10, 5, 90, 55], [30, 20, 34, 40]]), np.array([504.0, 80.0]), page < 0)
    array([ True, False])
    """
    is_line = np.zeros(len(boxes), bool)
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    for i in np.argsort(-(widths + heights), kind="stable")[:MAX_CANDIDATES].tolist():
        left, top, right, bottom = boxes[i]
        if widths[i] >= MIN_UNDERLINE_ASPECT * heights[i]:
            ink = np.pad(regions[top:bottom, left:right] == i + 1, [(1, 0), (0, 0)])
            runs = (np.diff(ink.astype(np.int8), axis=0) == 1).sum(axis=0)
            is_line[i] = (runs == 1).mean() >= MIN_SINGLE_RUNS
        elif mass[i] <= MAX_FRAME_FILL * widths[i] * heights[i]:
            inside = (boxes[:, :2] > boxes[i, :2]).all(axis=1) & (boxes[:, 2:] < boxes[i, 2:]).all(axis=1)
            is_line[i] = bool((inside & (heights >= MIN_CONTENT_HEIGHT * heights[i])).any())
    return is_line | _are_cell_borders(regions, boxes, ruled)


def _are_cell_borders(
    regions: NDArray[np.int32], boxes: NDArray[np.int64], ruled: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which components are borders of a row of cells, whose upper and lower edges are ruled lines, (n,) bool.

    There are at least two, at the same level: a single one may be a digit 1 that reaches from line to line.
    """
    is_border = np.zeros(len(boxes), bool)
    if not ruled.any():
        return is_border
    candidates = [
        i
        for i in np.argsort(boxes[:, 1] - boxes[:, 3], kind="stable")[:MAX_CANDIDATES].tolist()
        if _joins_ruled_lines(boxes[i], ruled) and _is_straight(regions, boxes[i], i + 1)
    ]
    for i in candidates:
        tolerance = MAX_LEVEL_DIFFERENCE * (boxes[i, 3] - boxes[i, 1])
        level = (np.abs(boxes[candidates][:, [1, 3]] - boxes[i, [1, 3]]) <= tolerance).all(axis=1)
        is_border[i] = level.sum() > 1
    return is_border


def _joins_ruled_lines(box: NDArray[np.int64], ruled: NDArray[np.bool_]) -> bool:
    """Return whether a component has a ruled line beside each of its ends."""
    left, top, right, bottom = box.tolist()
    end = max((bottom - top) // 8, 2)
    around = ruled[:, max(left - 2, 0) : right + 2]
    return bool(around[max(top - 2, 0) : top + end].any() and around[bottom - end : bottom + 2].any())


def _is_straight(regions: NDArray[np.int32], box: NDArray[np.int64], label: int) -> bool:
    """Return whether a component is a thin, straight stroke from top to bottom; what is left at its ends is ignored."""
    left, top, right, bottom = box.tolist()
    end = (bottom - top) // 8
    ink = regions[top + end : bottom - end, left:right] == label
    if not ink.any(axis=1).all():
        return False
    first, last = ink.argmax(axis=1), ink.shape[1] - ink[:, ::-1].argmax(axis=1)
    thickness = last - first
    middle, rows = (first + last) / 2, np.arange(len(ink))
    bend = np.abs(middle - np.polyval(np.polyfit(rows, middle, 1), rows)).max() if len(ink) > 1 else 0.0
    return bool(thickness.max() * MIN_BORDER_ASPECT <= bottom - top and bend <= MAX_BORDER_BEND)
