"""The classification of digits that were found: the class of each, or why it is rejected."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from inksight.imaging.preprocessing import Prepared
from inksight.nn.ensemble_file import Classifier
from inksight.reading.detection import MIN_CONFIDENCE, assess
from inksight.reading.page import Reading
from inksight.reading.text_detection import probability_of_digits

LOWEST_PROBABILITY = 1e-12  # that the classes that fit have together: what divides is not 0
LINE_MARGIN = 0.25  # out-of-distribution margin up to which a digit is accepted if its line holds others


class FoundDigit(NamedTuple):
    """A digit to classify: `among` are the classes that fit in its place, or None if all do."""

    prepared: Prepared
    line: int
    has_others: bool
    among: list[str] | None


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


def without_text(lines: tuple[tuple[Reading, ...], ...], accept_all: bool) -> tuple[tuple[Reading, ...], ...]:
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
