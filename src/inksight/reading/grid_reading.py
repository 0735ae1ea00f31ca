"""`Grid`: the numbers in the cells of a grid, as a Sudoku, a score card or a table of marks; `read_grid` reads it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight._shared.display import Display
from inksight._shared.validation import check
from inksight.errors import InputError
from inksight.imaging.foreground import normalize_contrast, upper_decile
from inksight.imaging.framing import center_in_frame
from inksight.imaging.grayscale import Picture, to_grayscale
from inksight.imaging.perspective import Points
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale
from inksight.nn.ensemble_file import Classifier
from inksight.reading.detection import MARGIN_THRESHOLD, assess
from inksight.reading.grid_cells import RectifiedGrid, rectify
from inksight.reading.grid_detection import find_grid
from inksight.reading.grid_writing import Content, Writing, find_writing
from inksight.reading.reader import FoundDigit, GridShape, Reading, readings_of, reduced

BLANK, CANDIDATES, REJECTED = -1, -2, -3  # in `Grid.values`
MAX_CELLS = 50  # rows or columns
WHOLE_IF_TOUCHING = 0.9  # probability that a digit that touches a line was cut out whole
SIGNS = {BLANK: ".", CANDIDATES: "*"}  # in `Grid.text`


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell of a grid, and what was read in it.

    Parameters
    ----------
    content : {"blank", "digits", "candidates"}
    digits : tuple of Reading
        The digits of its number, from left to right; empty unless the content is ``digits``.
    confidence : float
        Probability that the cell was read correctly, 0..1.
    corners : (4, 2) float64
        x and y in pixels of the upright picture, clockwise from the upper left.
    """

    content: Content
    digits: tuple[Reading, ...]
    confidence: float
    corners: Points = field(repr=False)

    @property
    def value(self) -> int:
        """The number, or `BLANK`, `CANDIDATES` or `REJECTED`."""
        if self.content != "digits":
            return BLANK if self.content == "blank" else CANDIDATES
        text = str(self)
        return int(text) if text.isdecimal() else REJECTED

    @property
    def reason(self) -> str:
        """Why its first rejected digit is rejected; empty if none is."""
        return next((reading.reason for reading in self.digits if reading.reason), "")

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the cell's bounding box, in pixels of the upright picture."""
        (left, top), (right, bottom) = np.floor(self.corners.min(axis=0)), np.ceil(self.corners.max(axis=0))
        return int(left), int(top), int(right - left), int(bottom - top)

    def __str__(self) -> str:
        if self.content != "digits":
            return SIGNS[self.value]
        return "".join(map(str, self.digits))


@dataclass(frozen=True, eq=False)
class Grid(Display):
    """The numbers read in the cells of a grid.

    Its plot shows the picture with the grid drawn over it, and what was read in each cell.

    Parameters
    ----------
    cells : tuple of tuples of Cell
        Row by row.
    picture : (height, width) uint8
        Brightness of the upright picture; reduced by block means if a side has more than 1,000 pixels.
    block : int
        Side of a pixel of `picture`, in pixels of the original.
    """

    cells: tuple[tuple[Cell, ...], ...]
    picture: NDArray[np.uint8] = field(repr=False)
    block: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return len(self.cells), len(self.cells[0])

    @cached_property
    def values(self) -> NDArray[np.int64]:
        """The number in each cell, (rows, columns); -1 if it is blank, -2 for candidates, -3 if a digit is rejected."""
        return np.array([[cell.value for cell in row] for row in self.cells], np.int64)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Probability that each cell was read correctly, (rows, columns), 0..1.

        The confidence of a number is the product of the probabilities of its digits. The probability of a digit is
        multiplied by 0.5 to 1 if its out-of-distribution score is near the threshold for rejection, and by 0.9 if it
        touches a line of the grid. The confidence of any cell is multiplied by 0.5 to 1 if the size and the place of
        what is written are near the limits between dirt, candidates and numbers.
        """
        return np.array([[cell.confidence for cell in row] for row in self.cells])

    @cached_property
    def box(self) -> NDArray[np.int64]:
        """Left, top, width and height of each cell in pixels of the upright picture, (rows, columns, 4)."""
        return np.array([[cell.box for cell in row] for row in self.cells], np.int64)

    @property
    def text(self) -> str:
        """The rows, joined by ``\\n``, in aligned columns; ``.`` is blank, ``*`` candidates, ``?`` a rejected digit."""
        table = [[str(cell) for cell in row] for row in self.cells]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join(" ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in table)

    @cached_property
    def lines(self) -> tuple[tuple[Reading, ...], ...]:
        """The digits of each row."""
        return tuple(tuple(digit for cell in row for digit in cell.digits) for row in self.cells)

    @property
    def reason(self) -> str:
        """Why the first rejected digit is rejected; empty if none is."""
        return next((reading.reason for reading in self if reading.reason), "")

    def numbered(self) -> Iterator[tuple[tuple[int, int], Cell]]:
        """Yield the row and the column of each cell, from 1, and the cell, row by row."""
        for row, cells in enumerate(self.cells, start=1):
            for column, cell in enumerate(cells, start=1):
                yield (row, column), cell

    def __str__(self) -> str:
        return self.text

    def __len__(self) -> int:
        return sum(map(len, self.lines))

    def __iter__(self) -> Iterator[Reading]:
        return (reading for line in self.lines for reading in line)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "text": self.text,
            "values": self.values.tolist(),
            "confidence": self.confidence.tolist(),
            "box": self.box.tolist(),
            "digits": [reading.to_dict() for reading in self],
        }


def check_grid(grid: object, **others: object) -> None:
    """Raise `InputError` if `inksight.read` does not take `grid`, or not together with other arguments."""
    is_pair = isinstance(grid, tuple | list) and len(grid) == 2 and all(map(_is_count, grid)) and max(grid) > 1
    allowed = f"'auto', or its numbers of rows and of columns, up to {MAX_CELLS} and not both 1"
    check(is_pair or (isinstance(grid, str) and grid == "auto"), "grid", grid, allowed, "such as (9, 9)")
    for name, value in others.items():
        if value:
            raise InputError(f"either grid or {name} must be given, got both: {name} is for pictures without a grid")


def _is_count(value: object) -> bool:
    return isinstance(value, int | np.integer) and 1 <= int(value) <= MAX_CELLS


def read_grid(
    picture: Picture,
    model: Classifier,
    grid: GridShape,
    invert: bool | None,
    accept_all: bool,
    among: list[str] | None = None,
) -> Grid:
    """Read the largest grid on a picture, whose digits are `among` some classes.

    The other arguments are those of `inksight.read`.

    Raises
    ------
    InputError
        If the picture cannot be opened, or shows no such grid.
    """
    grayscale = to_grayscale(picture)
    rows, columns = (None, None) if isinstance(grid, str) else grid
    mesh, dark = _find(grayscale, rows, columns, invert)
    return Grid(_read_cells(grayscale, mesh, dark, model, accept_all, among), *reduced(grayscale))


def _find(grayscale: Grayscale, rows: int | None, columns: int | None, invert: bool | None) -> tuple[Points, bool]:
    """Return where the lines cross, and whether they are dark."""
    if invert:
        return find_grid(1 - grayscale, rows, columns), False
    try:
        return find_grid(grayscale, rows, columns), True
    except InputError:
        if invert is None:
            with suppress(InputError):
                return find_grid(1 - grayscale, rows, columns), False
        raise


def _read_cells(
    grayscale: Grayscale, mesh: Points, dark: bool, model: Classifier, accept_all: bool, among: list[str] | None
) -> tuple[tuple[Cell, ...], ...]:
    """Return the cells of a grid whose lines cross at `mesh`, with what is read in them."""
    grid = rectify(grayscale if dark else 1 - grayscale, mesh)
    writing = find_writing(grid)
    glyphs = [
        (number, glyph)
        for number, row in enumerate(writing)
        for cell in row
        if cell.content == "digits"
        for glyph in cell.glyphs
    ]
    prepared = [_prepare(grid, glyph, dark, grayscale.shape) for _, glyph in glyphs]
    digits = [FoundDigit(digit, number, True, among) for digit, (number, _) in zip(prepared, glyphs, strict=True)]
    readings = readings_of(digits, model, accept_all)
    clipped = _touches_line(grid)
    whole = [WHOLE_IF_TOUCHING if clipped[list(glyph)].any() else 1.0 for _, glyph in glyphs]
    likeness = iter((_likeness(model, prepared) * whole).tolist())
    corners = np.stack([mesh[:-1, :-1], mesh[:-1, 1:], mesh[1:, 1:], mesh[1:, :-1]], axis=2)
    return tuple(
        tuple(_cell(cell, place, readings, likeness) for cell, place in zip(row, places, strict=True))
        for row, places in zip(writing, corners, strict=True)
    )


def _cell(writing: Writing, corners: Points, readings: Iterator[Reading], likeness: Iterator[float]) -> Cell:
    """Return a cell. The next readings are those of its digits, the next `likeness` theirs, too."""
    confidence = writing.certainty
    digits = tuple(next(readings) for _ in writing.glyphs) if writing.content == "digits" else ()
    for digit in digits:
        confidence *= digit.confidence * next(likeness)
    return Cell(writing.content, digits, confidence, corners)


def _likeness(model: Classifier, digits: list[Prepared]) -> NDArray[np.float64]:
    """Return how much each image looks like a digit to the model: 1, or less if it is nearly rejected, 0.5 at least."""
    if not digits:
        return np.empty(0)
    margin = assess(model, np.stack([digit.image for digit in digits])).margin
    likeness: NDArray[np.float64] = 1 - 0.5 * np.clip(1 - margin / MARGIN_THRESHOLD, 0, 1)
    return likeness


def _touches_line(grid: RectifiedGrid) -> NDArray[np.bool_]:
    """Return which components of ink touch a line, which may have taken a part of them, by their labels."""
    touches = np.zeros(int(grid.labels.max()) + 1, bool)
    touches[grid.labels[ndimage.binary_dilation(grid.lines, np.ones((3, 3)))]] = True
    return touches


def _prepare(grid: RectifiedGrid, labels: tuple[int, ...], dark: bool, shape: tuple[int, ...]) -> Prepared:
    """Return a digit that consists of some components of ink, its box in pixels of the picture of a given shape."""
    rows, columns = (np.flatnonzero(np.isin(grid.labels, labels).any(axis=axis)) for axis in (1, 0))
    window = slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)
    own = np.isin(grid.labels[window], labels)
    others = (grid.labels[window] > 0) & ~own
    edge = ndimage.binary_dilation(own, np.ones((3, 3))) & ~others & ~grid.lines[window]
    contrast = grid.contrast[window]
    ink = normalize_contrast(np.where(edge, contrast, 0.0), grid.noise, upper_decile(contrast[own]))
    points = grid.points[window][ink > 0]
    low = np.clip(np.floor(points.min(axis=0)), 0, None).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1, shape[::-1])
    box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    trim = ink[np.ix_(ink.any(axis=1), ink.any(axis=0))]
    return Prepared(center_in_frame(trim), grid.grayscale[window].copy(), ink, box, dark)
