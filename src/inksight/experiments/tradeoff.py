"""Accuracy against size: the networks of prunings, and networks of the same sizes trained from random weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inksight._shared.display import Display
from inksight._shared.validation import check
from inksight.experiments.pruning_result import Pruning, Step
from inksight.inspection.evaluation import wilson_interval


@dataclass(frozen=True, slots=True)
class Point:
    """Size and accuracy of one step, over all runs.

    Parameters
    ----------
    parameters : float
        Mean number of parameters; the networks of different runs differ by a few filters.
    accuracy : float
        Mean validation accuracy, 0 to 1.
    low, high : float
        Ends of the error bar: the mean plus and minus one standard deviation over runs, or for a single run the 95%
        interval for the number of validation images.
    """

    parameters: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, repr=False)
class Tradeoff(Display):
    """Validation accuracy against the number of parameters.

    Parameters
    ----------
    pruned : sequence of Pruning
        One per seed. Their steps are averaged one by one, up to the last step that all of them have. Prune without
        `keep_accuracy`, so that equal steps have about equal sizes.
    small : sequence of sequences of Step
        For each pruning the result of `train_from_scratch`; or empty.

    Raises
    ------
    InputError
        If there is no pruning, or `small` has another length.
    """

    pruned: Sequence[Pruning]
    small: Sequence[Sequence[Step]] = ()

    def __post_init__(self) -> None:
        check(len(self.pruned) > 0, "number of prunings", len(self.pruned), "at least 1")
        check(len(self.small) in (0, len(self.pruned)), "number of runs of small", len(self.small), "that of pruned")

    @property
    def images(self) -> int:
        """Number of validation images."""
        return self.pruned[0].images

    @property
    def pruned_points(self) -> list[Point]:
        """The steps of the prunings, from the start."""
        return _points([pruning.steps for pruning in self.pruned], self.images)

    @property
    def small_points(self) -> list[Point]:
        """The networks trained from random weights."""
        return _points(self.small, self.images)

    def __repr__(self) -> str:
        start, end = self.pruned_points[0], self.pruned_points[-1]
        return (
            f"Tradeoff({start.parameters:,.0f} parameters, {start.accuracy:.2%} right, to {end.parameters:,.0f}, "
            f"{end.accuracy:.2%}; n = {len(self.pruned)})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "pruned": [pruning.to_dict() for pruning in self.pruned],
            "small": [[step.to_dict() for step in steps] for steps in self.small],
        }


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """Return the points that are more accurate than all others of at most their size, smallest first.

    Examples
    --------
    >>> points = [Point(size, accuracy, 0, 1) for size, accuracy in ((300, 0.9), (200, 0.9), (100, 0.8), (250, 0.95))]
    >>> [(point.parameters, point.accuracy) for point in pareto_front(points)]
    [(100, 0.8), (200, 0.9), (250, 0.95)]
    """
    result: list[Point] = []
    for point in sorted(points, key=lambda point: (point.parameters, -point.accuracy)):
        if not result or point.accuracy > result[-1].accuracy:
            result.append(point)
    return result


def _points(runs: Sequence[Sequence[Step]], images: int) -> list[Point]:
    """Return one point for each step that all runs have."""
    result = []
    for steps in zip(*runs, strict=False):
        accuracies = np.array([step.accuracy for step in steps])
        mean = float(accuracies.mean())
        if len(steps) > 1:
            deviation = float(accuracies.std(ddof=1))
            low, high = mean - deviation, min(mean + deviation, 1.0)
        else:
            low, high = wilson_interval(round(mean * images), images)
        result.append(Point(float(np.mean([step.parameters for step in steps])), mean, low, high))
    return result
