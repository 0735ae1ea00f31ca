"""Closings and regions of small pictures, as `scipy.ndimage` has them, whose import takes longer than reading one."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def closing(values: Values, window: int) -> Values:
    """Return the least of the greatest values around each, in windows of an odd number of pixels a side.

    Beyond the edges values are those of the edge.

    Examples
    --------
    >>> closing(np.array([[5.0, 1.0, 5.0, 1.0, 1.0, 1.0]]), 3).tolist()
    [[5.0, 5.0, 5.0, 1.0, 1.0, 1.0]]
    """
    return -_greatest(-_greatest(values, window), window)


def _greatest(values: Values, window: int) -> Values:
    """Return the greatest value around each: along one axis, then along the other."""
    for _ in range(2):
        length = len(values)
        greatest = values[np.clip(np.arange(-(window // 2), length + window // 2), 0, length - 1)]
        reach = 1
        while reach < window:  # of windows twice as wide, or of the last two that overlap
            step = min(reach, window - reach)
            greatest = np.maximum(greatest[step:], greatest[:-step])
            reach += step
        values = greatest.T
    return values


def regions(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Return the regions of a mask, numbered: pixels that hang together across edges and corners.

    Parameters
    ----------
    mask : (height, width) bool

    Returns
    -------
    (height, width) int64
        0 outside of the mask, and from 1 in the order of the regions' first pixels.
    int
        How many there are.

    Examples
    --------
    >>> regions(np.array([[1, 0, 0, 1], [0, 1, 0, 1]], bool))
    (array([[1, 0, 0, 2],
           [0, 1, 0, 2]]), 2)
    """
    height, width = mask.shape
    row = width + 2  # with a gap between rows, in which every run of pixels ends
    apart = np.zeros((height, row), np.int8)
    apart[:, 1:-1] = mask
    turns = np.flatnonzero(np.diff(apart.ravel())) + 1
    starts, ends = turns[::2], turns[1::2]
    # Runs that each one touches in the row below it.
    first = np.searchsorted(ends, starts + row, "left").tolist()
    beyond = np.searchsorted(starts, ends + row, "right").tolist()
    home = list(range(len(starts)))  # of each run one before it in its region, or itself
    for run in home.copy():
        for other in range(first[run], beyond[run]):
            one, two = _first(home, run), _first(home, other)
            home[max(one, two)] = min(one, two)
    names, count = [0] * len(home), 0
    for run, before in enumerate(home):
        count += before == run
        names[run] = count if before == run else names[before]
    found = np.zeros(mask.shape, np.int64)
    found[mask] = np.repeat(np.array(names, np.int64), ends - starts)
    return found, count


def _first(home: list[int], run: int) -> int:
    while home[run] != run:
        home[run] = run = home[home[run]]
    return run
