"""`read`: recognize the digits on pictures, or say why a digit is rejected."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, overload
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight._shared.display import Display
from inksight._shared.validation import check
from inksight.config import DIGITS
from inksight.errors import InputError
from inksight.imaging.colors import colors_of
from inksight.imaging.grayscale import BAND_PIXELS, Picture, is_picture, open_picture, opened_to_grayscale
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale
from inksight.nn.ensemble_file import Classifier, ClassifierLike, as_classifier, first_model
from inksight.nn.model import Model
from inksight.reading.constraints import Constraint, constraint_of
from inksight.reading.detection import MIN_CONFIDENCE, assess, find_digits
from inksight.reading.line import Line, Sign, with_signs
from inksight.reading.text_detection import probability_of_digits

if TYPE_CHECKING:  # imported where they are used: they take longer to import than a single digit to read
    from inksight.data.dataset import Dataset
    from inksight.inspection.nearest import Neighbours
    from inksight.reading.grid import Grid

GridShape = tuple[int, int] | Literal["auto"]  # rows and columns, or to be counted
_Result = TypeVar("_Result")

BATCH = 256  # digits that are classified at once, at least, unless their pictures are large
BATCH_SIZE = 1 << 23  # bytes of the pictures that wait until there are enough digits for a batch
MAX_PAGE_SIZE = 2000  # pixels a side: larger pictures are reduced to be read, and digits are still large enough
REDUCIBLE_MODES = ("L", "RGB")  # of PIL images, whose pixels may be averaged
MAX_PICTURE_SIZE = 1000  # pixels a side: larger pictures are reduced to be kept in a `Page`
NEIGHBOURS = 5  # training digits in `Reading.neighbours`
LOWEST_PROBABILITY = 1e-12  # that the classes that fit have together: what divides is not 0
LINE_MARGIN = 0.25  # out-of-distribution margin up to which a digit is accepted if its line holds others


@dataclass(frozen=True, eq=False)
class Reading(Display):
    """One digit that was read or rejected. Its plot shows the steps from the picture to the probabilities.

    Parameters
    ----------
    digit : str or None
        Name of the class; None if the digit is rejected.
    confidence : float
        Probability of the most probable class, 0..1; 0 if there is nothing to read. With a constraint, of the most
        probable one of those that fit in its place. Lower on a page that is probably text (see
        `inksight.reading.text_detection`).
    reason : str
        Why the digit is rejected: ``blank``, ``faint`` or ``small`` (see `inksight.imaging.preprocessing.Prepared`),
        ``not a digit`` (see `inksight.nn.ood`), ``unsure`` (no class has a probability of one half), or ``does not
        fit`` (no reading of its line fits the constraint). Empty if it is accepted.
    runner_up : str or None
        Name of the second most probable class; None if there is nothing to read.
    prepared : Prepared
        The prepared picture of the digit: its ``image`` is the network's input, its ``box`` the digit's place.
    model : Model or Ensemble
        The model that read it: `neighbours` needs it. It is freed with its last reading.
    line : int
        Line of text on the picture, from 0.
    probabilities : dict of str to float
        Probability of each class by its name, 0..1; empty if there is nothing to read.
    """

    digit: str | None
    confidence: float
    reason: str
    runner_up: str | None
    prepared: Prepared
    model: Classifier = field(repr=False)
    line: int = 0
    probabilities: dict[str, float] = field(default_factory=dict, repr=False)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the digit, in pixels of the upright picture."""
        return self.prepared.box

    @property
    def image(self) -> NDArray[np.uint8]:
        """The network's input, (28, 28), high = ink."""
        return self.prepared.image

    @cached_property
    def neighbours(self) -> "Neighbours":
        """The five MNIST training digits with the nearest barcodes, for an ensemble those of its first model."""
        return nearest(self.model, self.image)

    def __str__(self) -> str:
        return self.digit if self.digit is not None else "?"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "digit": self.digit,
            "confidence": self.confidence,
            "reason": self.reason,
            "runner_up": self.runner_up,
            "box": list(self.box),
            "line": self.line,
        }


def nearest(model: Classifier, images: NDArray[np.uint8]) -> "Neighbours":
    """Return the `Reading.neighbours` of all images (n, 28, 28) at once.

    Raises
    ------
    InputError
        If the model's classes are not the digits.
    """
    from inksight.inspection.nearest import neighbours

    first = first_model(model)
    training, barcodes = _training_digits(first)
    return neighbours(first, images, training, NEIGHBOURS, barcodes=barcodes)


# MNIST's training digits, with their barcodes for each model that is still in use. They take 50 MB, and must not
# outlive the models and their readings.
_training_digits_of: "WeakKeyDictionary[Model, tuple[Dataset, NDArray[np.float32]]]" = WeakKeyDictionary()


def _training_digits(model: Model) -> "tuple[Dataset, NDArray[np.float32]]":
    if (known := _training_digits_of.get(model)) is None:
        from inksight.data.loading import load

        of_another_model = next(iter(_training_digits_of.values()), None)
        training = of_another_model[0] if of_another_model else load("mnist").split().train
        known = _training_digits_of[model] = training, model.barcodes(training.images)
    return known


@dataclass(frozen=True, eq=False)
class Page(Display):
    """The digits read on one picture: a sequence of `Reading`, with their text as its ``str``.

    Its plot shows the picture with a box around each digit.

    Parameters
    ----------
    lines : tuple of tuples of Reading
        From top to bottom and from left to right. Where nothing is found, there is one rejected reading.
    picture : (height, width) uint8
        Brightness of the upright picture; reduced by block means if a side has more than 1,000 pixels.
    block : int
        Side of a pixel of `picture`, in pixels of the original.
    signs : tuple of Sign
        The punctuation marks, in reading order.
    punctuation : bool
        Whether they are a part of the text.
    fits : tuple of float
        With a constraint, the probability of each line's reading against the next one that fits, 0..1.
    """

    lines: tuple[tuple[Reading, ...], ...]
    picture: NDArray[np.uint8] = field(repr=False)
    block: int = 1
    signs: tuple[Sign, ...] = ()
    punctuation: bool = False
    fits: tuple[float, ...] = ()

    @cached_property
    def digits(self) -> tuple[Reading, ...]:
        """All readings, in reading order."""
        return tuple(reading for line in self.lines for reading in line)

    @property
    def text(self) -> str:
        """The lines, joined by ``\\n``; ``?`` where a digit is rejected."""
        signs: list[list[Sign]] = [[] for _ in self.lines]
        for sign in self.signs if self.punctuation else ():
            signs[sign.line].append(sign)
        return "\n".join("".join(with_signs([*map(str, line)], signs[row])) for row, line in enumerate(self.lines))

    @property
    def digit(self) -> str | None:
        """The digit, if the page holds exactly one; None if it holds several or the digit is rejected."""
        return self.digits[0].digit if len(self.digits) == 1 else None

    @property
    def runner_up(self) -> str | None:
        """The second most probable class, if the page holds exactly one digit."""
        return self.digits[0].runner_up if len(self.digits) == 1 else None

    @property
    def line_confidences(self) -> tuple[float, ...]:
        """The confidence of each line: the lowest one of its digits, or of its reading if there is a constraint."""
        return self.fits or tuple(min(reading.confidence for reading in line) for line in self.lines)

    @property
    def confidence(self) -> float:
        """The lowest confidence of the lines."""
        return min(self.line_confidences)

    @property
    def reason(self) -> str:
        """Why the first rejected digit is rejected; empty if none is."""
        return next((reading.reason for reading in self.digits if reading.reason), "")

    def __str__(self) -> str:
        return self.text

    def __len__(self) -> int:
        return len(self.digits)

    def __iter__(self) -> Iterator[Reading]:
        return iter(self.digits)

    def __getitem__(self, number: int) -> Reading:
        return self.digits[number]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "text": self.text,
            "digits": [reading.to_dict() for reading in self.digits],
            "signs": [sign.to_dict() for sign in self.signs],
        }


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
        no line with a digit fits all options.
        For files, its `MissingFileError`, `DamagedFileError`, `UnsupportedFileError` and `TooLargeError`. Among many
        pictures, the error names the picture by its number, from 0, and ends the iteration.

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


def reduced(grayscale: Grayscale) -> tuple[NDArray[np.uint8], int]:
    """Return the means of square blocks as bytes, computed in bands so that temporary arrays stay small, and the block.

    They are the `picture` and the `block` of `Page`.
    """
    block = -(-max(grayscale.shape) // MAX_PICTURE_SIZE)
    rows = block * max(BAND_PIXELS // (grayscale.shape[1] * block), 1)
    bands = []
    for top in range(0, len(grayscale), rows):
        band = (255 * grayscale[top : top + rows] + 0.5).astype(np.uint8)
        bands.append(np.asarray(Image.fromarray(band).reduce(block)) if block > 1 else band)  # faster than NumPy
    return (bands[0] if len(bands) == 1 else np.concatenate(bands)), block


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


class FoundDigit(NamedTuple):
    """A digit to classify: `among` are the classes that fit in its place, or None if all do."""

    prepared: Prepared
    line: int
    has_others: bool
    among: list[str] | None


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
        fits = tuple(
            line[0].confidence if found.confidence is None else found.confidence
            for line, found in zip(lines, sheet.lines, strict=True)
        )
        lines = _without_text(lines, accept_all)
        yield Page(lines, sheet.picture, sheet.block, signs, keeps_signs, fits if constraint else ())


def _without_text(lines: tuple[tuple[Reading, ...], ...], accept_all: bool) -> tuple[tuple[Reading, ...], ...]:
    """Lower the confidence of all readings on a page that is probably text, and reject what is too improbable then."""
    readings = [reading for line in lines for reading in line if reading.probabilities]  # the others are blank
    chance = probability_of_digits([reading.confidence if reading.digit else 0.0 for reading in readings])
    if chance == 1:
        return lines
    return tuple(tuple(_doubted(reading, chance, accept_all) for reading in line) for line in lines)


def _doubted(reading: Reading, chance: float, accept_all: bool) -> Reading:
    """Return a reading on a page that holds digits with a probability of `chance`."""
    confidence = reading.confidence * chance
    if reading.digit is None or accept_all or confidence >= MIN_CONFIDENCE:
        return replace(reading, confidence=confidence)
    return replace(reading, confidence=confidence, digit=None, reason="not a digit")


def _fitting(line: Line, place: int, constraint: Constraint | None) -> list[str] | None:
    """Return the classes that fit in a place of a line, if all else stays as it is."""
    if constraint is None:
        return None
    if line.confidence is None:  # a digit without a line
        return constraint.replacements(("",), 0)
    before = sum(sign.place <= place for sign in line.signs)
    return constraint.replacements(with_signs(line.names, line.signs), place + before) if line.names else []


def readings_of(digits: list[FoundDigit], model: Classifier, accept_all: bool) -> Iterator[Reading]:
    """Yield the reading of each digit."""
    if not digits:
        return
    assessment = assess(model, np.stack([digit.prepared.image for digit in digits]))
    names = model.class_names
    for digit, p, margin in zip(digits, assessment.probabilities, assessment.margin, strict=True):
        prepared, line, has_others, among = digit
        if prepared.problem:
            yield Reading(None, 0.0, prepared.problem, None, prepared, model, line)
            continue
        chances = dict(zip(names, p.tolist(), strict=True))
        order = [i for i in np.argsort(-p, kind="stable").tolist() if among is None or names[i] in among]
        if not order:
            yield Reading(None, 0.0, "does not fit", None, prepared, model, line, chances)
            continue
        confidence, reason = float(p[order[0]]), ""
        if among is not None:
            confidence /= max(float(p[order].sum()), LOWEST_PROBABILITY)
        if not accept_all:
            is_outlier = margin > (LINE_MARGIN if has_others else 0)
            reason = "not a digit" if is_outlier else "unsure" if confidence < MIN_CONFIDENCE else ""
        read_as, runner_up = None if reason else names[order[0]], names[order[1]] if len(order) > 1 else None
        yield Reading(read_as, confidence, reason, runner_up, prepared, model, line, chances)
