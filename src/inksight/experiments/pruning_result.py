"""`Pruning`: the steps of a pruning, and the smallest network that is accurate enough."""

import math
from dataclasses import dataclass
from typing import Any

from inksight._shared.display import Display
from inksight.config import Network
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
        Time for choosing filters, training and validating.
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
