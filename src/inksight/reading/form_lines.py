"""Lines that forms have around and under what is written on them: frames, rows of boxes, underlines."""

import numpy as np
from numpy.typing import NDArray

MOST = 500  # pieces of ink that may be lines: the longest
LONG = 5.0  # times as long as high: an underline, even one that is held askew
COVERED = 0.9  # of an underline's columns that have one stretch of ink, and no second
EMPTY = 0.3  # of a frame's extent that is ink, at most
INSIDE = 0.3  # of a frame's height that something written in it has


def find_form_lines(
    regions: NDArray[np.int32], boxes: NDArray[np.int64], mass: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say which pieces of ink are frames or underlines.

    Parameters
    ----------
    regions : (height, width) int32
        The number of the piece that each pixel belongs to, from 1; 0 is paper.
    boxes : (n, 4) int64
        Of each piece: left, top, right, bottom, in pixels.
    mass : (n,) float64
        Pixels of each piece.

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
    found = np.zeros(len(boxes), bool)
    wide, tall = (boxes[:, 2:] - boxes[:, :2]).T
    for i in np.argsort(-(wide + tall), kind="stable")[:MOST].tolist():
        left, top, right, bottom = boxes[i]
        if wide[i] >= LONG * tall[i]:
            own = np.pad(regions[top:bottom, left:right] == i + 1, [(1, 0), (0, 0)])
            stretches = (np.diff(own.astype(np.int8), axis=0) == 1).sum(axis=0)
            found[i] = (stretches == 1).mean() >= COVERED
        elif mass[i] <= EMPTY * wide[i] * tall[i]:
            within = (boxes[:, :2] > boxes[i, :2]).all(axis=1) & (boxes[:, 2:] < boxes[i, 2:]).all(axis=1)
            found[i] = bool((within & (tall >= INSIDE * tall[i])).any())
    return found
