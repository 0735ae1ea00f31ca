"""Accuracy against size: the networks of prunings, and networks of the same sizes trained from random weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inksight._shared.display import Display
from inksight._shared.validation import check
from inksight.config import Network
from inksight.inspection.evaluation import wilson_interval
from inksight.nn.model import Model


@dataclass(frozen=True, slots=True)
class Step:
    """One network of a pruning, after its training.

    Parameters
    ----------
    network : Network
    parameters : int
        Number of its parameters.
    epochs : int
        Epochs of all its training, including the training before filters were removed.
    before : float
        Validation accuracy, 0 to 1, after removing filters and before training; NaN if none were removed.
    accuracy : float
        Validation accuracy, 0 to 1, after training.
    seconds : float
        Time for choosing filters, compiling, training and validating.
    """

    network: Network
    parameters: int
    epochs: int
    before: float
    accuracy: float
    seconds: float

    def __str__(self) -> str:
        removed = "" if math.isnan(self.before) else f"{self.before:.2%} without training, "
        return (
            f"{self.network.spec:<24}{self.parameters:>7,} parameters  {removed}{self.accuracy:.2%} after "
            f"{self.epochs} epochs  {self.seconds:.1f} s"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; None stands for an accuracy that was not measured."""
        return {
            "network": self.network.spec,
            "parameters": self.parameters,
            "epochs": self.epochs,
            "before": None if math.isnan(self.before) else self.before,
            "accuracy": self.accuracy,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Pruning(Display):
    """The result of pruning: all networks tried, with their accuracies.

    Parameters
    ----------
    steps : tuple of Step
        All steps, also those that were undone; the first is the network at the start.
    model : Model
        The smallest model that reaches `keep_accuracy`; if that is None, the last one.
    keep_accuracy : float or None
        Validation accuracy to keep, 0 to 1.
    images : int
        Number of validation images.
    stopped : str
        Why pruning ended: ``accuracy`` (no smaller network keeps it), ``steps``, ``filters`` (one per bank is left) or
        ``interrupted``.
    """

    steps: tuple[Step, ...]
    model: Model
    keep_accuracy: float | None
    images: int
    stopped: str

    @property
    def smallest(self) -> Step:
        """The step that resulted in `model`."""
        good = [step for step in self.steps if self.keep_accuracy is None or step.accuracy >= self.keep_accuracy]
        return min(good or self.steps[:1], key=lambda step: step.parameters)

    def __repr__(self) -> str:
        start, end = self.steps[0], self.smallest
        return (
            f"Pruning({start.parameters:,} parameters, {start.accuracy:.2%} right, to {end.parameters:,}, "
            f"{end.accuracy:.2%}, in {len(self.steps) - 1} steps)"
        )

    def __str__(self) -> str:
        return "\n".join([*map(str, self.steps), repr(self)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; None stands for an accuracy that was not measured."""
        return {
            "keep_accuracy": self.keep_accuracy,
            "images": self.images,
            "stopped": self.stopped,
            "smallest": self.smallest.to_dict(),
            "steps": [step.to_dict() for step in self.steps],
        }


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
        For each pruning the result of `train_small`; or empty.

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
