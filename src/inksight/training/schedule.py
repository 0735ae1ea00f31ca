"""`Schedule`: the progress of a training in steps and in seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Schedule:
    """The progress of a training towards the nearer of its two limits, steps and seconds.

    Parameters
    ----------
    total_steps : int
        Steps of all epochs.
    seconds : float or None
        Limit on the time of training steps.
    """

    def __init__(self, total_steps: int, seconds: float | None) -> None:
        self.total_steps, self.seconds = total_steps, seconds
        self.steps, self.spent = 0, 0.0  # `spent`: seconds of finished epochs
        self._epoch_began = 0.0

    def start_epoch(self, seconds: float = 0.0) -> None:
        """Start the clock of an epoch, of which an interrupted process has already spent some seconds."""
        self._epoch_began = time.perf_counter() - seconds

    def end_epoch(self) -> float:
        """Return the seconds of the current epoch, and add them to `spent`."""
        seconds = self.epoch_seconds
        self.spent += seconds
        return seconds

    @property
    def epoch_seconds(self) -> float:
        """Seconds of the current epoch so far."""
        return time.perf_counter() - self._epoch_began

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock while the block runs."""
        began = time.perf_counter()
        yield
        self._epoch_began += time.perf_counter() - began

    @property
    def elapsed(self) -> float:
        """Seconds of training steps so far, including the current epoch."""
        return self.spent + self.epoch_seconds

    @property
    def time_share(self) -> float:
        """Share of the time limit used by finished epochs, 0 to 1; 0 without a limit."""
        return min(self.spent / self.seconds, 1.0) if self.seconds else 0.0

    def steps_within(self, seconds: float) -> int:
        """Return how many steps take about so many seconds, 1 to 256: one before the first, which gives the pace."""
        return min(max(int(seconds * self.steps / self.elapsed), 1), 256) if self.steps else 1

    def progress(self, count: int) -> list[float]:
        """Return the share of the training done at the middle of each of the next `count` steps, from 0 up.

        The share exceeds 1 after the time limit.
        """
        elapsed = self.elapsed
        pace = elapsed / self.steps if self.steps else 0.0  # seconds per step
        return [
            max(
                (self.steps + i + 0.5) / self.total_steps,
                (elapsed + i * pace) / self.seconds if self.seconds else 0.0,
            )
            for i in range(count)
        ]
