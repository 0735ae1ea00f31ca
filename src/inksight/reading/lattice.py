"""`SegmentationLattice`: the stretches of a text line that may be digits, and the Viterbi search for the best ones."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inksight.reading.components import MAX_HEIGHT, MAX_PART_GAP, MAX_STACK_HEIGHT, Component, bounding_box
from inksight.reading.punctuation import SignCandidate

# In heights of the page's digits:
MIN_DIGIT_HEIGHT = 0.4
MAX_DIGIT_WIDTH = 1.6

MAX_COMPONENTS = 5  # neighbouring components that are tried as one digit

# Terms of the log-odds that a stretch is exactly one digit; `python -m benchmarks.tune_reading` seeks the weights
# that read the most lines of composed photos of training digits new to the network.
CONFIDENCE_WEIGHT = 3.7  # per unit of the logarithm of the classifier's probability
ASPECT_WEIGHT = -1.6  # per unit of log(width / height), the height being at least that of the page's digits
ODDS_BIAS = 4.9  # constant term

# Costs, in units of log-probability:
CUT_COST = 3.6  # of each cut through connected ink
CROSSING_COST = 16.4  # in addition, for each stroke width of ink that the cut crosses
JOIN_COST = 0.3  # of joining two components that are both high enough to be digits
SKIP_COST = 40.0  # of skipping a component as high as a digit; proportionally less for lower ones


class Arc(NamedTuple):
    """A step from the boundary `first` of a line to a later one.

    Parameters
    ----------
    first : int
        Number of the components on its left.
    score : float
        Log-probability, less the costs.
    stretch : int
        The stretch that is taken as a digit; -1 for none.
    sign : SignCandidate, optional
        The sign that is read. A step with neither skips a component.
    """

    first: int
    score: float
    stretch: int = -1
    sign: SignCandidate | None = None


class SegmentationLattice:
    """The components of one text line, and the stretches of neighbouring components that may be digits.

    Parameters
    ----------
    components : list of Component
        From left to right.
    height : float
        Height of the page's digits, in pixels.
    signs : sequence of SignCandidate
        Which components may be signs.
    """

    def __init__(self, components: list[Component], height: float, signs: Sequence[SignCandidate] = ()) -> None:
        self.components, self.height, self.signs = components, height, signs
        self.parts_of_region = Counter(component.region for component in components)
        self.stretches = [
            (first, last)
            for first in range(len(components))
            for last in range(first + 1, min(first + MAX_COMPONENTS, len(components)) + 1)
            if self._may_be_digit(components[first:last])
        ]

    def _may_be_digit(self, components: list[Component]) -> bool:
        left, top, right, bottom = bounding_box(components)
        width, height = right - left, bottom - top
        adjacent = all(b.box[0] - a.box[2] <= MAX_PART_GAP * self.height for a, b in pairwise(components))
        highest = MAX_HEIGHT if len(components) == 1 else MAX_STACK_HEIGHT
        fits = MIN_DIGIT_HEIGHT <= height / self.height <= highest
        return adjacent and fits and (width <= MAX_DIGIT_WIDTH * self.height or len(components) == 1)

    def candidates(self) -> list[list[Component]]:
        """Return the components of each stretch."""
        return [self.components[first:last] for first, last in self.stretches]

    def arcs(self, probabilities: NDArray[np.floating]) -> list[list[Arc]]:
        """Return the steps that end at each boundary between components; boundary 0 is the start of the line.

        Parameters
        ----------
        probabilities : (stretches, classes) float
            The classifier's output for each stretch.
        """
        arcs: list[list[Arc]] = [[]]
        for number in range(len(self.components)):
            arcs.append([Arc(number, -SKIP_COST * self._skipped_height(number))])
        log_probability = self._log_probability_of_one_digit(probabilities)
        for stretch, (first, last) in enumerate(self.stretches):
            score = (
                float(log_probability[stretch])
                - self._cost(first, last)
                + self._log_probability_of_no_sign(first, last)
            )
            arcs[last].append(Arc(first, score, stretch))
        for sign in self.signs:
            arcs[sign.last].append(Arc(sign.first, float(np.log(sign.probability)), sign=sign))
        return arcs

    def _skipped_height(self, number: int) -> float:
        """Return the extent of a component in heights of a digit; a part of connected ink counts as a whole digit."""
        component = self.components[number]
        if self.parts_of_region[component.region] > 1:
            return 1.0
        return max(component.box[3] - component.box[1], component.box[2] - component.box[0]) / self.height

    def _log_probability_of_one_digit(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the log-probability that each stretch is exactly one digit, (stretches,)."""
        boxes = np.array([bounding_box(components) for components in self.candidates()], np.float64).reshape(-1, 4)
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        log_odds = (
            CONFIDENCE_WEIGHT * np.log(np.maximum(probabilities.max(axis=1), 1e-6))
            + ASPECT_WEIGHT * np.log(width / np.maximum(height, self.height))
            + ODDS_BIAS
        )
        result: NDArray[np.float64] = -np.logaddexp(0, -log_odds)
        return result

    def _log_probability_of_no_sign(self, first: int, last: int) -> float:
        """Return the log-probability that no component of a stretch is a sign."""
        overlapping = [sign.probability for sign in self.signs if sign.first < last and first < sign.last]
        return float(np.log1p(-max(overlapping))) if overlapping else 0.0

    def _cost(self, first: int, last: int) -> float:
        """Return the cost of taking a stretch as a digit: the cut at its start and the joins within it."""
        components = self.components
        cost = 0.0
        if first > 0 and components[first - 1].region == components[first].region:
            cost = CUT_COST + CROSSING_COST * components[first].crossing
        for a, b in pairwise(components[first:last]):
            if a.region != b.region and a.whole and b.whole:
                cost += JOIN_COST
        return cost


def best_path(arcs: list[list[Arc]]) -> tuple[list[Arc], float]:
    """Return the most probable path through a line and its score: a Viterbi search over the boundaries.

    Parameters
    ----------
    arcs : list of lists of Arc
        The steps that end at each boundary.

    Returns
    -------
    list of Arc
        The digits and signs from left to right, without what is skipped.
    float
        Log-probability, less the costs.
    """
    score, backpointer = [0.0], [Arc(0, 0.0)]
    for ending in arcs[1:]:
        values = [score[arc.first] + arc.score for arc in ending]
        best = max(range(len(values)), key=values.__getitem__)
        score.append(values[best])
        backpointer.append(ending[best])
    path, boundary = [], len(arcs) - 1
    while boundary:
        arc = backpointer[boundary]
        path.append(arc)
        boundary = arc.first
    return [arc for arc in reversed(path) if arc.stretch >= 0 or arc.sign], score[-1]
