"""Underlines that touch digits: a stroke under a number is cut off from the digits that stand on it."""

import numpy as np
from numpy.typing import NDArray

from inksight.reading.connected_lines import erase_connected

MAX_CANDIDATES = 100  # connected components that may hold an underline: the widest

# In heights of the component:
MIN_LENGTH = 1.5  # of an underline: the foot of a 2 is shorter
MAX_THICKNESS = 0.2
MAX_BEND = 0.05  # departure from a parabola
MIN_LEVEL = 0.6  # of its middle, below the top of the component
MIN_WRITING = 0.4  # of what stands on it

MIN_SHARE = 0.5  # of its columns in which no digit touches it
MIN_CONTINUITY = 0.97  # of its columns that have ink at its level
SAMPLES = 8  # columns, of which each two are tried as points of the underline
CONTRAST = 2.0  # times its median thickness: where the ink is thicker, a digit touches it


def cut_off_underlines(regions: NDArray[np.int32], boxes: NDArray[np.int64]) -> int:
    """Erase the underlines that are connected to digits; change the label map in place.

    Where the stroke of a digit goes on below its underline, the ink stays.

    Parameters
    ----------
    regions : (height, width) int32
        Label of each pixel's component, from 1 to n; 0 is paper. Parts that are cut off get labels from n + 1.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.

    Returns
    -------
    int
        Number of underlines.

    Examples
    --------
    >>> regions = np.zeros((60, 120), np.int32)
    >>> regions[10:50, [30, 60]] = regions[50:52, 20:100] = 1  # an underlined 11
    >>> cut_off_underlines(regions, np.array([[20, 10, 100, 52]])), (regions[50:52] > 0).any(axis=0).sum()
    (1, np.int64(0))
    """
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    wide = np.flatnonzero(widths >= MIN_LENGTH * heights)
    longest = wide[np.argsort(-widths[wide], kind="stable")][:MAX_CANDIDATES].tolist()
    return erase_connected(regions, boxes, longest, _underline)


def _underline(ink: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Return the pixels of the underline in the ink of a component; None if there is none."""
    height, width = ink.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)
    # The lowest run of ink in each column, from the bottom up.
    turned = ink[::-1]
    start = turned.argmax(axis=0)
    thickness = np.minimum.accumulate(turned | (rows < start), axis=0).sum(axis=0) - start
    middle = height - start - thickness / 2
    tolerance = max(MAX_BEND * height, 1.5)
    thin = np.flatnonzero((thickness <= max(MAX_THICKNESS * height, 3)) & (middle >= MIN_LEVEL * height))
    if len(thin) < MIN_SHARE * MIN_LENGTH * height:
        return None
    few, found = thin[:: max(len(thin) // SAMPLES, 1)], thin[:0]
    for one in few:  # of the lines through two columns, the one that most columns agree with
        for other in few[few >= one + width / 4]:
            level = middle[one] + (middle[other] - middle[one]) / (other - one) * (thin - one)
            near = thin[np.abs(middle[thin] - level) <= tolerance]
            found = near if len(near) > len(found) else found
    if len(found) < 3:
        return None
    level = np.polyval(np.polyfit(found, middle[found], 2), columns)
    found = thin[np.abs(middle[thin] - level[thin]) <= tolerance]
    found = found[thickness[found] <= CONTRAST * np.median(thickness[found])] if len(found) else found
    if not len(found):
        return None
    length = int(found[-1] - found[0]) + 1
    if length < MIN_LENGTH * height or len(found) < MIN_SHARE * length:
        return None
    half = float(np.median(thickness[found])) / 2
    span = slice(found[0], found[-1] + 1)
    if (ink & (np.abs(rows + 0.5 - level) <= half + 1))[:, span].any(axis=0).mean() < MIN_CONTINUITY:
        return None  # the lower edges of touching digits
    ends_there = height - start <= level + half + tolerance  # no stroke goes on below
    line = ink & (rows + 0.5 >= level - half) & ends_there & (columns >= found[0]) & (columns <= found[-1])
    line[:, found] |= ink[:, found] & (np.abs(rows + 0.5 - middle[found]) <= thickness[found] / 2)
    writing = np.flatnonzero((ink & ~line).any(axis=1))
    return line if len(writing) and writing[-1] - writing[0] >= MIN_WRITING * height else None
