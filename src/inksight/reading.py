"""`read`: pictures of digits in, digits out, or the reason why not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from inksight.brightness import Picture
from inksight.errors import InputError
from inksight.model import Model, load_model
from inksight.preparation import Prepared, prepare

UNSURE = 0.5  # confidence below which a digit is less probable than all the others together
BATCH = 256  # pictures predicted at once


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read from one picture.

    Parameters
    ----------
    digit : str or None
        The class's name; None if nothing could be read.
    confidence : float
        Probability of the most probable class, 0..1; 0 if there was nothing to read.
    reason : str
        Why there is no digit: ``blank``, ``faint`` or ``small`` (see `inksight.preparation.Prepared`), or ``unsure``.
        Empty if there is one.
    runner_up : str or None
        The second most probable class.
    prepared : Prepared
        The picture on its way; its ``image`` is what the network saw, its ``box`` where the digit lies.
    """

    digit: str | None
    confidence: float
    reason: str
    runner_up: str | None
    prepared: Prepared

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the digit, in pixels of the picture, upright."""
        return self.prepared.box

    @property
    def image(self) -> NDArray[np.uint8]:
        """What the network saw, (28, 28), high = ink."""
        return self.prepared.image

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
            "line": 0,  # of the text: there is one digit
        }


@overload
def read(
    pictures: Picture, model: str | Model = ..., *, invert: bool | None = ..., accept_all: bool = ...
) -> Reading: ...
@overload
def read(
    pictures: list[Any] | tuple[Any, ...],
    model: str | Model = ...,
    *,
    invert: bool | None = ...,
    accept_all: bool = ...,
) -> list[Reading]: ...
def read(
    pictures: Any, model: str | Model = "best", *, invert: bool | None = None, accept_all: bool = False
) -> Reading | list[Reading]:
    """Read a picture of one digit, or a list of such pictures.

    Parameters
    ----------
    pictures : path, bytes, file object, PIL image or array, or a list of them
        As `inksight.preparation.prepare` takes them, each with one digit.
    model : str or Model
        One that ships with the package, or a model file, or a model.
    invert : bool, optional
        True: the ink is lighter than the paper; False: darker. Found out, picture by picture, if not given.
    accept_all : bool
        Never refuse for being unsure.

    Returns
    -------
    Reading, or list of Reading

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
    """
    network = model if isinstance(model, Model) else load_model(model)
    if not isinstance(pictures, (list, tuple)):
        return next(readings([prepare(pictures, invert=invert)], network, accept_all))
    return list(readings(_each(pictures, invert), network, accept_all))


def _each(pictures: Sequence[Any], invert: bool | None) -> Iterator[Prepared]:
    """Prepare one picture after the other, and say which it is that fails."""
    for number, picture in enumerate(pictures):
        try:
            yield prepare(picture, invert=invert)
        except InputError as error:
            raise InputError(f"picture {number}: {error}") from error


def readings(prepared: Iterable[Prepared], model: Model, accept_all: bool = False) -> Iterator[Reading]:
    """Yield what a model reads from pictures that have been prepared, some of them at a time."""
    waiting: list[Prepared] = []
    for one in prepared:
        waiting.append(one)
        if len(waiting) == BATCH:
            yield from _judge(waiting, model, accept_all)
            waiting = []
    yield from _judge(waiting, model, accept_all)


def _judge(prepared: list[Prepared], model: Model, accept_all: bool) -> Iterator[Reading]:
    if not prepared:
        return
    probabilities = model.probabilities(np.stack([one.image for one in prepared]))
    names = model.class_names
    for one, p in zip(prepared, probabilities, strict=True):
        if one.problem:
            yield Reading(None, 0.0, one.problem, None, one)
            continue
        first, second = (int(i) for i in np.argsort(-p, kind="stable")[:2])
        unsure = p[first] < UNSURE and not accept_all
        yield Reading(None if unsure else names[first], float(p[first]), "unsure" if unsure else "", names[second], one)
