"""Cell borders: thin, straight lines between two ruled lines that divide a row of boxes, also where digits touch."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.reading.ruled_lines import MAX_SLOPE, MAX_THICKNESS, MIN_THICKNESS, open_rows

SLOPE_STEP = 0.004  # between the slopes of ruled lines that are tried
MIN_LINE_SHARE = 0.25  # of the longer side: ruled lines that enclose a row of cells are at least so long
SAMPLE = 1 << 12  # pixels of ruled lines from which their slope is estimated
MIN_HEIGHT = 12  # pixels: lower rows are not cells
MAX_LEAN = 0.06  # pixels across per pixel down, either way, by which a border departs from the perpendicular
MIN_COVERAGE = 0.92  # of a border's rows that have ink
MIN_THIN = 0.4  # of a border's rows in which it is thin: elsewhere, a digit touches it
END_SHARE = 0.04  # of a row's height that is not looked at, beside each ruled line


def find_cell_borders(mask: NDArray[np.bool_], ruled: NDArray[np.bool_], max_thickness: int = 0) -> NDArray[np.bool_]:
    """Return the pixels of the borders between the cells of rows whose upper and lower edges are ruled lines.

    There are at least two borders in a row: a single one may be a digit 1 that reaches from line to line. Where the
    stroke of a digit touches a border, the ink is thicker than the border, and stays.

    Parameters
    ----------
    mask : (height, width) bool
        Where there is ink.
    ruled : (height, width) bool
        Where there are ruled lines, roughly horizontal.
    max_thickness : int
        Pixels: borders are not thicker. By default, as much as ruled lines.

    Returns
    -------
    (height, width) bool

    Examples
    --------
    >>> page, ruled = np.zeros((2, 60, 200), bool)
    >>> page[10:50, [20, 60, 100]] = page[28:32, 40:60] = True  # three borders; a stroke touches one
    >>> ruled[[10, 50], 20:101] = True
    >>> borders = find_cell_borders(page, ruled)
    >>> borders[14:46, [20, 100]].all(), borders[14:26, 60].all(), borders[28:32, 40:60].any()
    (np.True_, np.True_, np.False_)
    """
    found = np.zeros(mask.shape, bool)
    slope, levels = _levels(ruled)
    columns = np.arange(mask.shape[1])
    shift = np.round(slope * columns).astype(np.int64)
    max_thickness = max_thickness or int(max(MIN_THICKNESS, max(mask.shape) * MAX_THICKNESS))
    leans = (-MAX_LEAN - slope, MAX_LEAN - slope)  # a form held askew leans as a whole
    for upper, lower in pairwise(levels):
        if lower - upper < MIN_HEIGHT:
            continue
        end = max(round(END_SHARE * (lower - upper)), 2)
        rows = np.arange(upper + end, lower - end)[:, None] + shift
        inside = (rows >= 0) & (rows < mask.shape[0])
        strip = mask[rows.clip(0, mask.shape[0] - 1), columns] & inside
        borders = find_lines_down(strip, leans, max_thickness)
        found[rows[borders], np.broadcast_to(columns, rows.shape)[borders]] = True
    return found


def _levels(ruled: NDArray[np.bool_]) -> tuple[float, list[int]]:
    """Return the slope of ruled lines, and the row at which each of them meets the left side, from top to bottom."""
    y, x = np.nonzero(ruled)
    if not y.size:
        return 0.0, []

    def profile(slope: float, step: int = 1) -> tuple[int, NDArray[np.int64]]:
        level = np.round(y[::step] - slope * x[::step]).astype(np.int64)
        return int(level.min()), np.bincount(level - level.min())

    slopes, step = np.arange(-MAX_SLOPE, MAX_SLOPE + SLOPE_STEP / 2, SLOPE_STEP), -(-y.size // SAMPLE)
    best = float(max(slopes, key=lambda slope: float((profile(slope, step)[1].astype(np.float64) ** 2).sum())))
    first, counts = profile(best)
    smooth = ndimage.uniform_filter1d(counts.astype(np.float64), 3, mode="constant") * 3  # a line lies on a few levels
    lines, count = ndimage.label(smooth >= MIN_LINE_SHARE * max(ruled.shape))
    return best, [first + round(row) for (row,) in ndimage.center_of_mass(smooth, lines, range(1, count + 1))]


def find_lines_down(strip: NDArray[np.bool_], leans: tuple[float, float], max_thickness: int) -> NDArray[np.bool_]:
    """Return the pixels of thin, straight lines that run from the top of a strip of ink to its bottom.

    There are none if there are fewer than two. Where a stroke touches a line, the ink is thicker than it, and stays.

    Parameters
    ----------
    strip : (height, width) bool
        Where there is ink.
    leans : (float, float)
        Pixels across per pixel down, at least and at most.
    max_thickness : int
        Pixels, at most.

    Returns
    -------
    (height, width) bool

    Examples
    --------
    >>> strip = np.zeros((30, 60), bool)
    >>> strip[:, [10, 40]] = strip[12:18, 40:50] = True
    >>> lines = find_lines_down(strip, (-0.05, 0.05), 3)
    >>> lines[:12, [10, 40]].all(), lines[:, 41:].any()
    (np.True_, np.False_)
    """
    height, width = strip.shape
    lines = np.zeros(strip.shape, bool)
    reach = int(np.abs(leans).max() * height / 2) + 1
    thin = strip & ~open_rows(strip, max_thickness + 1)
    coverage, thin_coverage = (
        ndimage.maximum_filter1d(mask, 2 * reach + 1, axis=1).mean(axis=0) for mask in (strip, thin)
    )
    # The only ones where a line may be:
    columns = np.flatnonzero((coverage >= MIN_COVERAGE) & (thin_coverage >= MIN_THIN))
    if columns.size < 2:
        return lines
    rows, found = np.arange(height)[:, None], np.zeros(width, bool)
    for lean in np.arange(leans[0], leans[1] + 1e-9, 1 / height):
        path = (columns + np.round(lean * (rows - height / 2)).astype(np.int64)).clip(0, width - 1)
        is_line = strip[rows, path].mean(axis=0) >= MIN_COVERAGE
        is_line &= thin[rows, path].mean(axis=0) >= MIN_THIN
        found[columns[is_line]] = True
        for offset in range(-max_thickness, max_thickness + 1):
            beside = (path[:, is_line] + offset).clip(0, width - 1)
            lines[rows, beside] |= thin[rows, beside]
    apart = (np.diff(np.flatnonzero(found)) > 2 * max_thickness).any()
    return lines if apart else np.zeros_like(lines)
