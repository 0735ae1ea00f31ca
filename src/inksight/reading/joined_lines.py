"""Joined lines: a stroke that reaches down into the next line and touches a digit there is cut between the lines."""

import numpy as np
from numpy.typing import NDArray

MAX_CANDIDATES = 100  # connected components that may reach into two lines: the highest
MIN_HEIGHT = 1.5  # median heights of the components beside it: a component that reaches into two lines is higher
MAX_DISTANCE = 1.0  # of its own height: to the components beside it that tell the lines
MIN_OVERLAP = 0.6  # of their height that these components share with it
MIN_SIZE = 0.2  # of its own height that they have at least
MAX_INTRUSION = 0.15  # of its own height by which a digit may reach into the other line
MAX_CROSSING = 0.35  # of the other components' height: ink that the cut crosses


def cut_between_lines(regions: NDArray[np.int32], boxes: NDArray[np.int64]) -> int:
    """Cut the connected components that reach from one line of digits into the next; change the label map in place.

    A component is cut if others beside it are above each other, in two lines, and it reaches into both.

    Parameters
    ----------
    regions : (height, width) int32
        Label of each pixel's component, from 1 to n; 0 is paper. Parts that are cut off get labels from n + 1.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.

    Returns
    -------
    int
        Number of cuts.

    Examples
    --------
    >>> from scipy import ndimage
    >>> page = np.zeros((90, 100), bool)
    >>> page[10:40, [10, 30]] = page[50:80, [10, 30]] = True  # two lines: 11, 11
    >>> page[10:80, 30] = True
    >>> regions, count = ndimage.label(page)
    >>> boxes = np.array([(10, 10, 11, 40), (30, 10, 31, 80), (10, 50, 11, 80)])
    >>> cut_between_lines(regions, boxes), np.unique(regions[:, 30]).tolist(), count
    (1, [0, 2, 4], 3)
    """
    cuts = 0
    heights = boxes[:, 3] - boxes[:, 1]
    for i in np.argsort(-heights, kind="stable")[:MAX_CANDIDATES].tolist():
        row = _row_between_lines(regions[boxes[i, 1] : boxes[i, 3], boxes[i, 0] : boxes[i, 2]] == i + 1, boxes, i)
        if row is not None:
            cuts += 1
            left, _, right, bottom = boxes[i]
            below = regions[row:bottom, left:right]
            below[below == i + 1] = len(boxes) + cuts
    return cuts


def _row_between_lines(ink: NDArray[np.bool_], boxes: NDArray[np.int64], number: int) -> int | None:
    """Return the row of the page at which to cut a component, given its ink; None if it is in one line only."""
    left, top, right, bottom = boxes[number]
    height = bottom - top
    heights = boxes[:, 3] - boxes[:, 1]
    gap = np.maximum(np.maximum(boxes[:, 0] - right, left - boxes[:, 2]), 0)
    overlap = np.minimum(boxes[:, 3], bottom) - np.maximum(boxes[:, 1], top)
    beside = (gap <= MAX_DISTANCE * height) & (overlap >= MIN_OVERLAP * heights) & (heights >= MIN_SIZE * height)
    beside &= heights * MIN_HEIGHT <= height
    others = boxes[beside]
    if len(others) < 2:
        return None
    middle = others[:, [1, 3]].mean(axis=1)
    order = np.argsort(middle, kind="stable")
    last = int(np.diff(middle[order]).argmax())  # of the upper line
    upper, lower = others[order[: last + 1]], others[order[last + 1 :]]
    first_row, last_row = int(upper[:, 3].max()), int(lower[:, 1].min())
    if last_row < first_row - MAX_INTRUSION * height:
        return None
    first_row, last_row = min(first_row, last_row), max(first_row, last_row)
    crossed = ink[first_row - top : last_row - top + 1].sum(axis=1)
    if not crossed.size or crossed.min() > MAX_CROSSING * np.median(others[:, 3] - others[:, 1]):
        return None
    return first_row + int(np.flatnonzero(crossed == crossed.min())[-1])  # the stroke comes from above, mostly
