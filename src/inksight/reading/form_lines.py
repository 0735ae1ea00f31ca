"""Form lines: frames and underlines around what is written on a form; see `cell_borders` for rows of boxes."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

MAX_CANDIDATES = 500  # connected components that may be form lines: the largest
MIN_UNDERLINE_ASPECT = 5.0  # width / height of an underline, even of one held askew
MIN_SINGLE_RUNS = 0.9  # of an underline's columns that have exactly one run of ink
MAX_FRAME_FILL = 0.3  # of a frame's bounding box that is ink
MIN_CONTENT_HEIGHT = 0.3  # of a frame's height that something written in it has
MIN_LINE_LENGTH = 1 / 3  # of a frame's height: straight ink that is longer is a line of it
OUTLINE = 0.08  # of a frame's height, at least 3 pixels: how far from its outside its own ink is
LINE_EDGE = 2  # pixels beside a line that belong to it


def find_form_lines(
    regions: NDArray[np.int32], boxes: NDArray[np.int64], mass: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which connected components are frames or underlines.

    Parameters
    ----------
    regions : (height, width) int32
        Label of each pixel's component, from 1; 0 is paper.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.
    mass : (n,) float64
        Number of pixels of each component.

    Returns
    -------
    (n,) bool

    Examples
    --------
    >>> page = np.zeros((60, 100), np.int32)
    >>> page[5:55, 10:90] = 1
    >>> page[7:53, 12:88] = 0
    >>> page[20:40, 30:34] = 2
    >>> find_form_lines(page, np.array([[10, 5, 90, 55], [30, 20, 34, 40]]), np.array([504.0, 80.0]))
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
            if (inside & (heights >= MIN_CONTENT_HEIGHT * heights[i])).any():
                is_line[i] = not _touches_writing(regions[top:bottom, left:right] == i + 1)
    return is_line


def _touches_writing(frame: NDArray[np.bool_]) -> bool:
    """Return whether a frame, given by its ink, is connected to something written in it."""
    height = len(frame)
    length, edge = max(round(MIN_LINE_LENGTH * height), 3), 2 * LINE_EDGE + 1
    lines = ndimage.binary_opening(frame, np.ones((1, length))) | ndimage.binary_opening(frame, np.ones((length, 1)))
    enclosed = np.ones_like(frame)  # by ink on all four sides, also where a line has gaps
    for axis in (0, 1):
        for direction in (slice(None), slice(None, None, -1)):
            along = np.moveaxis(frame, axis, 0)[direction]
            np.moveaxis(enclosed, axis, 0)[direction] &= np.maximum.accumulate(along, axis=0)
    reach = 2 * max(round(OUTLINE * height), 3) + 1
    near_outside = ndimage.maximum_filter(~enclosed, reach, mode="constant", cval=1)
    writing, _ = ndimage.label(frame & ~near_outside & ~ndimage.maximum_filter(lines, edge), np.ones((3, 3)))
    return any(down.stop - down.start >= MIN_CONTENT_HEIGHT * height for down, _ in ndimage.find_objects(writing))
