"""Which digits are on a picture: one alone, or lines of them, and whether they are dark or light."""

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inksight.imaging.preprocessing import Prepared, prepare_grayscale
from inksight.imaging.resampling import Grayscale
from inksight.nn.model import Model
from inksight.nn.ood import ood_features, ood_score_of_features

MIN_CONFIDENCE = 0.5  # confidence below which a digit is less probable than all the others together
SMALL = 40  # pixels: pictures no higher and no wider are too small for several digits

CUT_OUT = 200  # pixels: pictures no higher and no wider are mostly cut out around a digit,
PLAINLY = -1.0  # and one alone if they look like it by so much (see `_doubts`)
USUAL = -1.8  # beyond the limit of strangeness: what is stranger than that is the less probably a digit,
STRANGE = 2.55  # in the logarithm, by so much for each unit
WHOLE = 1.9  # logarithm of the odds to be a scrap: with higher odds it is the less probably one whole digit,
TORN = 1.5  # in the logarithm, by so much for each unit
ONE = 1.3  # heights: what is wider is hardly a single digit

Lines = list[list[Prepared]]


def find_digits(grey: Grayscale, model: Model, invert: bool | None = None, single: bool = False) -> Lines:
    """Find the digits on a picture; it may be one alone that fills it, which no page does: the less strange counts.

    Parameters
    ----------
    grey : (height, width) float64, 0..1
        Brightness, upright.
    model : Model
        Which says what looks like a digit.
    invert, single : bool
        As `inksight.read` has them.

    Returns
    -------
    list of lists of Prepared
        Line by line, top to bottom, in each line left to right; at least one, if only to say that there is none.
    """
    whole = _whole(grey, model, invert)
    if single or max(grey.shape) <= SMALL:
        return [[whole]]
    alone = _doubts(model, whole.image)[0] if _in_one(whole.ink) else np.inf
    if max(grey.shape) <= CUT_OUT and alone <= PLAINLY:
        return [[whole]]
    found = _segmented(grey, model, invert)
    digits = [one.image for line in found for one in line]
    if len(digits) <= 1:
        return found if digits and whole.problem else [[whole]]
    if alone <= 0 and alone <= _doubts(model, np.stack(digits)).mean():
        return [[whole]]
    return found


def _segmented(grey: Grayscale, model: Model, invert: bool | None) -> Lines:
    """Find lines of digits; where nothing looks like one, with paper for ink: it stood out from a table, maybe."""
    from inksight.reading.segmentation import (
        segment,  # here, because its SciPy takes longer to import than a digit to read
    )

    def looks_like_digits(lines: Lines) -> bool:
        images = [one.image for line in lines for one in line]
        return bool(images) and bool((_doubts(model, np.stack(images)) <= 0).any())

    judge = partial(_as_digits, model)
    found = segment(grey, judge, invert=invert)
    if invert is not None or looks_like_digits(found):
        return found
    other = segment(grey, judge, invert=found[0][0].dark if found else False)
    return other if looks_like_digits(other) else found


def _in_one(ink: Grayscale) -> bool:
    """Whether no empty column parts the ink, and it is not much wider than high."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return 0 < len(columns) <= ONE * len(rows) and len(columns) == columns[-1] - columns[0] + 1


class Assessment(NamedTuple):
    """What a model makes of images."""

    probabilities: NDArray[np.float32]  # (n, classes)
    margin: NDArray[np.float64]  # (n,) how far beyond the limit of what may be a digit
    negative_log_odds: NDArray[np.float64]  # (n,) logarithm of the odds to be a scrap, and not one whole digit


def assess(model: Model, images: NDArray[np.uint8]) -> Assessment:
    """Look at images; for a model without clouds (`inksight.nn.ood`) none is strange or a scrap, by any measure."""
    points, probabilities = ood_features(model, images)
    if model.ood_detector is None:
        nothing = np.full(len(probabilities), -np.inf)
        return Assessment(probabilities, nothing, nothing)
    beyond = ood_score_of_features(model, points, probabilities) - model.ood_detector.threshold
    return Assessment(probabilities, beyond, model.ood_detector.negative_log_odds(points, probabilities))


def _doubts(model: Model, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how little images look like digits: above 0, like none."""
    look = assess(model, images)
    return (
        look.margin
        if model.ood_detector is not None
        else MIN_CONFIDENCE - look.probabilities.max(axis=1).astype(np.float64)
    )


def _as_digits(model: Model, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how probable it is that an image is a digit, and which, (n, classes): less, the stranger it is.

    Less, too, the more it looks like a part of one, or like several (`inksight.augmentation.synthetic_negatives`).
    """
    look = assess(model, images)
    doubt = STRANGE * np.maximum(look.margin - USUAL, 0) + TORN * np.maximum(look.negative_log_odds - WHOLE, 0)
    result: NDArray[np.float64] = look.probabilities.astype(np.float64) * np.exp(-doubt)[:, None]
    return result


def _whole(grey: Grayscale, model: Model, invert: bool | None) -> Prepared:
    """Prepare a picture as a single digit; where ink and paper are hard to tell, as the less strange one of two."""
    one = prepare_grayscale(grey, invert=invert)
    if not one.polarity_ambiguous:
        return one
    other = prepare_grayscale(grey, invert=one.dark)
    if other.problem:
        return one
    doubts = _doubts(model, np.stack([one.image, other.image]))
    return one if doubts[0] <= doubts[1] else other
