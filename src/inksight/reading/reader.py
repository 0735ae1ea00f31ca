"""`read`: recognize the digits on pictures, or say why a digit is rejected."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, overload
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight._shared.display import Display
from inksight._shared.validation import check
from inksight.errors import InputError
from inksight.imaging.colors import colors_of
from inksight.imaging.grayscale import BAND_PIXELS, Picture, is_picture, open_picture, opened_to_grayscale
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale
from inksight.nn.ensemble_file import Classifier, ClassifierLike, as_classifier, first_model
from inksight.nn.model import Model
from inksight.reading.detection import MIN_CONFIDENCE, Lines, assess, find_digits

if TYPE_CHECKING:  # imported where they are used: they take longer to import than a single digit to read
    from inksight.data.dataset import Dataset
    from inksight.inspection.nearest import Neighbours

BATCH = 256  # digits that are classified at once, at least, unless their pictures are large
BATCH_SIZE = 1 << 23  # bytes of the pictures that wait until there are enough digits for a batch
MAX_PICTURE_SIZE = 1000  # pixels a side: larger pictures are reduced to be kept in a `Page`
NEIGHBOURS = 5  # training digits in `Reading.neighbours`
LINE_MARGIN = 0.25  # out-of-distribution margin up to which a digit is accepted if its line holds others


@dataclass(frozen=True, eq=False)
class Reading(Display):
    """One digit that was read or rejected. Its plot shows the steps from the picture to the probabilities.

    Parameters
    ----------
    digit : str or None
        Name of the class; None if the digit is rejected.
    confidence : float
        Probability of the most probable class, 0..1; 0 if there is nothing to read.
    reason : str
        Why the digit is rejected: ``blank``, ``faint`` or ``small`` (see `inksight.imaging.preprocessing.Prepared`),
        ``not a digit`` (see `inksight.nn.ood`), or ``unsure`` (no class has a probability of one half). Empty if it is
        accepted.
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
    """

    lines: tuple[tuple[Reading, ...], ...]
    picture: NDArray[np.uint8] = field(repr=False)
    block: int = 1

    @cached_property
    def digits(self) -> tuple[Reading, ...]:
        """All readings, in reading order."""
        return tuple(reading for line in self.lines for reading in line)

    @property
    def text(self) -> str:
        """The lines, joined by ``\\n``; ``?`` where a digit is rejected."""
        return "\n".join("".join(map(str, line)) for line in self.lines)

    @property
    def digit(self) -> str | None:
        """The digit, if the page holds exactly one; None if it holds several or the digit is rejected."""
        return self.digits[0].digit if len(self.digits) == 1 else None

    @property
    def runner_up(self) -> str | None:
        """The second most probable class, if the page holds exactly one digit."""
        return self.digits[0].runner_up if len(self.digits) == 1 else None

    @property
    def confidence(self) -> float:
        """The lowest confidence of the digits."""
        return min(reading.confidence for reading in self.digits)

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
        return {"text": self.text, "digits": [reading.to_dict() for reading in self.digits]}


@overload
def read(  # type: ignore[overload-overlap] # a path or an array is one picture, though it is iterable, too
    pictures: Picture,
    model: ClassifierLike = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
    single: bool = ...,
) -> Page: ...
@overload
def read(
    pictures: Iterable[Picture],
    model: ClassifierLike = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
    single: bool = ...,
) -> Iterator[Page]: ...
def read(
    pictures: Picture | Iterable[Picture],
    model: ClassifierLike = "reader",
    *,
    invert: bool | None = None,
    accept_all: bool = False,
    single: bool = False,
) -> Page | Iterator[Page]:
    """Read the digits on a picture, or on each of many pictures.

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
        Read each picture as one digit, without searching for lines. Pictures up to 40x40 pixels always are.

    Returns
    -------
    Page, or iterator of Page
        One page for a picture; for many, an iterator over their pages, in order.

    Raises
    ------
    InputError
        If a picture is not a picture, or the model does not exist. For files, its subclasses say more:
        `MissingFileError`, `DamagedFileError`, `UnsupportedFileError` and `TooLargeError`. Among many pictures, the
        error names the picture by its number, from 0, and ends the iteration.

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
    """
    loaded = as_classifier(model)
    check(invert in (None, True, False), "invert", invert, "true, false or None")
    if is_picture(pictures) or not isinstance(pictures, Iterable):
        sheet = _sheet(pictures, loaded, invert, single)
        return next(_classified([sheet], loaded, accept_all))
    return _pages(_sheets(pictures, loaded, invert, single), loaded, accept_all)


class _Sheet(NamedTuple):
    """A picture whose digits are found but not yet classified; `picture` and `block` are those of `Page`."""

    lines: Lines
    picture: NDArray[np.uint8]
    block: int


def _sheet(picture: Picture, model: Classifier, invert: bool | None, single: bool) -> _Sheet:
    opened = open_picture(picture)
    grayscale = opened_to_grayscale(opened)
    colors = None if single else colors_of(opened)
    block = -(-max(grayscale.shape) // MAX_PICTURE_SIZE)
    return _Sheet(find_digits(grayscale, model, invert, single, colors), _reduced(grayscale, block), block)


def _reduced(grayscale: Grayscale, block: int) -> NDArray[np.uint8]:
    """Return the means of square blocks as bytes, computed in bands so that temporary arrays stay small."""
    rows = block * max(BAND_PIXELS // (grayscale.shape[1] * block), 1)
    bands = []
    for top in range(0, len(grayscale), rows):
        band = (255 * grayscale[top : top + rows] + 0.5).astype(np.uint8)
        bands.append(np.asarray(Image.fromarray(band).reduce(block)) if block > 1 else band)  # faster than NumPy
    return bands[0] if len(bands) == 1 else np.concatenate(bands)


def _sheets(pictures: Iterable[Picture], model: Classifier, invert: bool | None, single: bool) -> Iterator[_Sheet]:
    """Yield the sheet of each picture; name the picture that cannot be read."""
    for number, picture in enumerate(pictures):
        try:
            sheet = _sheet(picture, model, invert, single)
        except InputError as error:
            raise type(error)(f"picture {number}: {error}") from error
        yield sheet


def _pages(sheets: Iterable[_Sheet], model: Classifier, accept_all: bool) -> Iterator[Page]:
    """Classify the digits of pictures, in batches of whole pictures."""
    waiting: list[_Sheet] = []
    digits = size = 0
    for sheet in sheets:
        waiting.append(sheet)
        digits += sum(map(len, sheet.lines))
        size += sheet.picture.nbytes
        if digits >= BATCH or size >= BATCH_SIZE:
            yield from _classified(waiting, model, accept_all)
            waiting, digits, size = [], 0, 0
    yield from _classified(waiting, model, accept_all)


def _classified(sheets: list[_Sheet], model: Classifier, accept_all: bool) -> Iterator[Page]:
    """Classify the digits of some pictures all at once."""
    digits = [
        (digit, number, len(line) > 1) for sheet in sheets for number, line in enumerate(sheet.lines) for digit in line
    ]
    readings = _readings(digits, model, accept_all)
    for sheet in sheets:
        yield Page(tuple(tuple(next(readings) for _ in line) for line in sheet.lines), sheet.picture, sheet.block)


def _readings(digits: list[tuple[Prepared, int, bool]], model: Classifier, accept_all: bool) -> Iterator[Reading]:
    """Yield the reading of each digit, given with the number of its line and whether the line holds others."""
    if not digits:
        return
    assessment = assess(model, np.stack([digit.image for digit, _, _ in digits]))
    names = model.class_names
    for (digit, line, has_others), p, margin in zip(digits, assessment.probabilities, assessment.margin, strict=True):
        if digit.problem:
            yield Reading(None, 0.0, digit.problem, None, digit, model, line)
            continue
        first, second = (int(i) for i in np.argsort(-p, kind="stable")[:2])
        reason = ""
        if not accept_all:
            is_outlier = margin > (LINE_MARGIN if has_others else 0)
            reason = "not a digit" if is_outlier else "unsure" if p[first] < MIN_CONFIDENCE else ""
        chances = dict(zip(names, p.tolist(), strict=True))
        read_as = None if reason else names[first]
        yield Reading(read_as, float(p[first]), reason, names[second], digit, model, line, chances)
