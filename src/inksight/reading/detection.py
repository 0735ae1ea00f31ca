"""`find_digits`: whether a picture shows one digit or lines of digits, and whether its ink is dark or light."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight.imaging.clutter import without_clutter
from inksight.imaging.preprocessing import Prepared, prepare_grayscale
from inksight.imaging.resampling import Grayscale
from inksight.nn.ensemble import Ensemble
from inksight.nn.ensemble_file import Classifier, first_model
from inksight.nn.ood import negative_log_odds_of_features, ood_features, ood_score_of_features
from inksight.nn.rejection_output import RejectionOutput
from inksight.reading.constraints import Constraint
from inksight.reading.line import Line

MIN_CONFIDENCE = 0.5  # probability: below it, the digit is less probable than all other classes together

MAX_SINGLE_SIZE = 40  # pixels a side: pictures up to this size hold one digit
MAX_CROP_SIZE = 200  # pixels a side: pictures up to this size are mostly crops of one digit
MAX_CROP_MARGIN = -1.0  # out-of-distribution margin: a crop up to this margin is one digit, without segmentation
MIN_OVERLAP = 0.5  # intersection over union: with less, the picture and its segmentation show different ink
MAX_PAGE_SIZE = 2000  # pixels a side: larger pictures are reduced, and digits are still large enough
MAX_SINGLE_ASPECT = 1.3  # width / height: wider ink is hardly one digit
MIN_STRIPES = 6  # strokes in a row of a picture, at its median: of a digit, there are at most four

# Penalties that lower the log-probabilities of a stretch of a line. `python -m benchmarks.tune_reading` searches for
# them together with the weights of `inksight.reading.lattice`.
MARGIN_THRESHOLD = -1.8  # out-of-distribution margin above which a stretch is penalized
REJECTION_MARGIN_THRESHOLD = -3.2  # the same for a model with a rejection output, whose margins are lower
MARGIN_WEIGHT = 2.55  # per unit of the margin above the threshold
NEGATIVE_THRESHOLD = 1.9  # log-odds of not being one whole digit above which a stretch is penalized
NEGATIVE_WEIGHT = 1.5  # per unit of the log-odds above the threshold

Box = tuple[int, int, int, int]  # left, top, width, height


class Assessment(NamedTuple):
    """A model's judgment of n images.

    Parameters
    ----------
    probabilities : (n, classes) float32
        Class probabilities.
    margin : (n,) float64
        Out-of-distribution score minus the detector's threshold: above 0, the image is taken not to be a digit.
    negative_log_odds : (n,) float64
        Log-odds that the image is a part of a digit or several digits, not one whole digit.
    """

    probabilities: NDArray[np.float32]
    margin: NDArray[np.float64]
    negative_log_odds: NDArray[np.float64]


def assess(model: Classifier, images: NDArray[np.uint8]) -> Assessment:
    """Judge images (n, 28, 28); a model without a detector has margins and log-odds of minus infinity.

    An ensemble averages the judgments of its models. So it has no detector if one of them has none.
    """
    if isinstance(model, Ensemble):
        each = [assess(member, images) for member in model.models]
        with np.errstate(divide="ignore"):  # a probability of 0 has a logarithm of minus infinity, which is right
            log_p = model.average([np.log(one.probabilities.astype(np.float64)) for one in each])
        margin, odds = (np.mean([one[part] for one in each], axis=0) for part in (1, 2))
        return Assessment(np.exp(log_p).astype(np.float32), margin, odds)
    features, probabilities = ood_features(model, images)
    if model.ood_detector is None:
        lowest = np.full(len(probabilities), -np.inf)
        return Assessment(probabilities, lowest, lowest)
    margin = ood_score_of_features(model, features, probabilities) - model.ood_detector.threshold
    return Assessment(probabilities, margin, negative_log_odds_of_features(model, features, probabilities))


def margin_threshold(model: Classifier) -> float:
    """Return the out-of-distribution margin up to which an image looks like a digit without a doubt."""
    has_output = isinstance(first_model(model).ood_detector, RejectionOutput)
    return REJECTION_MARGIN_THRESHOLD if has_output else MARGIN_THRESHOLD


def find_digits(
    grayscale: Grayscale,
    model: Classifier,
    invert: bool | None = None,
    single: bool = False,
    colors: Image.Image | None = None,
    constraint: Constraint | None = None,
) -> list[Line]:
    """Find the digits on a picture, which shows either one digit that fills it or lines of digits.

    Where both are possible, the reading with the lower out-of-distribution margin counts.

    Parameters
    ----------
    grayscale : (height, width) float64, 0..1
        Brightness of the picture, upright.
    model : Model or Ensemble
        Judges what looks like a digit.
    invert, single : bool
        As in `inksight.read`.
    colors : PIL image, optional
        The same picture in color (RGB).
    constraint : Constraint, optional
        What each line may read. If it is not a single digit, the picture is segmented, however small it is.

    Returns
    -------
    list of Line
        From top to bottom; at least one digit, even if it only states a problem.
    """
    whole = _prepare_whole(grayscale, model, invert)
    may_be_one = constraint is None or bool(constraint.replacements(("0",), 0))
    if single or (max(grayscale.shape) <= MAX_SINGLE_SIZE and may_be_one):
        return [Line([whole])]
    is_crop = max(grayscale.shape) <= MAX_CROP_SIZE
    if is_crop and whole.problem == "blank" and not prepare_grayscale(grayscale, invert=invert).problem:
        return [Line([whole])]  # a cell with nothing but its frame
    whole_margin = _rejection_margin(model, whole.image)[0] if may_be_one and _may_be_single(whole.ink) else np.inf
    if is_crop and whole_margin <= MAX_CROP_MARGIN:
        return [Line([whole])]
    lines = _segment(grayscale, model, invert, colors, constraint)
    images = [digit.image for line in lines for digit in line]
    if len(images) <= 1 and not any(line.signs for line in lines):
        if not whole.problem and _is_striped(whole.ink):
            whole = replace(whole, problem="not a digit")
        # A dot is one, also where the segmentation has enlarged it.
        if not images or whole.problem == "small":
            return [Line([whole])]
        found = next(digit for line in lines for digit in line)
        if whole.problem or _overlap(found.box, whole.box) < MIN_OVERLAP:  # a shadow, or the table, is in one of them
            margins = _rejection_margin(model, np.stack([whole.image, found.image]))
            return lines if whole.problem or margins[1] < margins[0] else [Line([whole])]
        return [Line([whole])]
    boxes = np.array([digit.box for line in lines for digit in line])
    first, end = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    left, top, width, height = (int(length) for length in (*first, *(end - first)))
    is_same_ink = _overlap((left, top, width, height), whole.box) >= MIN_OVERLAP
    if is_same_ink and whole_margin <= 0 and whole_margin <= _rejection_margin(model, np.stack(images)).mean():
        return [Line([whole])]
    return lines


def _prepare_whole(grayscale: Grayscale, model: Classifier, invert: bool | None) -> Prepared:
    """Prepare a picture as a single digit; if its polarity is ambiguous, use the one with the lower margin."""
    whole = prepare_digit(grayscale, invert)
    if whole.problem or not whole.polarity_ambiguous:  # a problem: nothing but a frame, whose inside is no digit
        return whole
    inverted = prepare_digit(grayscale, whole.dark)
    if inverted.problem:
        return whole
    margins = _rejection_margin(model, np.stack([whole.image, inverted.image]))
    return whole if margins[0] <= margins[1] else inverted


def prepare_digit(grayscale: Grayscale, invert: bool | None) -> Prepared:
    """Prepare a picture as a single digit, without the clutter around it."""
    return without_clutter(prepare_grayscale(grayscale, invert=invert), grayscale.shape)


def _may_be_single(ink: Grayscale) -> bool:
    """Return whether no empty column divides the ink, and its shape fits one digit."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    fits = 0 < len(columns) <= MAX_SINGLE_ASPECT * len(rows)
    return fits and len(columns) == columns[-1] - columns[0] + 1


def _is_striped(ink: Grayscale) -> bool:
    """Return whether a row of the ink crosses more strokes than any digit has, as in a barcode."""
    mask = np.pad(ink > 0, ((0, 0), (1, 0)))
    strokes = (mask[:, 1:] & ~mask[:, :-1]).sum(axis=1)
    return bool(strokes.any()) and bool(np.median(strokes[strokes > 0]) >= MIN_STRIPES)


def _overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    (left, top, width, height), (left2, top2, width2, height2) = one, other
    across = max(min(left + width, left2 + width2) - max(left, left2), 0)
    down = max(min(top + height, top2 + height2) - max(top, top2), 0)
    return across * down / max(width * height + width2 * height2 - across * down, 1)


def _segment(
    grayscale: Grayscale,
    model: Classifier,
    invert: bool | None,
    colors: Image.Image | None,
    constraint: Constraint | None,
) -> list[Line]:
    """Find lines of digits; if nothing looks like a digit, try the other polarity: ink and paper may be swapped."""
    from inksight.reading.segmentation import segment  # importing its SciPy takes longer than reading one digit

    def looks_like_digits(lines: list[Line]) -> bool:
        images = [digit.image for line in lines for digit in line]
        return bool(images) and bool((_rejection_margin(model, np.stack(images)) <= 0).any())

    classifier = partial(_digit_probabilities, model)
    lines = segment(grayscale, classifier, invert=invert, colors=colors, constraint=constraint)
    if invert is not None or looks_like_digits(lines):
        return lines
    dark = lines[0].digits[0].dark if lines else False
    inverted = segment(grayscale, classifier, invert=dark, colors=colors, constraint=constraint)
    return inverted if looks_like_digits(inverted) else lines


def _digit_probabilities(model: Classifier, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the class probabilities of images, (n, classes), lowered for images that hardly are one whole digit."""
    probabilities, margin, negative_log_odds = assess(model, images)
    excess_margin = np.maximum(margin - margin_threshold(model), 0)
    excess_odds = np.maximum(negative_log_odds - NEGATIVE_THRESHOLD, 0)
    penalty = MARGIN_WEIGHT * excess_margin + NEGATIVE_WEIGHT * excess_odds
    result: NDArray[np.float64] = probabilities.astype(np.float64) * np.exp(-penalty)[:, None]
    return result


def _rejection_margin(model: Classifier, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return by how much images exceed the rejection threshold, (n,): above 0, they are rejected.

    A model without a detector rejects images of which it is unsure.
    """
    probabilities, margin, _ = assess(model, images)
    confidence = probabilities.max(axis=1).astype(np.float64)
    return np.where(np.isneginf(margin), MIN_CONFIDENCE - confidence, margin)
