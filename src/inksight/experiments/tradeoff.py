"""Accuracy against size: what pruning found, beside networks that were small from the start."""

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
    """One network on the way, as it was after its training.

    Parameters
    ----------
    network : Network
    parameters : int
    epochs : int
        Of all its training, that before filters were removed too.
    before : float
        Validation accuracy, 0 to 1, when filters had just been removed; NaN where none were.
    accuracy : float
        Validation accuracy, 0 to 1, after it was trained on.
    seconds : float
        For choosing filters, compiling, training and validating.
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
        """Return plain JSON values; null stands for what wasn't measured."""
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
    """Networks that get smaller and smaller, and how well they still read.

    Parameters
    ----------
    steps : tuple of Step
        The first is the start.
    model : Model
        The smallest that reaches `keep_accuracy`; without one, the last.
    keep_accuracy : float or None
        Validation accuracy asked for, 0 to 1.
    images : int
        Validation images.
    stopped : str
        Why it ended: ``accuracy`` (no smaller one found that keeps it), ``steps``, ``filters`` (there is one a bank)
        or ``interrupted``.
    """

    steps: tuple[Step, ...]
    model: Model
    keep_accuracy: float | None
    images: int
    stopped: str

    @property
    def smallest(self) -> Step:
        """The step that `model` is the result of."""
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
        """Return plain JSON values; null stands for what wasn't measured."""
        return {
            "keep_accuracy": self.keep_accuracy,
            "images": self.images,
            "stopped": self.stopped,
            "smallest": self.smallest.to_dict(),
            "steps": [step.to_dict() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Point:
    """One size, over all runs.

    Parameters
    ----------
    parameters : float
        Mean over the runs, whose networks differ by a few filters.
    accuracy : float
        Mean validation accuracy, 0 to 1.
    low, high : float
        Ends of its error bar: one standard deviation of the runs, or of a single run the 95 % interval that so many
        images leave.
    """

    parameters: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, repr=False)
class Tradeoff(Display):
    """What accuracy costs in parameters.

    Parameters
    ----------
    pruned : sequence of Pruning
        A seed each. They are put side by side step by step, as far as all of them went; so that these are of about one
        size, give `prune` no accuracy to keep.
    small : sequence of sequences of Step
        For each pruning what `train_small` made of it; or nothing.

    Raises
    ------
    InputError
        If there is no pruning, or `small` is of other seeds.
    """

    pruned: Sequence[Pruning]
    small: Sequence[Sequence[Step]] = ()

    def __post_init__(self) -> None:
        check(len(self.pruned) > 0, "number of prunings", len(self.pruned), "at least 1")
        check(len(self.small) in (0, len(self.pruned)), "number of runs of small", len(self.small), "that of pruned")

    @property
    def images(self) -> int:
        """Validation images behind each accuracy."""
        return self.pruned[0].images

    @property
    def pruned_points(self) -> list[Point]:
        """The sizes that pruning went through, its start first."""
        return _points([one.steps for one in self.pruned], self.images)

    @property
    def small_points(self) -> list[Point]:
        """The sizes trained small from the start."""
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
            "pruned": [one.to_dict() for one in self.pruned],
            "small": [[step.to_dict() for step in steps] for steps in self.small],
        }


def front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other of their size or less is as accurate as: the Pareto front, smallest first.

    Examples
    --------
    >>> points = [Point(size, accuracy, 0, 1) for size, accuracy in ((300, 0.9), (200, 0.9), (100, 0.8), (250, 0.95))]
    >>> [(point.parameters, point.accuracy) for point in front(points)]
    [(100, 0.8), (200, 0.9), (250, 0.95)]
    """
    result: list[Point] = []
    for point in sorted(points, key=lambda point: (point.parameters, -point.accuracy)):
        if not result or point.accuracy > result[-1].accuracy:
            result.append(point)
    return result


def _points(runs: Sequence[Sequence[Step]], images: int) -> list[Point]:
    result = []
    for steps in zip(*runs, strict=False):
        accuracies = np.array([step.accuracy for step in steps])
        mean = float(accuracies.mean())
        if len(steps) > 1:
            spread = float(accuracies.std(ddof=1))
            low, high = mean - spread, min(mean + spread, 1.0)
        else:
            low, high = wilson_interval(round(mean * images), images)
        result.append(Point(float(np.mean([step.parameters for step in steps])), mean, low, high))
    return result
