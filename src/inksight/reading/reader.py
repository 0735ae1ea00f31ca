"""`read`: pictures of handwritten digits in, their text out, digit by digit, or the reason why not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from inksight.errors import InputError
from inksight.imaging.grayscale import Picture, to_grayscale
from inksight.imaging.preprocessing import Prepared
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.reading.detection import MIN_CONFIDENCE, Lines, assess, find_digits

if TYPE_CHECKING:  # imported where they are used, as `segment` is: they take longer than reading a single digit
    from inksight.data.dataset import Dataset
    from inksight.inspection.nearest import Neighbours

BATCH = 256  # digits predicted at once, or a few more
NEIGHBOURS = 5
AMONG = 0.25  # beyond the limit of strangeness: so far is still a digit, beside others on a line, and little else is


@dataclass(frozen=True, eq=False)
class Reading:
    """One digit that was read, or a place where none could be.

    Parameters
    ----------
    digit : str or None
        The class's name; None if nothing could be read.
    confidence : float
        Probability of the most probable class, 0..1; 0 if there was nothing to read.
    reason : str
        Why there is no digit: ``blank``, ``faint`` or ``small`` (see `inksight.imaging.preprocessing.Prepared`), ``not a digit``
        (see `inksight.nn.ood`) or ``unsure`` which. Empty if there is one.
    runner_up : str or None
        The second most probable class.
    prepared : Prepared
        The digit on its way; its ``image`` is what the network saw, its ``box`` where it lies.
    model : Model
        Which read it.
    line : int
        Of the picture's lines of text, counted from 0.
    """

    digit: str | None
    confidence: float
    reason: str
    runner_up: str | None
    prepared: Prepared
    model: Model = field(repr=False)
    line: int = 0

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the digit, in pixels of the picture, upright."""
        return self.prepared.box

    @property
    def image(self) -> NDArray[np.uint8]:
        """What the network saw, (28, 28), high = ink."""
        return self.prepared.image

    @cached_property
    def neighbours(self) -> "Neighbours":
        """The `NEIGHBOURS` MNIST digits, of those to train on, that the network holds to be most alike."""
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


def nearest(model: Model, images: NDArray[np.uint8]) -> "Neighbours":
    """Return `Reading.neighbours` of images (n, 28, 28), all at once; an `InputError` if the classes are no digits."""
    from inksight.inspection.nearest import neighbours

    training, barcodes = _training_digits(model)
    return neighbours(model, images, training, NEIGHBOURS, barcodes=barcodes)


@lru_cache(maxsize=2)
def _training_digits(model: Model) -> "tuple[Dataset, NDArray[np.float32]]":
    from inksight.data.loading import load

    training = load("mnist").split().train
    return training, model.barcodes(training.images)


@dataclass(frozen=True, eq=False)
class Page:
    """What was read on one picture: a sequence of `Reading`, and their text as its ``str``.

    Parameters
    ----------
    lines : tuple of tuples of Reading
        Top to bottom, in each line left to right. Where nothing was found there is one refused reading.
    """

    lines: tuple[tuple[Reading, ...], ...]

    @cached_property
    def digits(self) -> tuple[Reading, ...]:
        """All readings, in reading order."""
        return tuple(one for line in self.lines for one in line)

    @property
    def text(self) -> str:
        """The lines, joined by ``\\n``; ``?`` where a digit is refused."""
        return "\n".join("".join(map(str, line)) for line in self.lines)

    @property
    def digit(self) -> str | None:
        """The only digit; None if it was refused, or is not the only one."""
        return self.digits[0].digit if len(self.digits) == 1 else None

    @property
    def runner_up(self) -> str | None:
        """The only digit's second most probable class."""
        return self.digits[0].runner_up if len(self.digits) == 1 else None

    @property
    def confidence(self) -> float:
        """The least of the digits' confidences."""
        return min(one.confidence for one in self.digits)

    @property
    def reason(self) -> str:
        """Why the first digit that was refused was; empty if none was."""
        return next((one.reason for one in self.digits if one.reason), "")

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
        return {"text": self.text, "digits": [one.to_dict() for one in self.digits]}


@overload
def read(
    pictures: Picture,
    model: str | Model = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
    single: bool = ...,
) -> Page: ...
@overload
def read(
    pictures: list[Any] | tuple[Any, ...],
    model: str | Model = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
    single: bool = ...,
) -> list[Page]: ...
def read(
    pictures: Any,
    model: str | Model = "best",
    *,
    invert: bool | None = None,
    accept_all: bool = False,
    single: bool = False,
) -> Page | list[Page]:
    """Read the digits on a picture, or on each picture of a list.

    Parameters
    ----------
    pictures : path, bytes, file object, PIL image or array, or a list or tuple of them
        As `inksight.imaging.preprocessing.prepare` takes them: a digit, or a photo or scan of lines of digits.
    model : str or Model
        One that ships with the package, or a model file, or a model.
    invert : bool, optional
        True: the ink is lighter than the paper; False: darker. Found out, picture by picture, if not given.
    accept_all : bool
        Never refuse what is there for being unsure, or for being no digit.
    single : bool
        Take each picture for one digit. Those of at most 40x40 pixels always are.

    Returns
    -------
    Page, or list of Page

    Raises
    ------
    InputError
        If one of them is no picture.

    Examples
    --------
    >>> import inksight
    >>> digits = inksight.load("mnist").split().test
    >>> str(read(255 - digits.images[0])), digits.labels[0]  # dark ink on white paper
    ('7', np.int64(7))
    >>> page = read(np.hstack(255 - digits.images[:4]).repeat(3, axis=0).repeat(3, axis=1))
    >>> page.text, page[0].box, len(page)
    ('7210', (18, 21, 46, 60), 4)
    """
    network = model if isinstance(model, Model) else load_model(model)
    if not isinstance(pictures, (list, tuple)):
        found = find_digits(to_grayscale(pictures), network, invert, single)
        return next(_judged([found], network, accept_all))
    return list(pages(_each(pictures, network, invert, single), network, accept_all))


def _each(pictures: Iterable[Any], model: Model, invert: bool | None, single: bool) -> Iterator[Lines]:
    """Find the digits on one picture after the other, and say which it is that fails."""
    for number, picture in enumerate(pictures):
        try:
            grey = to_grayscale(picture)
        except InputError as error:
            raise InputError(f"picture {number}: {error}") from error
        yield find_digits(grey, model, invert, single)


def pages(found: Iterable[Lines], model: Model, accept_all: bool = False) -> Iterator[Page]:
    """Yield what a model reads on pictures whose digits were found, as many pictures at a time as make a batch."""
    waiting: list[Lines] = []
    digits = 0
    for lines in found:
        waiting.append(lines)
        digits += sum(map(len, lines))
        if digits >= BATCH:
            yield from _judged(waiting, model, accept_all)
            waiting, digits = [], 0
    yield from _judged(waiting, model, accept_all)


def _judged(found: list[Lines], model: Model, accept_all: bool) -> Iterator[Page]:
    """Yield the pages of some pictures, whose digits are judged all at once."""
    every = [(one, number, len(line) > 1) for lines in found for number, line in enumerate(lines) for one in line]
    readings = _judge(every, model, accept_all)
    for lines in found:
        yield Page(tuple(tuple(next(readings) for _ in line) for line in lines))


def _judge(prepared: list[tuple[Prepared, int, bool]], model: Model, accept_all: bool) -> Iterator[Reading]:
    """Yield the reading of each digit, given with the number of its line and whether others are on it."""
    if not prepared:
        return
    look = assess(model, np.stack([one.image for one, _, _ in prepared]))
    names = model.class_names
    for (one, line, accompanied), p, far in zip(prepared, look.probabilities, look.margin, strict=True):
        if one.problem:
            yield Reading(None, 0.0, one.problem, None, one, model, line)
            continue
        first, second = (int(i) for i in np.argsort(-p, kind="stable")[:2])
        reason = ""
        if not accept_all:
            strange = far > (AMONG if accompanied else 0)
            reason = "not a digit" if strange else "unsure" if p[first] < MIN_CONFIDENCE else ""
        yield Reading(None if reason else names[first], float(p[first]), reason, names[second], one, model, line)
