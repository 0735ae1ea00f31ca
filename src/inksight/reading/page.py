"""`Page` and `Reading`: what was read on a picture, and each of its digits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight._shared.display import Display
from inksight.imaging.grayscale import BAND_PIXELS
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale
from inksight.nn.ensemble_file import Classifier, first_model
from inksight.nn.model import Model
from inksight.reading.line import Sign, with_signs

if TYPE_CHECKING:  # imported where they are used: they take longer to import than a single digit to read
    from inksight.data.dataset import Dataset
    from inksight.inspection.nearest import Neighbours

MAX_PICTURE_SIZE = 1000  # pixels a side: larger pictures are reduced to be kept in a `Page`
NEIGHBOURS = 5  # training digits in `Reading.neighbours`


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
        With a constraint, the probability of each line's reading, 0..1.
    explained : tuple of float
        Share of each line's ink that is in its digits and signs, 0..1; empty if all of it is.
    """

    lines: tuple[tuple[Reading, ...], ...]
    picture: NDArray[np.uint8] = field(repr=False)
    block: int = 1
    signs: tuple[Sign, ...] = ()
    punctuation: bool = False
    fits: tuple[float, ...] = ()
    explained: tuple[float, ...] = ()

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
        """The confidence of each line, 0..1.

        It is the lowest one of its digits, or that of its reading if there is a constraint, times the share of its ink
        that is `explained`.
        """
        sure = self.fits or tuple(min(reading.confidence for reading in line) for line in self.lines)
        return tuple(one * share for one, share in zip(sure, self.explained, strict=True)) if self.explained else sure

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
