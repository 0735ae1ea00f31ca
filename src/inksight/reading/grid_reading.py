"""`Grid`: the numbers in the cells of a grid, as a Sudoku, a score card or a table of marks; `read_grid` reads it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight._shared.display import Display
from inksight.errors import InputError
from inksight.imaging.foreground import noise_level, normalize_contrast, upper_decile
from inksight.imaging.framing import center_in_frame
from inksight.imaging.perspective import Points
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale
from inksight.nn.ensemble_file import Classifier
from inksight.reading.detection import lowered_probabilities
from inksight.reading.grid_cells import RectifiedGrid, rectify
from inksight.reading.grid_detection import find_grid
from inksight.reading.grid_writing import Content, Writing, find_writing
from inksight.reading.reader import Reading, readings_of

BLANK, CANDIDATES, REJECTED = -1, -2, -3  # in `Grid.values`
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

        Of a number, it is the product of the probabilities of its digits. They are lowered for what hardly looks like
        one whole digit, as far as the model has an out-of-distribution detector. Of any cell, it is lowered to half where
        size and place of the writing leave open whether it is dirt, candidates or a number.
        """
        return np.array([[cell.confidence for cell in row] for row in self.cells])

    @cached_property
    def box(self) -> NDArray[np.int64]:
        """Left, top, width and height of each cell in pixels of the upright picture, (rows, columns, 4)."""
        return np.array([[cell.box for cell in row] for row in self.cells], np.int64)

    @property
    def text(self) -> str:
        """The rows, joined by ``\\n``, with columns aligned: ``.`` is a blank cell, ``*`` candidates, ``?`` rejected."""
        table = [[str(cell) for cell in row] for row in self.cells]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join(
            " ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in table
        )

    @cached_property
    def lines(self) -> tuple[tuple[Reading, ...], ...]:
        """The digits of each row."""
        return tuple(tuple(digit for cell in row for digit in cell.digits) for row in self.cells)

    @property
    def reason(self) -> str:
        """Why the first rejected digit is rejected; empty if none is."""
        return next((reading.reason for reading in self if reading.reason), "")

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


def read_grid(
    grayscale: Grayscale, model: Classifier, shape: tuple[int | None, int | None], invert: bool | None, accept_all: bool
) -> tuple[tuple[Cell, ...], ...]:
    """Return the cells of the largest grid on a picture (height, width), 0..1, with what is read in them.

    Raises
    ------
    InputError
        If there is no grid of that shape (rows and columns; None if it is to be counted).
    """
    dark = not invert
    try:
        mesh = find_grid(grayscale if dark else 1 - grayscale, *shape)
    except InputError:
        if invert is not None:
            raise
        dark = False
        try:
            mesh = find_grid(1 - grayscale, *shape)
        except InputError:
            mesh = None
        if mesh is None:
            raise
    grid = rectify(grayscale if dark else 1 - grayscale, mesh)
    writing = find_writing(grid)
    glyphs = [
        (_prepare(grid, glyph, dark, grayscale.shape), number, True)
        for number, row in enumerate(writing)
        for cell in row
        if cell.content == "digits"
        for glyph in cell.glyphs
    ]
    readings = readings_of(glyphs, model, accept_all)
    lowered = iter(_best_lowered(model, glyphs))
    corners = np.stack([mesh[:-1, :-1], mesh[:-1, 1:], mesh[1:, 1:], mesh[1:, :-1]], axis=2)
    return tuple(
        tuple(_cell(cell, place, readings, lowered) for cell, place in zip(row, places, strict=True))
        for row, places in zip(writing, corners, strict=True)
    )


def _cell(writing: Writing, corners: Points, readings: Iterator[Reading], lowered: Iterator[float]) -> Cell:
    """Return a cell; the next readings, and probabilities, are those of its digits."""
    if writing.content != "digits":
        return Cell(writing.content, (), writing.certainty, corners)
    digits = tuple(next(readings) for _ in writing.glyphs)
    confidence = writing.certainty * float(np.prod([next(lowered) for _ in digits]))
    return Cell("digits", digits, confidence, corners)


def _best_lowered(model: Classifier, glyphs: list[tuple[Prepared, int, bool]]) -> list[float]:
    if not glyphs:
        return []
    lowered = lowered_probabilities(model, np.stack([prepared.image for prepared, _, _ in glyphs]))
    best: list[float] = lowered.max(axis=1).tolist()
    return best


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
