"""Boxes of writing in reading order: which stand on one line, and the slope of the lines of a page held askew."""

import numpy as np
from numpy.typing import NDArray

FAR = 4.0  # heights: neighbours in a line are not farther apart
OVERLAP = 0.4  # of the lower one's height that neighbours in a line have in common
APART = 0.5  # of a height: lines closer than that are one
ROUNDS = 3  # of finding neighbours, and from them the slope

Boxes = NDArray[np.float64]  # (n, 4): left, top, width, height


def group_into_lines(boxes: Boxes) -> list[list[int]]:
    """Return the boxes of each line by number, top to bottom, and in each line left to right.

    Parameters
    ----------
    boxes : (n, 4) float64
        Left, top, width and height, in pixels.

    Examples
    --------
    >>> group_into_lines(np.array([[90.0, 2, 20, 30], [40, 0, 20, 30], [42, 60, 20, 30], [0, 64, 20, 30]]))
    [[1, 0], [3, 2]]
    """
    if not len(boxes):
        return []
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    height, slope = float(np.median(boxes[:, 3])), 0.0
    chain = np.arange(len(boxes))
    for _ in range(ROUNDS):
        level = centres[:, 1] - slope * centres[:, 0]
        chain = _chains(centres[:, 0], level, boxes[:, 3], height)
        slope = _common_slope(centres, chain)
    level = centres[:, 1] - slope * centres[:, 0]
    lines: list[list[int]] = []
    order = sorted(set(chain.tolist()), key=lambda name: float(np.mean(level[chain == name])))
    for name in order:
        members = np.flatnonzero(chain == name).tolist()
        if lines and np.mean(level[members]) - np.mean(level[lines[-1]]) < APART * height:
            lines[-1] += members
        else:
            lines.append(members)
    return [sorted(line, key=lambda i: float(centres[i, 0])) for line in lines]


def _chains(
    x: NDArray[np.float64], level: NDArray[np.float64], tall: NDArray[np.float64], height: float
) -> NDArray[np.int64]:
    """Return for each box the name of the chain it is in: each box is linked to the nearest on its right."""
    ahead = x[None, :] - x[:, None]
    common = np.minimum.outer(level + tall / 2, level + tall / 2) - np.maximum.outer(level - tall / 2, level - tall / 2)
    beside = (common >= OVERLAP * np.minimum.outer(tall, tall)) & (ahead > 0) & (ahead <= FAR * height)
    nearest = np.where(beside, ahead, np.inf).argmin(axis=1)
    chain = np.arange(len(x))
    for i in np.flatnonzero(beside.any(axis=1)):
        chain[chain == chain[i]] = chain[nearest[i]]
    return chain


def _common_slope(centres: NDArray[np.float64], chain: NDArray[np.int64]) -> float:
    """Return the slope that fits all chains best, each at its own height, by least squares."""
    _, name = np.unique(chain, return_inverse=True)
    count = np.bincount(name)
    x, y = (centres[:, axis] - (np.bincount(name, centres[:, axis]) / count)[name] for axis in (0, 1))
    spread = float((x * x).sum())
    return float((x * y).sum()) / spread if spread > 0 else 0.0
