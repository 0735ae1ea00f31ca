"""The sheet that is written on, where a photo shows more: table, cloth or floor around it are no paper."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

COARSE = 160  # cells, the longer side of the picture, in which the sheet is sought
PAPER = 0.7  # of a cell's pixels that are paper, in a cell that is
NARROW = 4  # cells: whatever paper is narrower is no part of a sheet
LEAST = 0.3  # of the picture that a sheet covers
OTHER = 0.1  # of what is around it, at most, that is as smooth: else it is the same sheet, and a line parts them
FULL = 0.9  # of its convex hull that it fills, what is written on it included
MOST = 0.97  # of the picture: what covers more is all of it


def detect_page(paper: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where the sheet is, given which pixels might be paper: everywhere, unless it plainly ends.

    A sheet is one piece without dents, but for what is written or lies on it: the largest smooth part of the picture,
    if that fills its convex hull, and nothing else is as smooth.

    Parameters
    ----------
    paper : (height, width) bool
        Pixels as light as paper, written on or not; the grain of a table has some, too.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> photo = rng.random((200, 300)) < 0.5  # a table's grain
    >>> photo[20:180, 30:260] = True
    >>> photo[80:120, 100:110] = False  # a 1
    >>> found = detect_page(photo)
    >>> bool(found[80:120, 100:110].all()), bool(found[:12].any())
    (True, False)
    """
    everywhere = np.ones(paper.shape, bool)
    cell = -(-max(paper.shape) // COARSE)
    rows, columns = (length // cell for length in paper.shape)
    if min(rows, columns) <= 2 * NARROW:
        return everywhere
    cells = paper[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell).mean(axis=(1, 3)) >= PAPER
    smooth = ndimage.binary_opening(np.pad(cells, NARROW, mode="edge"), np.ones((NARROW, NARROW)))
    smooth = smooth[NARROW:-NARROW, NARROW:-NARROW]
    parts, count = ndimage.label(smooth)
    if not count:
        return everywhere
    sheet = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    filled = ndimage.binary_fill_holes(sheet)
    hull = _hull(filled)
    ends = LEAST * hull.size <= hull.sum() <= MOST * hull.size
    if not ends or filled.sum() < FULL * hull.sum() or smooth[~hull].mean() > OTHER:
        return everywhere
    hull = ndimage.binary_erosion(hull, np.ones((3, 3)), border_value=1)  # a cell at its edge is partly table
    whole = hull.repeat(cell, axis=0).repeat(cell, axis=1)
    return np.pad(whole, [(0, length - size) for length, size in zip(paper.shape, whole.shape, strict=True)], "edge")


def _hull(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells within the convex hull of some."""
    points = np.argwhere(cells)
    try:
        sides = ConvexHull(points).equations
    except QhullError:  # all in a row
        return cells
    places = np.indices(cells.shape).reshape(2, -1)
    inside: NDArray[np.bool_] = (sides[:, :2] @ places + sides[:, 2:] <= 1e-9).all(axis=0)
    return inside.reshape(cells.shape)
