"""`History`: one row per epoch."""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, is_between, is_count, known_fields
from inksight.errors import InputError


@dataclass(frozen=True, slots=True)
class Epoch:
    """Metrics of one epoch. Epochs that differ in `seconds` alone are equal.

    Parameters
    ----------
    epoch : int
        Counted from 1; counting continues when a model is trained further.
    loss, accuracy : float
        Mean over the epoch's (augmented) training images, while the weights were changing.
    val_loss, val_accuracy : float
        On the validation images, after the epoch; NaN without validation images.
    learning_rate : float
        Learning rate of the last step.
    seconds : float
        Time of the epoch's training steps, without validating; NaN if the model was read from a file, which holds no
        times, so that two trainings with the same seed write the same bytes.

    Raises
    ------
    InputError
        If `epoch` is not a number of 1 or more, or another value is neither a finite number nor NaN.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float = field(compare=False)

    def __post_init__(self) -> None:
        check(is_count(self.epoch) and self.epoch < 2**53, "epoch", self.epoch, "a number of 1 or more")
        for name in COLUMNS[1:]:
            value = getattr(self, name)
            valid = is_between(value, -1e300, 1e300) or (isinstance(value, float) and math.isnan(value))
            check(valid, f"{name} of an epoch", value, "a finite number or NaN")
            object.__setattr__(self, name, float(value))


COLUMNS = tuple(field.name for field in fields(Epoch))


@dataclass(frozen=True)
class History(Display):
    """All epochs of a training, in order; ``history["loss"]`` is a column.

    Examples
    --------
    >>> history = History((Epoch(1, 0.5, 0.85, 0.2, 0.94, 0.01, 2.5), Epoch(2, 0.2, 0.95, 0.1, 0.97, 0.0, 2.4)))
    >>> history["val_accuracy"].tolist(), len(history)
    ([0.94, 0.97], 2)
    """

    rows: tuple[Epoch, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        if column not in COLUMNS:
            raise InputError(f"history column must be one of {', '.join(COLUMNS)}, got {column!r}")
        return np.array([getattr(row, column) for row in self.rows], dtype=np.float64)

    def __str__(self) -> str:
        heads = "".join(f"{name:>14}" for name in COLUMNS)
        lines = [f"{row.epoch:>14}" + "".join(f"{x:>14.5g}" for x in astuple(row)[1:]) for row in self.rows]
        return "\n".join([heads, *lines])

    def __add__(self, more: "History") -> "History":
        return History(self.rows + more.rows)

    def to_list(self) -> list[dict[str, Any]]:
        """Return one JSON object per row, with None for NaN, which JSON does not have."""
        return [
            {
                name: None if isinstance(x, float) and math.isnan(x) else x
                for name, x in zip(COLUMNS, astuple(row), strict=True)
            }
            for row in self.rows
        ]

    @classmethod
    def from_list(cls, rows: object) -> Self:
        """Build a history from what `to_list` returns; raise `InputError` for anything else."""
        if not isinstance(rows, list):
            raise InputError(f"history must be a list of rows, got {type(rows).__name__}")
        return cls(tuple(_read_row(row) for row in rows))


def _read_row(row: object) -> Epoch:
    values: dict[str, Any] = {k: math.nan if x is None else x for k, x in known_fields(Epoch, row).items()}
    return Epoch(**values)
