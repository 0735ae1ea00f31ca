"""Thin strokes: where a stroke is so thin that blur makes it pale, the parts of its digit are joined again."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

PALE_SHARE = 0.5  # of the contrast above which there is ink: a thin stroke has more
MAX_CANDIDATES = 200  # connected components that may be parts of a broken digit: the largest
MAX_PART_HEIGHT = 0.65  # of a broken digit's height: a higher part is a digit by itself, or the digit is whole
MAX_LOW_PARTS = 4  # times the number of higher components: with more low ones, a page is texture

# In heights of the page's ink:
MIN_HEIGHT, MAX_HEIGHT = 0.5, 1.5  # of a broken digit
MAX_WIDTH = 1.5
MIN_PART_SIZE = 0.12


def find_thin_strokes(
    pale: NDArray[np.bool_], regions: NDArray[np.int32], boxes: NDArray[np.int64], height: float
) -> NDArray[np.bool_]:
    """Return the ink that joins the parts of broken digits.

    Only low parts are joined. Whole digits stay apart, also where there is pale ink between them.

    Parameters
    ----------
    pale : (height, width) bool
        Where there is ink or a pale stroke.
    regions : (height, width) int32
        Label of each pixel's connected component of ink, from 1 to n; 0 is paper.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.
    height : float
        Height of the page's ink, in pixels.

    Returns
    -------
    (height, width) bool

    Examples
    --------
    >>> pale = np.zeros((60, 60), bool)
    >>> pale[10:50, [20, 40]] = True
    >>> ink = pale & ((np.abs(np.arange(60) - 30) > 3)[:, None] | (np.arange(60) > 30))  # one of two digits is broken
    >>> regions, _ = ndimage.label(ink)
    >>> boxes = np.array([[20, 10, 21, 27], [40, 10, 41, 50], [20, 34, 21, 50]])
    >>> find_thin_strokes(pale, regions, boxes, 40)[27:34].any(axis=0).nonzero()[0].tolist()
    [20]
    """
    found = np.zeros_like(pale)
    size = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
    heights = boxes[:, 3] - boxes[:, 1]
    low = np.flatnonzero((size >= MIN_PART_SIZE * height) & (heights < MAX_PART_HEIGHT * height))
    if len(low) > MAX_LOW_PARTS * (heights >= MAX_PART_HEIGHT * height).sum():
        return found
    for i in low[np.argsort(-size[low], kind="stable")][:MAX_CANDIDATES].tolist():
        left, top, right, bottom = boxes[i]
        reach = int(MAX_HEIGHT * height)
        window = (slice(max(top - reach, 0), bottom + reach), slice(max(left - reach, 0), right + reach))
        own = regions[window] == i + 1
        if found[window][own].any():
            continue
        strokes, _ = ndimage.label(pale[window], np.ones((3, 3)))
        digit = strokes == strokes[own][0]
        rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
        high, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        parts = np.unique(regions[window][digit & (regions[window] > 0)]) - 1
        if (
            MIN_HEIGHT * height <= high <= MAX_HEIGHT * height
            and wide <= MAX_WIDTH * height
            and heights[parts].max() <= MAX_PART_HEIGHT * high
        ):
            found[window] |= digit
    return found
