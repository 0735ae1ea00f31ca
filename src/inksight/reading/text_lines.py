"""Text lines: boxes grouped into lines in reading order, on pages that may be held askew."""

import numpy as np
from numpy.typing import NDArray

MAX_NEIGHBOUR_DISTANCE = 4.0  # median box heights between the centers of neighbours in a line
MIN_VERTICAL_OVERLAP = 0.4  # of the lower box's height that neighbours in a line share
MIN_LINE_DISTANCE = 0.5  # median box heights: chains closer than this are one line
SKEW_ROUNDS = 3  # of linking neighbours and estimating the skew from the links

Boxes = NDArray[np.float64]  # (n, 4): left, top, width, height


def group_into_lines(boxes: Boxes) -> list[list[int]]:
    """Group boxes into lines: lines from top to bottom, the boxes of each line from left to right.

    Parameters
    ----------
    boxes : (n, 4) float64
        Left, top, width and height, in pixels.

    Returns
    -------
    list of lists of int
        Row numbers of the boxes of each line.

    Examples
    --------
    >>> group_into_lines(np.array([[90.0, 2, 20, 30], [40, 0, 20, 30], [42, 60, 20, 30], [0, 64, 20, 30]]))
    [[1, 0], [3, 2]]
    """
    if not len(boxes):
        return []
    centers = boxes[:, :2] + boxes[:, 2:] / 2
    median_height, slope = float(np.median(boxes[:, 3])), 0.0
    chain_of = np.arange(len(boxes))
    for _ in range(SKEW_ROUNDS):
        level = centers[:, 1] - slope * centers[:, 0]
        chain_of = _link_neighbours(centers[:, 0], level, boxes[:, 3], median_height)
        slope = _common_slope(centers, chain_of)
    level = centers[:, 1] - slope * centers[:, 0]
    lines: list[list[int]] = []
    for chain in sorted(set(chain_of.tolist()), key=lambda chain: float(np.mean(level[chain_of == chain]))):
        members = np.flatnonzero(chain_of == chain).tolist()
        if lines and np.mean(level[members]) - np.mean(level[lines[-1]]) < MIN_LINE_DISTANCE * median_height:
            lines[-1] += members
        else:
            lines.append(members)
    return [sorted(line, key=lambda i: float(centers[i, 0])) for line in lines]


def _link_neighbours(
    x: NDArray[np.float64], level: NDArray[np.float64], heights: NDArray[np.float64], median_height: float
) -> NDArray[np.int64]:
    """Link each box to the nearest one on its right; return the number of the chain that each box is in, (n,).

    `x` and `level` are the boxes' centers, the level after the skew is removed.
    """
    distance = x[None, :] - x[:, None]
    top, bottom = level - heights / 2, level + heights / 2
    overlap = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    linkable = overlap >= MIN_VERTICAL_OVERLAP * np.minimum.outer(heights, heights)
    linkable &= (distance > 0) & (distance <= MAX_NEIGHBOUR_DISTANCE * median_height)
    nearest = np.where(linkable, distance, np.inf).argmin(axis=1)
    chain_of = np.arange(len(x))
    for i in np.flatnonzero(linkable.any(axis=1)):
        chain_of[chain_of == chain_of[i]] = chain_of[nearest[i]]
    return chain_of


def _common_slope(centers: NDArray[np.float64], chain_of: NDArray[np.int64]) -> float:
    """Return the slope of the parallel lines that fit the chains best, by least squares."""
    _, chain = np.unique(chain_of, return_inverse=True)
    count = np.bincount(chain)
    x, y = (centers[:, axis] - (np.bincount(chain, centers[:, axis]) / count)[chain] for axis in (0, 1))
    spread = float((x * x).sum())
    return float((x * y).sum()) / spread if spread > 0 else 0.0
