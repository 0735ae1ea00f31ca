"""`SegmentationLattice`: the stretches of a text line that may be digits, and the Viterbi search for the best ones."""

from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inksight.reading.components import MAX_HEIGHT, MAX_PART_GAP, MAX_STACK_HEIGHT, Component, bounding_box

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


class SegmentationLattice:
    """The components of one text line, and the stretches of neighbouring components that may be digits.

    Parameters
    ----------
    components : list of Component
        From left to right.
    height : float
        Height of the page's digits, in pixels.
    """

    def __init__(self, components: list[Component], height: float) -> None:
        self.components, self.height = components, height
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

    def best_path(self, probabilities: NDArray[np.floating]) -> list[int]:
        """Return the stretches of the most probable segmentation, by number, from left to right.

        Viterbi search over the boundaries between components. Each boundary is reached either by a stretch that ends
        there or by skipping the component before it.

        Parameters
        ----------
        probabilities : (stretches, classes) float
            The classifier's output for each stretch.
        """
        count = len(self.components)
        score = np.full(count + 1, -np.inf)
        score[0] = 0.0
        backpointer: list[tuple[int, int]] = [(0, -1)] * (count + 1)  # (previous boundary, stretch; -1 for a skip)
        ending_at: dict[int, list[int]] = {}
        for number, (_, last) in enumerate(self.stretches):
            ending_at.setdefault(last, []).append(number)
        log_probability = self._log_probability_of_one_digit(probabilities)
        for last in range(1, count + 1):
            score[last] = score[last - 1] - SKIP_COST * self._skipped_height(last - 1)
            backpointer[last] = (last - 1, -1)
            for number in ending_at.get(last, ()):
                first = self.stretches[number][0]
                value = score[first] + log_probability[number] - self._cost(first, last)
                if value > score[last]:
                    score[last], backpointer[last] = value, (first, number)
        path, boundary = [], count
        while boundary:
            boundary, number = backpointer[boundary]
            if number >= 0:
                path.append(number)
        return path[::-1]

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
