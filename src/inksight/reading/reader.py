"""`read`: recognize the digits on pictures, or say why a digit is rejected."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight._shared.validation import check
from inksight.config import DIGITS
from inksight.errors import InputError
from inksight.imaging.colors import colors_of
from inksight.imaging.grayscale import Picture, is_picture, open_picture, opened_to_grayscale
from inksight.imaging.preprocessing import Prepared
from inksight.nn.ensemble_file import Classifier, ClassifierLike, as_classifier
from inksight.reading.classification import FoundDigit, readings_of, without_text
from inksight.reading.constraints import Constraint, constraint_of
from inksight.reading.detection import MAX_PAGE_SIZE, find_digits
from inksight.reading.line import Line, Sign, with_signs
from inksight.reading.page import Page, Reading, reduced

if TYPE_CHECKING:
    from inksight.reading.grid import Grid

GridShape = tuple[int, int] | Literal["auto"]  # rows and columns, or to be counted
_Result = TypeVar("_Result")

BATCH = 256  # digits that are classified at once, at least, unless their pictures are large
BATCH_SIZE = 1 << 23  # bytes of the pictures that wait until there are enough digits for a batch
REDUCIBLE_MODES = ("L", "RGB")  # of PIL images, whose pixels may be averaged


@overload
def read(  # type: ignore[overload-overlap] # a path or an array is one picture, though it is iterable, too
    pictures: Picture,
    model: ClassifierLike = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
    single: bool = ...,
    length: int | tuple[int, int] | None = ...,
    allow: str | None = ...,
    pattern: str | None = ...,
    punctuation: bool = ...,
    grid: None = ...,
) -> Page: ...
@overload
def read(
    pictures: Iterable[Picture],
    model: ClassifierLike = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
    single: bool = ...,
    length: int | tuple[int, int] | None = ...,
    allow: str | None = ...,
    pattern: str | None = ...,
    punctuation: bool = ...,
    grid: None = ...,
) -> Iterator[Page]: ...
@overload
def read(  # type: ignore[overload-overlap]
    pictures: Picture,
    model: ClassifierLike = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
    single: bool = ...,
    allow: str | None = ...,
    grid: GridShape,
) -> "Grid": ...
@overload
def read(
    pictures: Iterable[Picture],
    model: ClassifierLike = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
    single: bool = ...,
    allow: str | None = ...,
    grid: GridShape,
) -> "Iterator[Grid]": ...
def read(
    pictures: Picture | Iterable[Picture],
    model: ClassifierLike = "reader",
    *,
    invert: bool | None = None,
    accept_all: bool = False,
    single: bool = False,
    length: int | tuple[int, int] | None = None,
    allow: str | None = None,
    pattern: str | None = None,
    punctuation: bool = False,
    grid: GridShape | None = None,
) -> "Page | Grid | Iterator[Page] | Iterator[Grid]":
    r"""Read the digits on a picture, or on each of many pictures.

    Many pictures are read while the result is iterated over, a few hundred digits at a time. So any number of them can
    be read in bounded memory, as long as the pages are not kept.

    Parameters
    ----------
    pictures : path, bytes, file object, PIL image, array or Strokes, or an iterable of them
        A digit, or a photo or scan of lines of digits, as `inksight.prepare` takes it.
    model : Model, Ensemble, str or path-like
        A model or an ensemble, a shipped model (``reader``, ``best``, ``post``, ``small``, ``tiny``), or a
        file of either.
    invert : bool, optional
        True: the ink is lighter than the paper; False: darker. Detected for each picture by default.
    accept_all : bool
        Accept digits of which the model is unsure, and what does not look like a digit.
    single : bool
        Read each picture as one digit, without searching for lines. Pictures up to 40x40 pixels always are, unless
        `length` or `pattern` say that they hold several.
    length : int or (int, int), optional
        How many digits each line has, or at least and at most.
    allow : str, optional
        The digits that may occur, such as ``0-5`` or ``1,3,7-9``.
    pattern : str, optional
        What each line looks like, as in ``\d{2}/\d{2}/\d{4}``: a regular expression for the whole line, of digits,
        ``\d``, classes such as ``[0-5]`` and ``[^0]``, groups, ``|``, counts, and the signs ``. , - / :``. The dot is a
        dot. Without signs, it is about the digits alone; with signs, they are a part of the text.
    punctuation : bool
        Keep dots, commas, dashes, slashes and colons in the text.
    grid : (rows, columns) or "auto", optional
        Read the numbers in the cells of the largest grid on each picture, such as a Sudoku or a table of marks, which
        may be seen at an angle or be bent. ``auto`` counts its rows and columns. Of the options for lines, `allow` goes
        with it.

    Returns
    -------
    Page or Grid, or iterator of them
        One page for a picture, or one grid; for many, an iterator over their pages or grids, in order.

    Raises
    ------
    InputError
        If a picture is not a picture or shows no such grid, the model does not exist, the pattern cannot be parsed, or
        no line with a digit fits all options. For files, its `MissingFileError`, `DamagedFileError`,
        `UnsupportedFileError` and `TooLargeError`. Among many pictures, the error names the picture by its number,
        from 0, and ends the iteration.

    Examples
    --------
    >>> import inksight
    >>> digits = inksight.load("mnist").split().test
    >>> str(read(255 - digits.images[0])), digits.labels[0]  # dark ink on white paper
    ('7', np.int64(7))
    >>> page = read(np.hstack(255 - digits.images[:4]).repeat(3, axis=0).repeat(3, axis=1))
    >>> page.text, page[0].box, len(page)
    ('7210', (18, 21, 46, 60), 4)
    >>> [page.text for page in read(255 - image for image in digits.images[:4])]
    ['7', '2', '1', '0']
    >>> read(page.picture, pattern=r"\d{4}|\d{6}").text
    '7210'
    """
    loaded = as_classifier(model)
    check(invert in (None, True, False), "invert", invert, "true, false or None")
    constraint = constraint_of(length, allow, pattern)
    if constraint is not None:
        names, advice = loaded.class_names, "leave out length, allow and pattern"
        check(names == DIGITS, "classes of a model that reads what fits", names, "the digits 0 to 9", advice)
    if grid is not None:
        from inksight.reading.grid import check_grid
        from inksight.reading.grid_reading import read_grid

        check_grid(grid, single=single, length=length, pattern=pattern, punctuation=punctuation)
        among = constraint.replacements(("",), 0) if constraint else None
        find_grid = partial(read_grid, model=loaded, grid=grid, invert=invert, accept_all=accept_all, among=among)
        if is_picture(pictures) or not isinstance(pictures, Iterable):
            return find_grid(pictures)
        return _of_each(pictures, find_grid)
    find = partial(_sheet, model=loaded, invert=invert, single=single, constraint=constraint)
    classify = partial(_classified, model=loaded, accept_all=accept_all, constraint=constraint, punctuation=punctuation)
    if is_picture(pictures) or not isinstance(pictures, Iterable):
        return next(classify([find(pictures)]))
    return _pages(_of_each(pictures, find), classify)


class _Sheet(NamedTuple):
    """A picture whose digits are found but not yet classified; `picture` and `block` are those of `Page`."""

    lines: list[Line]
    picture: NDArray[np.uint8]
    block: int


def _sheet(
    picture: Picture, model: Classifier, invert: bool | None, single: bool, constraint: Constraint | None
) -> _Sheet:
    opened, scale, size = open_picture(picture), 1, (0, 0)
    if isinstance(opened, Image.Image) and opened.mode in REDUCIBLE_MODES and not single:
        size = opened.size
        scale = -(-max(size) // MAX_PAGE_SIZE)
        opened = opened.reduce(scale) if scale > 1 else opened  # before all else, which takes time for each pixel
    grayscale = opened_to_grayscale(opened)
    colors = None if single else colors_of(opened)
    lines = find_digits(grayscale, model, invert, single, colors, constraint)
    if scale > 1:
        lines = [_enlarged(line, scale, size) for line in lines]
    means, block = reduced(grayscale)
    return _Sheet(lines, means, block * scale)


def _enlarged(line: Line, scale: int, size: tuple[int, int]) -> Line:
    """Return a line of a reduced picture with its boxes in pixels of the original, whose width and height are given."""

    def box(part: Prepared | Sign) -> tuple[int, int, int, int]:
        left, top, width, height = (scale * length for length in part.box)
        return left, top, min(width, size[0] - left), min(height, size[1] - top)

    digits = [replace(digit, box=box(digit)) for digit in line.digits]
    return replace(line, digits=digits, signs=tuple(replace(sign, box=box(sign)) for sign in line.signs))


def _of_each(pictures: Iterable[Picture], convert: Callable[[Picture], _Result]) -> Iterator[_Result]:
    """Yield what each picture is converted to; name the picture that cannot be read."""
    for number, picture in enumerate(pictures):
        try:
            result = convert(picture)
        except InputError as error:
            raise type(error)(f"picture {number}: {error}") from error
        yield result


def _pages(sheets: Iterable[_Sheet], classify: Callable[[list[_Sheet]], Iterator[Page]]) -> Iterator[Page]:
    """Classify the digits of pictures, in batches of whole pictures."""
    waiting: list[_Sheet] = []
    digits = size = 0
    for sheet in sheets:
        waiting.append(sheet)
        digits += sum(map(len, sheet.lines))
        size += sheet.picture.nbytes
        if digits >= BATCH or size >= BATCH_SIZE:
            yield from classify(waiting)
            waiting, digits, size = [], 0, 0
    yield from classify(waiting)


def _classified(
    sheets: list[_Sheet], model: Classifier, accept_all: bool, constraint: Constraint | None, punctuation: bool
) -> Iterator[Page]:
    """Classify the digits of some pictures all at once."""
    digits = [
        FoundDigit(digit, number, len(line) > 1, _fitting(line, place, constraint))
        for sheet in sheets
        for number, line in enumerate(sheet.lines)
        for place, digit in enumerate(line)
    ]
    readings = readings_of(digits, model, accept_all)
    keeps_signs = punctuation or (constraint is not None and constraint.reads_signs)
    for sheet in sheets:
        lines = tuple(tuple(next(readings) for _ in line) for line in sheet.lines)
        signs = tuple(sign for line in sheet.lines for sign in line.signs)
        fits: tuple[float, ...] = ()
        if constraint is not None:
            fits = tuple(
                _confidence_of_one(line[0]) if found.confidence is None else found.confidence
                for line, found in zip(lines, sheet.lines, strict=True)
            )
        lines = without_text(lines, accept_all)
        explained = tuple(line.explained for line in sheet.lines)
        yield Page(lines, sheet.picture, sheet.block, signs, keeps_signs, fits, explained)


def _confidence_of_one(reading: Reading) -> float:
    """Return the confidence of a digit without a line that is read as a class that fits a constraint."""
    if reading.digit is None:
        return reading.confidence
    from inksight.reading.constrained_search import LOWEST_PROBABILITY, probability_that_holds

    chances = reading.probabilities
    ratio = max(chances.values()) / max(chances[reading.digit], LOWEST_PROBABILITY)
    return reading.confidence * probability_that_holds(math.log(ratio))


def _fitting(line: Line, place: int, constraint: Constraint | None) -> list[str] | None:
    """Return the classes that fit in a place of a line, if all else stays as it is."""
    if constraint is None:
        return None
    if line.confidence is None:  # a digit without a line
        return constraint.replacements(("",), 0)
    before = sum(sign.place <= place for sign in line.signs)
    return constraint.replacements(with_signs(line.names, line.signs), place + before) if line.names else []
