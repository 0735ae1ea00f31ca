"""Results of trials, averaged over seeds (`Configuration`) and ranked (`Sweep`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

from inksight._shared.display import Display
from inksight.experiments.trial import Result, Trial


@dataclass(frozen=True)
class Configuration:
    """Trials that differ only in their seed.

    Parameters
    ----------
    results : tuple of Result
        At least one.
    """

    results: tuple[Result, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the trials, by name."""
        return self.results[0].trial.settings

    @property
    def accuracies(self) -> list[float]:
        """The validation accuracies, 0..1, of the trials that did not fail."""
        return [result.val_accuracy for result in self.results if not result.failed]

    @property
    def failed(self) -> list[str]:
        """The reason for each failed trial."""
        return [result.failed for result in self.results if result.failed]

    @property
    def mean(self) -> float | None:
        """Mean accuracy; None if all trials failed."""
        return fmean(self.accuracies) if self.accuracies else None

    @property
    def sd(self) -> float | None:
        """Sample standard deviation of the accuracies; None for fewer than two."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else None

    @property
    def seconds(self) -> float | None:
        """Mean time of the training steps; None if all trials failed."""
        return fmean(result.seconds for result in self.results if not result.failed) if self.accuracies else None

    @property
    def rank(self) -> tuple[bool, float]:
        """Key to sort by: the best first, but all configurations with a failed trial last."""
        return bool(self.failed), -(self.mean or 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "settings": self.settings,
            "val_accuracy": self.mean,
            "val_accuracy_sd": self.sd,
            "n": len(self.accuracies),
            "seconds": self.seconds,
            "failed": self.failed,
            "trials": [result.trial.id for result in self.results],
        }


@dataclass(frozen=True)
class Sweep(Display):
    """The results of a search; ``print`` shows a table of its configurations, the best first.

    Parameters
    ----------
    results : tuple of Result
    interrupted : bool
        Whether Ctrl-C ended it before all trials were done.
    halved : bool
        Whether it was a successive halving; configurations with more epochs then come first.
    """

    results: tuple[Result, ...]
    interrupted: bool = False
    halved: bool = False

    @property
    def configurations(self) -> list[Configuration]:
        """All configurations, the best first."""
        groups: dict[str, list[Result]] = {}
        for result in self.results:
            groups.setdefault(replace(result.trial, seed=0).id, []).append(result)
        configurations = [Configuration(tuple(group)) for group in groups.values()]
        return sorted(configurations, key=lambda c: (-c.settings["epochs"] if self.halved else 0, *c.rank))

    def __str__(self) -> str:
        configurations = self.configurations
        names = varying_settings([result.trial for result in self.results])
        failed = ["failed"] if any(c.failed for c in configurations) else []
        heads = ["network", *names, "val_accuracy", "sd", "n", *failed, "seconds"]
        rows = [
            [
                *(format_setting(c.settings[name]) for name in ("network", *names)),
                _format_number(c.mean, ".4f"), _format_number(c.sd, ".4f"), str(len(c.accuracies)),
                *(str(len(c.failed)) for _ in failed), _format_number(c.seconds, ".1f"),
            ]
            for c in configurations
        ]  # fmt: skip
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        first, *rest = widths
        return "\n".join(
            "  ".join([f"{row[0]:<{first}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], rest, strict=True))])
            for row in [heads, *rows]
        )


def varying_settings(trials: Sequence[Trial]) -> list[str]:
    """Return the names of the settings in which the trials differ, other than the network."""
    first = trials[0].settings if trials else {}
    return [name for name in first if name != "network" and any(t.settings[name] != first[name] for t in trials)]


def format_setting(value: object) -> str:
    """Return the value of a setting as text."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _format_number(value: float | None, spec: str) -> str:
    return "-" if value is None else format(value, spec)
