"""Page detection: the page on a photo that also shows the table, cloth or floor around it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.imaging.resampling import block_mean

MAX_CELLS = 160  # on the longer side of the picture: the page is sought on a grid of square cells
MIN_PAPER_SHARE = 0.7  # of a cell's pixels: a cell with less is not paper
MIN_PAGE_WIDTH = 4  # cells: narrower regions of paper are not part of a page
MIN_PAGE_AREA = 0.3  # of the picture: a smaller region is not a page
MAX_PAGE_AREA = 0.97  # of the picture: a larger page fills it
MIN_HULL_FILL = 0.9  # of its convex hull: a page fills at least this much, counting what is written on it
MAX_PAPER_OUTSIDE = 0.1  # of the cells outside the hull: with more paper there, a line divides one page


def detect_page(paper: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask of the page; it is True everywhere unless the page clearly ends within the picture.

    The page is the convex hull of the largest region of paper, if the region fills its hull and there is hardly any
    paper outside.

    Parameters
    ----------
    paper : (height, width) bool
        Pixels as light as paper. The grain of a table has some, too.

    Returns
    -------
    (height, width) bool

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> photo = rng.random((200, 300)) < 0.5  # a table's grain
    >>> photo[20:180, 30:260] = True
    >>> photo[80:120, 100:110] = False  # a 1
    >>> page = detect_page(photo)
    >>> bool(page[80:120, 100:110].all()), bool(page[:12].any())
    (True, False)
    """
    everywhere = np.ones(paper.shape, bool)
    cell = -(-max(paper.shape) // MAX_CELLS)  # pixels a side
    rows, columns = (length // cell for length in paper.shape)
    if min(rows, columns) <= 2 * MIN_PAGE_WIDTH:
        return everywhere
    share = block_mean(paper[: rows * cell, : columns * cell].astype(np.float64), cell)
    cells = np.pad(share >= MIN_PAPER_SHARE, MIN_PAGE_WIDTH, mode="edge")
    cells = ndimage.binary_opening(cells, np.ones((MIN_PAGE_WIDTH, MIN_PAGE_WIDTH)))
    cells = cells[MIN_PAGE_WIDTH:-MIN_PAGE_WIDTH, MIN_PAGE_WIDTH:-MIN_PAGE_WIDTH]
    components, count = ndimage.label(cells)
    if not count:
        return everywhere
    largest = np.bincount(components.ravel())[1:].argmax() + 1
    region = ndimage.binary_fill_holes(components == largest)
    if region.sum() > MAX_PAGE_AREA * region.size:  # and so has its hull, which takes long
        return everywhere
    hull = _convex_hull(region)
    if not MIN_PAGE_AREA * hull.size <= hull.sum() <= MAX_PAGE_AREA * hull.size:
        return everywhere
    if region.sum() < MIN_HULL_FILL * hull.sum() or cells[~hull].mean() > MAX_PAPER_OUTSIDE:
        return everywhere
    hull = ndimage.binary_erosion(hull, np.ones((3, 3)), border_value=1)  # cells on the page's edge are partly table
    mask = hull.repeat(cell, axis=0).repeat(cell, axis=1)
    return np.pad(mask, [(0, length - size) for length, size in zip(paper.shape, mask.shape, strict=True)], "edge")


def _convex_hull(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells within the convex hull of the given cells."""
    from scipy.spatial import ConvexHull, QhullError  # which takes long to import; most pictures are all page

    points = np.argwhere(cells)
    try:
        sides = ConvexHull(points).equations
    except QhullError:  # all cells are in a row
        return cells
    positions = np.indices(cells.shape).reshape(2, -1)
    inside: NDArray[np.bool_] = (sides[:, :2] @ positions + sides[:, 2:] <= 1e-9).all(axis=0)
    return inside.reshape(cells.shape)
