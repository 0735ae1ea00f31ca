"""`read_grid`: finds the largest grid on a picture and reads what is in its cells."""

import os
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inksight.errors import InputError
from inksight.imaging.file_pages import FilePage
from inksight.imaging.foreground import normalize_contrast, upper_decile
from inksight.imaging.framing import center_in_frame
from inksight.imaging.grayscale import Picture, open_picture, opened_to_grayscale
from inksight.imaging.perspective import Points
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale, block_mean
from inksight.nn.ensemble_file import Classifier
from inksight.reading.classification import FoundDigit, readings_of
from inksight.reading.components import ink_of
from inksight.reading.detection import assess, margin_threshold
from inksight.reading.grid import Cell, Grid
from inksight.reading.grid_cells import RectifiedGrid, rectify, reduction
from inksight.reading.grid_detection import detection_block, find_grid
from inksight.reading.grid_writing import Writing, find_writing
from inksight.reading.page import Reading, reduced
from inksight.reading.reader import REDUCIBLE_MODES, GridShape

WHOLE_IF_TOUCHING = 0.9  # probability that a digit that touches a line was cut out whole


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
    opened = open_picture(picture)
    if not isinstance(opened, Image.Image) or opened.mode not in REDUCIBLE_MODES:
        opened = opened_to_grayscale(opened)
    height, width = opened.size[::-1] if isinstance(opened, Image.Image) else opened.shape
    size = (height, width)
    block = detection_block(*size)
    coarse = _reduced_grayscale(opened, block)
    rows, columns = (None, None) if isinstance(grid, str) else grid
    try:
        mesh, dark = _find(coarse, rows, columns, invert)
    except InputError as error:
        if not isinstance(picture, (str, os.PathLike, FilePage)):
            raise
        raise InputError(f"cannot read the grid on {str(picture)!r}: {error}") from error
    mesh = block * mesh + (block - 1) / 2
    cells = _read_cells(opened, size, mesh, dark, model, accept_all, among)
    means, further_block = reduced(coarse)
    return Grid(cells, means, block * further_block)


def _reduced_grayscale(opened: Image.Image | Grayscale, block: int) -> Grayscale:
    """Return the brightness of a picture, reduced by block means: first of all, which saves time for each pixel."""
    if isinstance(opened, Image.Image):
        return opened_to_grayscale(opened.reduce(block) if block > 1 else opened)
    return block_mean(opened, block)


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
    opened: Image.Image | Grayscale,
    size: tuple[int, int],
    mesh: Points,
    dark: bool,
    model: Classifier,
    accept_all: bool,
    among: list[str] | None,
) -> tuple[tuple[Cell, ...], ...]:
    """Return the cells of a grid whose lines cross at `mesh`, with what is read in them."""
    block = reduction(mesh)
    grayscale = _reduced_grayscale(opened, block)
    grid = rectify(grayscale if dark else 1 - grayscale, (mesh - (block - 1) / 2) / block)
    points = block * grid.points + (block - 1) / 2
    writing = find_writing(grid)
    glyphs = [
        (number, glyph)
        for number, row in enumerate(writing)
        for cell in row
        if cell.content == "digits"
        for glyph in cell.glyphs
    ]
    boxes = ndimage.find_objects(grid.labels)
    prepared = [_prepare(grid, boxes, glyph, points, dark, size) for _, glyph in glyphs]
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
    likeness: NDArray[np.float64] = 1 - 0.5 * np.clip(1 - margin / margin_threshold(model), 0, 1)
    return likeness


def _touches_line(grid: RectifiedGrid) -> NDArray[np.bool_]:
    """Return which components of ink touch a line, which may have taken a part of them, by their labels."""
    touches = np.zeros(int(grid.labels.max()) + 1, bool)
    touches[grid.labels[ndimage.binary_dilation(grid.lines, np.ones((3, 3)))]] = True
    return touches


def _prepare(
    grid: RectifiedGrid,
    boxes: list[tuple[slice, slice]],
    labels: tuple[int, ...],
    points: Points,
    dark: bool,
    shape: tuple[int, ...],
) -> Prepared:
    """Return a digit that consists of some components of ink, its box in pixels of the picture of a given shape.

    The boxes are those of all components in the rectified grid; `points` has the place of each pixel on the picture.
    """
    sides = zip(*(boxes[label - 1] for label in labels), strict=True)
    window = tuple(slice(max(min(s.start for s in side) - 1, 0), max(s.stop for s in side) + 1) for side in sides)
    own = ink_of(labels, grid.labels[window])
    others = (grid.labels[window] > 0) & ~own
    edge = ndimage.binary_dilation(own, np.ones((3, 3))) & ~others & ~grid.lines[window]
    contrast = grid.contrast[window]
    ink = normalize_contrast(np.where(edge, contrast, 0.0), grid.noise, upper_decile(contrast[own]))
    inked = points[window][ink > 0]
    low = np.clip(np.floor(inked.min(axis=0)), 0, None).astype(int)
    high = np.minimum(np.ceil(inked.max(axis=0)).astype(int) + 1, shape[::-1])
    box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    trim = ink[np.ix_(ink.any(axis=1), ink.any(axis=0))]
    return Prepared(center_in_frame(trim), grid.grayscale[window].copy(), ink, box, dark)
