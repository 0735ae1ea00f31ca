"""Frames that touch digits: the lines of a box, or of a row of boxes, are cut off from the digits that stand in it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.imaging.foreground import dilate
from inksight.reading.cell_borders import find_cell_borders, find_lines_down
from inksight.reading.connected_lines import erase_connected
from inksight.reading.ruled_lines import MAX_SLOPE, MIN_THICKNESS

MAX_CANDIDATES = 100  # connected components that may hold a frame: the largest
MIN_HEIGHT = 20  # pixels: lower components are no frames
MIN_ASPECT = 0.6  # width / height
MIN_STRAIGHT = 0.5  # of the upper and of the lower outline that lies on a straight line: digits may stick out
MAX_THICKNESS = 0.12  # of the height: lines are thinner
SLOPE_TOLERANCE = 0.02  # of the lines across, beside that of the outline


def cut_off_frames(regions: NDArray[np.int32], boxes: NDArray[np.int64]) -> int:
    """Erase the frames that are connected to digits; change the label map in place.

    Parameters
    ----------
    regions : (height, width) int32
        Label of each pixel's component, from 1 to n; 0 is paper. Parts that are cut off get labels from n + 1.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.

    Returns
    -------
    int
        Number of frames.

    Examples
    --------
    >>> regions = np.zeros((60, 120), np.int32)
    >>> regions[[5, 55], 10:111] = regions[5:56, [10, 60, 110]] = 1
    >>> regions[5:45, 30:36] = 1  # a stroke that touches the frame
    >>> cut_off_frames(regions, np.array([[10, 5, 111, 56]])), np.unique(np.nonzero(regions)[1]).tolist()
    (1, [29, 30, 31, 32, 33, 34, 35, 36])
    """
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    large = np.flatnonzero((heights >= MIN_HEIGHT) & (widths >= MIN_ASPECT * heights))
    largest = large[np.argsort(-widths[large], kind="stable")][:MAX_CANDIDATES].tolist()
    return erase_connected(regions, boxes, largest, _frame)


def _frame(ink: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Return the pixels of the frame in the ink of a component; None if there is none, or nothing else."""
    upper, lower = ink.argmax(axis=0), len(ink) - 1 - ink[::-1].argmax(axis=0)
    slopes = [_slope(outline, len(ink)) for outline in (upper, lower)]
    if None in slopes:
        return None
    slope = float(np.mean([slope for slope in slopes if slope is not None]))
    thickness = np.median(np.r_[_outer_run(ink), _outer_run(ink[::-1])])
    max_thickness = round(float(thickness)) + 1
    if max_thickness > max(MIN_THICKNESS, MAX_THICKNESS * len(ink)):
        return None
    leans = (slope - SLOPE_TOLERANCE, slope + SLOPE_TOLERANCE)
    wider = dilate(ink)  # a thin line has gaps, and steps where it is held askew
    across = find_lines_down(wider.T, leans, max_thickness + 2).T
    if not across.any():
        return None
    borders = find_cell_borders(wider & ~across, across, max_thickness + 2)
    if not borders.any():
        return None
    # Where the lines cross, the ink is thicker than a line.
    along, beside = 2 * (2 * max_thickness) + 1, 5
    crossings = ndimage.maximum_filter(across, (beside, along)) & ndimage.maximum_filter(borders, (along, beside))
    frame: NDArray[np.bool_] = ink & (across | borders | crossings)
    return frame if (ink & ~frame).any() else None


def _slope(outline: NDArray[np.int64], height: int) -> float | None:
    """Return the slope of the straight line on which most of an outline lies; None if there is none."""
    columns = np.arange(len(outline))
    third = max(len(outline) // 3, 1)
    start, end = np.median(outline[:third]), np.median(outline[-third:])
    slope = float(end - start) / max(len(outline) - third, 1)
    level = np.median(outline - slope * columns)
    straight = np.abs(outline - slope * columns - level) <= max(0.03 * height, 1.5)
    return slope if straight.mean() >= MIN_STRAIGHT and abs(slope) <= MAX_SLOPE else None


def _outer_run(ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the length of the highest run of ink in each column."""
    below = np.arange(len(ink))[:, None] >= ink.argmax(axis=0)
    length: NDArray[np.int64] = (np.minimum.accumulate(ink | ~below, axis=0) & below).sum(axis=0)
    return length
