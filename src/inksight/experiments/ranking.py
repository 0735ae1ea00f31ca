"""Trials put together over seeds: a `Configuration`, and a `Sweep` as their table, the best first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

from inksight.experiments.trial import Result, Trial


@dataclass(frozen=True)
class Configuration:
    """Trials that differ in nothing but their seed.

    Parameters
    ----------
    results : tuple of Result
        At least one.
    """

    results: tuple[Result, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """What the trials share, by name."""
        return self.results[0].trial.settings

    @property
    def accuracies(self) -> list[float]:
        """Validation accuracy, 0..1, of each trial that did not fail."""
        return [result.val_accuracy for result in self.results if not result.failed]

    @property
    def failed(self) -> list[str]:
        """Why trials failed, a reason each."""
        return [result.failed for result in self.results if result.failed]

    @property
    def mean(self) -> float | None:
        """Of the accuracies; None if all trials failed."""
        return fmean(self.accuracies) if self.accuracies else None

    @property
    def sd(self) -> float | None:
        """Standard deviation of the accuracies (n - 1); None below two."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else None

    @property
    def seconds(self) -> float | None:
        """Mean time spent on training steps; None if all trials failed."""
        return fmean(result.seconds for result in self.results if not result.failed) if self.accuracies else None

    @property
    def rank(self) -> tuple[bool, float]:
        """What to sort by: the best first, after all whose every seed went well those of which one failed."""
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
class Sweep:
    """The results of a sweep; printed, a table of its configurations, the best first.

    Parameters
    ----------
    results : tuple of Result
    interrupted : bool
        Whether Ctrl-C ended it before all trials were done.
    halved : bool
        Whether trials with fewer epochs only led to those with more, which then come first.
    """

    results: tuple[Result, ...]
    interrupted: bool = False
    halved: bool = False

    @property
    def configurations(self) -> list[Configuration]:
        """The results put together over seeds, sorted."""
        groups: dict[str, list[Result]] = {}
        for result in self.results:
            groups.setdefault(replace(result.trial, seed=0).id, []).append(result)
        every = [Configuration(tuple(group)) for group in groups.values()]
        return sorted(every, key=lambda c: (-c.settings["epochs"] if self.halved else 0, *c.rank))

    def __str__(self) -> str:
        every = self.configurations
        names = varying([result.trial for result in self.results])
        failed = ["failed"] if any(c.failed for c in every) else []
        heads = ["network", *names, "val_accuracy", "sd", "n", *failed, "seconds"]
        rows = [
            [
                *(show(c.settings[name]) for name in ("network", *names)),
                _number(c.mean, ".4f"), _number(c.sd, ".4f"), str(len(c.accuracies)),
                *(str(len(c.failed)) for _ in failed), _number(c.seconds, ".1f"),
            ]
            for c in every
        ]  # fmt: skip
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        first, *rest = widths
        return "\n".join(
            "  ".join([f"{row[0]:<{first}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], rest, strict=True))])
            for row in [heads, *rows]
        )


def varying(trials: Sequence[Trial]) -> list[str]:
    """Return the names of the settings, other than the network, in which `trials` differ."""
    first = trials[0].settings if trials else {}
    return [name for name in first if name != "network" and any(t.settings[name] != first[name] for t in trials)]


def show(value: object) -> str:
    """Return a setting as text."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | None, how: str) -> str:
    return "-" if value is None else format(value, how)
