"""`Grid`: the numbers in the cells of a grid, as a Sudoku, a score card or a table of marks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check
from inksight.errors import InputError
from inksight.imaging.perspective import Points
from inksight.reading.page import Reading

Content = Literal["blank", "digits", "candidates"]

BLANK, CANDIDATES, REJECTED = -1, -2, -3  # in `Grid.values`
MAX_DIGITS = 18  # of a number in `Grid.values`: more may not fit into 64 bits
MAX_CELLS = 50  # rows or columns
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
        """The number, or `BLANK` or `CANDIDATES`; `REJECTED` if it is not a number of at most 18 digits from 0 to 9."""
        if self.content != "digits":
            return BLANK if self.content == "blank" else CANDIDATES
        text = str(self)
        return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else REJECTED

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
        """The number in each cell, (rows, columns); -1 if it is blank, -2 for candidates.

        It is -3 if a digit is rejected, and for what is not a number of at most 18 digits from 0 to 9: read its text.
        """
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
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 1 <= int(value) <= MAX_CELLS
