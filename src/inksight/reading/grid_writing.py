"""What is written in the cells of a rectified grid: nothing, a number, or candidates (small notes, as in a Sudoku)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.reading.components import stack_boxes
from inksight.reading.grid import Content
from inksight.reading.grid_cells import CELL_SIZE, RectifiedGrid

TYPICAL_QUANTILE = 0.75  # of the heights of writing: that of a typical digit, though many cells may hold candidates
MIN_TYPICAL = 0.2  # of `CELL_SIZE`: height of a typical digit, at least
# In heights of a typical digit:
MIN_WRITING = 0.3  # what is lower than this, and narrower than a dash, is dirt
MIN_DASH = 0.6  # width of a dash, which is not a digit, but not dirt
MIN_PART = 0.15  # smaller components are not parts of a digit
MAX_SMALL = 0.6  # what is lower and narrower holds candidates
MAX_CANDIDATE = 1.1  # height of candidates that are joined or larger, but far from where digits are
MIN_OFFSET = 0.09  # of the cell's height: distance of the middle of such candidates from that of digits, at least
MIN_DIGITS = 10  # in a grid: from fewer it is not known where digits are
MIN_FREE = 0.3  # of the cell's height that such candidates leave free above or below, at least
CERTAIN = 0.25  # relative distance from a threshold at which there is no doubt


@dataclass(frozen=True)
class Writing:
    """What is written in a cell.

    Parameters
    ----------
    content : {"blank", "digits", "candidates"}
    glyphs : tuple of tuples of int
        The digits from left to right: for each, the labels of its components of ink.
    certainty : float
        How sure `content` is, 0.5..1, by how far the sizes and places are from the limits.
    """

    content: Content
    glyphs: tuple[tuple[int, ...], ...] = ()
    certainty: float = 1.0


def find_writing(grid: RectifiedGrid) -> list[list[Writing]]:
    """Return what is written in each cell, row by row."""
    boxes = _boxes(grid.labels)
    cell_of = _cells(grid, boxes)
    sizes = boxes[:, 2:] - boxes[:, :2]
    rows, columns = len(grid.rows) - 1, len(grid.columns) - 1
    cells = [np.flatnonzero(cell_of == cell) for cell in range(rows * columns)]
    tallest = np.array([sizes[own, 1].max(initial=0) for own in cells])
    tallest = tallest[tallest >= MIN_TYPICAL * CELL_SIZE]
    typical = float(np.quantile(tallest, TYPICAL_QUANTILE)) if len(tallest) else CELL_SIZE / 2
    is_writing = (sizes[:, 1] >= MIN_WRITING * typical) | (sizes[:, 0] >= MIN_DASH * typical)
    places = np.array([_place(grid, boxes[own[is_writing[own]]]) for own in cells])
    is_digit = np.array([sizes[own, 1].max(initial=0) > MAX_SMALL * typical for own in cells])
    usual = float(np.median(places[is_digit].mean(axis=1))) if is_digit.any() else 0.5
    aside = np.minimum(
        np.abs(places.mean(axis=1) - usual) / MIN_OFFSET, np.maximum(places[:, 0], 1 - places[:, 1]) / MIN_FREE
    )
    if is_digit.sum() < MIN_DIGITS:
        aside[:] = 0
    found = [
        _writing(boxes[own], own + 1, is_writing[own], typical, how_far)
        for own, how_far in zip(cells, aside.tolist(), strict=True)
    ]
    return [found[start : start + columns] for start in range(0, len(found), columns)]


def _writing(
    boxes: NDArray[np.int64],
    labels: NDArray[np.int64],
    is_writing: NDArray[np.bool_],
    typical: float,
    aside: float,
) -> Writing:
    """Return what the components of ink in a cell are, given by their boxes and labels.

    `is_writing` says which are not dirt, if they stand alone; `aside`, how far they are from where digits usually are:
    1 or more is the place of candidates.
    """
    sizes = (boxes[:, 2:] - boxes[:, :2]) / typical
    if not is_writing.any():
        return Writing("blank", certainty=_certainty(1 - sizes[:, 1].max(initial=0) / MIN_WRITING))
    excess = 1 - sizes[is_writing].max() / MAX_SMALL
    if sizes[:, 1].max() <= MAX_CANDIDATE:
        excess = max(excess, aside - 1)
    parts = np.flatnonzero(sizes.max(axis=1) >= MIN_PART)
    stacks = [parts[stack] for stack in stack_boxes(boxes[parts], typical)]
    glyphs = [stack for stack in stacks if is_writing[stack].any()]
    glyphs.sort(key=lambda glyph: int(boxes[glyph, 0].min() + boxes[glyph, 2].max()))
    as_labels = tuple(tuple(labels[glyph].tolist()) for glyph in glyphs)
    return Writing("candidates" if excess > 0 else "digits", as_labels, _certainty(abs(excess)))


def _certainty(distance: float) -> float:
    """Return 0.5 at a threshold, and 1 at a relative distance from it at which there is no doubt."""
    return 0.5 + 0.5 * min(distance / CERTAIN, 1.0)


def _cells(grid: RectifiedGrid, boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the cell that the middle of each box is in, (n,), row by row; -1 outside the grid."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    rows, columns = len(grid.rows) - 1, len(grid.columns) - 1
    row, column = np.searchsorted(grid.rows, middle[:, 1]) - 1, np.searchsorted(grid.columns, middle[:, 0]) - 1
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    return np.where(inside, row * columns + column, -1)


def _place(grid: RectifiedGrid, boxes: NDArray[np.int64]) -> tuple[float, float]:
    """Return how far down in its cell what is written begins and ends, 0..1; (0, 1) if there is nothing."""
    if not len(boxes):
        return 0.0, 1.0
    top, bottom = int(boxes[:, 1].min()), int(boxes[:, 3].max())
    row = np.clip(np.searchsorted(grid.rows, (top + bottom) / 2) - 1, 0, len(grid.rows) - 2)
    first, last = grid.rows[row : row + 2].tolist()
    return (top - first) / (last - first), (bottom - first) / (last - first)


def _boxes(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return left, top, right and bottom of each component, (n, 4)."""
    found = ndimage.find_objects(labels)
    return np.array([(x.start, y.start, x.stop, y.stop) for y, x in found], np.int64).reshape(-1, 4)
