"""`EpochMetrics`: loss and accuracy of the epoch in progress."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inksight.errors import InksightError


@dataclass
class EpochMetrics:
    """Loss and accuracy of an epoch so far.

    Parameters
    ----------
    epoch : int
        Counted from 0; used in messages only.
    learning_rate : float
        That of the last step.
    steps, images : int
    loss_sum : float
        Sum of the losses of the images.
    correct : int
        Number of images that were classified correctly.
    """

    epoch: int
    learning_rate: float = 0.0
    steps: int = 0
    images: int = 0
    loss_sum: float = 0.0
    correct: int = 0

    def add(
        self, losses: NDArray[np.float64], correct: NDArray[np.int64], images: list[int], rates: list[float]
    ) -> None:
        """Add steps: the mean loss, the number of correct images, that of all images, and the learning rate of each.

        Raises
        ------
        InksightError
            If a loss is not finite.
        """
        for loss, hits, count, self.learning_rate in zip(losses.tolist(), correct.tolist(), images, rates, strict=True):
            self.steps += 1
            if not math.isfinite(loss):
                raise InksightError(
                    f"loss became {loss} at step {self.steps} of epoch {self.epoch + 1}, "
                    f"learning rate {self.learning_rate:.3g}: try a tenth of that learning rate, or check the data"
                )
            self.images += count
            self.loss_sum += loss * count
            self.correct += hits

    @property
    def loss(self) -> float:
        """Mean loss of the images so far."""
        return self.loss_sum / max(self.images, 1)

    @property
    def accuracy(self) -> float:
        """Share of the images so far that were classified correctly, 0..1."""
        return self.correct / max(self.images, 1)
