"""The progress of a training on standard error: a bar, and one line per epoch."""

import math
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from inksight._shared.progress import can_show_bars, say
from inksight.nn.history import Epoch


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a training.

    Parameters
    ----------
    done : float
        Share of the training that is done, 0 to 1.
    epoch : int
        Current epoch, counted from 1.
    loss, accuracy : float
        Mean over this epoch's images so far.
    images_per_second : float
        Since the start of the training, without validating.
    """

    done: float
    epoch: int
    loss: float
    accuracy: float
    images_per_second: float


class TrainingBar:
    """A progress bar with loss, accuracy, images/s and time left, and one line per epoch, on standard error.

    It is a context manager. Without a terminal or a notebook, it prints the lines only; without `show`, nothing.
    """

    def __init__(self, show: bool = True) -> None:
        self.show, self.bar = show, None
        if show and can_show_bars():
            from rich.console import Console
            from rich.progress import BarColumn, Progress as Bar, TextColumn, TimeRemainingColumn

            self.bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.percentage:3.0f}%"),
                TimeRemainingColumn(),
                console=Console(stderr=True) if sys.stderr.isatty() else None,
                transient=True,
            )

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task("starting", total=1.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar:
            self.bar.stop()

    def update(self, now: Progress) -> None:
        """Update the bar."""
        if self.bar:
            text = (
                f"epoch {now.epoch}  loss {now.loss:.4f}  accuracy {now.accuracy:.4f}  "
                f"{now.images_per_second:,.0f} images/s"
            )
            self.bar.update(self.task, completed=now.done, description=text)

    def end_epoch(self, row: Epoch) -> None:
        """Print the line of a finished epoch."""
        line = f"epoch {row.epoch:>3}  loss {row.loss:.4f}  accuracy {row.accuracy:.4f}"
        if not math.isnan(row.val_accuracy):
            line += f"  val_loss {row.val_loss:.4f}  val_accuracy {row.val_accuracy:.4f}"
        line += f"  {row.seconds:.1f} s"
        if self.bar:
            self.bar.console.print(line, highlight=False)
        else:
            say(line, self.show)
