"""Ruled lines: long thin straight lines across or down a page."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BLOCKS = 24  # parts of the longer side in which a ruled line is followed
RULED = 8  # such parts in a row that a ruled line has at least; across a narrow page, nearly all there are
COVERED = 0.7  # of a ruled line's length that shows
STEEPEST = 0.25  # fall of a ruled line, in pixels a pixel: that of a page held slantwise
THICK = 1 / 120  # of the longer side: ruled lines are thinner
RUNS = 100_000  # stretches of ink: more are no lined paper, but texture


def find_ruled_lines(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels of a mask belong to long thin straight lines, down or across, more or less.

    What crosses a line is thicker there than the line, and stays.

    Examples
    --------
    >>> page = np.zeros((60, 200), bool)
    >>> page[30:32] = True
    >>> page[10:50, 90:95] = True
    >>> found = find_ruled_lines(page)
    >>> found[30:32].mean(), found[10:50, 90:95].any()
    (np.float64(0.95), np.False_)
    """
    found = _ruled_across(mask)
    found |= _ruled_across(mask.T).T
    return found


def _ruled_across(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of lines that run across.

    Every column's stretches of ink are points, if they are thin. Seen along a slope, a line's points fall on one
    height, part by part of the page's width; seen along another they scatter.
    """
    height, width = mask.shape
    longer = max(mask.shape)
    none = np.zeros(mask.shape, bool)
    edges = np.diff(np.pad(mask.T, [(0, 0), (1, 1)]).astype(np.int8), axis=1)
    x, first = np.nonzero(edges == 1)
    last = np.nonzero(edges == -1)[1]
    thin = last - first <= max(3, longer * THICK)
    x, first, last = x[thin], first[thin], last[thin]
    if not 0 < x.size <= RUNS:
        return none
    part = max(longer / BLOCKS, 4.0)
    parts = int(np.ceil(width / part))
    least = min(RULED, max(int(0.9 * width / part), 2))
    middle, block = (first + last - 1) / 2, (x / part).astype(np.int64)
    lengths = np.bincount(np.minimum((np.arange(width) / part).astype(np.int64), parts - 1), minlength=parts)
    ruled = np.zeros(x.size, bool)
    step = 2 / (least * part)  # a line drifts by two pixels at most over its shortest length
    reach = int((STEEPEST + step) * width) + 2
    for slope in np.arange(-STEEPEST, STEEPEST + step, step):
        key = (middle - slope * x + reach).astype(np.int64)
        table = np.bincount(key * parts + block, minlength=(height + 2 * reach + 1) * parts).reshape(-1, parts)
        table[1:] += table[:-1].copy()  # a line two pixels wide, that of a key and the one before
        full = table >= COVERED * lengths
        if not full.any():
            continue
        full = ndimage.binary_opening(full, np.ones((1, least)))
        full[:-1] |= full[1:]
        ruled |= full[key, block]
    if not ruled.any():
        return none
    ruled &= last - first <= np.median((last - first)[ruled]) + 2
    # Sums along each column of +1 where a stretch begins and -1 where it ends.
    ends = np.zeros((height + 1, width), np.int8)
    ends[first[ruled], x[ruled]] = 1
    np.subtract.at(ends, (last[ruled], x[ruled]), 1)
    return np.cumsum(ends[:-1], axis=0, dtype=np.int8) > 0
