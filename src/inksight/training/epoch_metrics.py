"""`EpochMetrics`: loss and accuracy of the epoch in progress."""

import math

import numpy as np
from jax import Array

from inksight.errors import InksightError


class EpochMetrics:
    """Loss and accuracy of an epoch so far.

    Results of the device are fetched one call later, so that the device never waits for the host.

    Parameters
    ----------
    epoch : int
        Counted from 0; used in messages only.
    """

    def __init__(self, epoch: int) -> None:
        self.epoch, self.learning_rate = epoch, 0.0
        self.pending: list[tuple[Array, Array, list[int], list[float]]] = []
        self.steps, self.images, self.loss_sum, self.correct = 0, 0, 0.0, 0

    def add(self, losses: Array, correct: Array, images: list[int], rates: list[float]) -> None:
        """Add steps; their mean losses and numbers of correct images may not be computed yet."""
        self.pending.append((losses, correct, images, rates))

    def fetch(self) -> None:
        """Wait for the results of the added steps and sum them up.

        Raises
        ------
        InksightError
            If a loss is not finite.
        """
        for losses, correct, images, rates in self.pending:
            values = zip(np.asarray(losses).tolist(), np.asarray(correct).tolist(), images, rates, strict=False)
            for loss, hits, count, self.learning_rate in values:
                self.steps += 1
                if not math.isfinite(loss):
                    raise InksightError(
                        f"loss became {loss} at step {self.steps} of epoch {self.epoch + 1}, "
                        f"learning rate {self.learning_rate:.3g}: try a tenth of that learning rate, or check the data"
                    )
                self.images += count
                self.loss_sum += loss * count
                self.correct += int(hits)
        self.pending.clear()

    @property
    def loss(self) -> float:
        """Mean loss of the images so far."""
        return self.loss_sum / max(self.images, 1)

    @property
    def accuracy(self) -> float:
        """Share of the images so far that were classified correctly, 0..1."""
        return self.correct / max(self.images, 1)
