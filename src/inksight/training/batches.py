"""Batches: every image once per pass, in a random order that depends on seed and pass alone."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inksight.augmentation.geometric import draw_lattices
from inksight.config import Recipe
from inksight.engine.trainer import Steps


class Batch(NamedTuple):
    """The images of one step.

    Parameters
    ----------
    rows : (b,) int32
        Rows of the training set.
    weight : (b,) float32
        Weight of each image, or 0 for images that pad the last batch of a pass. All batches have the same size, so
        that the steps of a call are a few arrays.
    lattice : (b, 2, 5, 5) float32
        Sampling positions of each image (`inksight.augmentation.geometric.draw_lattices`).
    pass_number : int
        Number of the pass, from 0, counted over all trainings of the model.
    """

    rows: NDArray[np.int32]
    weight: NDArray[np.float32]
    lattice: NDArray[np.float32]
    pass_number: int


@dataclass(frozen=True)
class Batches:
    """All batches of a training.

    Parameters
    ----------
    images : int
        Number of training images.
    recipe : Recipe
    seed : int
    first_epoch : int
        Epochs of earlier trainings of the model, so that a further training draws new orders.
    weights : (images,) float32, optional
        Weights of the images, above 0; by default 1.

    Examples
    --------
    >>> batches = Batches(5, Recipe(epochs=1, batch_size=3), seed=0, first_epoch=0)
    >>> [batch.weight.tolist() for batch in batches.of_epoch(0)]
    [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """

    images: int
    recipe: Recipe
    seed: int
    first_epoch: int
    weights: NDArray[np.float32] | None = None

    @property
    def size(self) -> int:
        """Images per batch."""
        return min(self.recipe.batch_size, self.images)

    @property
    def steps(self) -> int:
        """Batches in the whole training."""
        return self.recipe.epochs * self.recipe.passes * math.ceil(self.images / self.size)

    def of_epoch(self, epoch: int, done: float = 0.0) -> Iterator[Batch]:
        """Yield the batches of one epoch.

        Parameters
        ----------
        epoch : int
            Epoch of this training, from 0.
        done : float
            Share of the training that is already done, 0 to 1. The augmentation tapers by this share or by that of the
            epochs, whichever is larger; the former counts where a time limit ends the training.
        """
        weights = np.ones(self.images, np.float32) if self.weights is None else self.weights
        first = (self.first_epoch + epoch) * self.recipe.passes
        for pass_number in range(first, first + self.recipe.passes):
            progress = max(done, (epoch + (pass_number - first) / self.recipe.passes) / self.recipe.epochs)
            augmentation = self.recipe.augmentation.scaled(1 - self.recipe.taper * progress)
            order = np.random.default_rng([self.seed, pass_number]).permutation(self.images).astype(np.int32)
            lattices = draw_lattices(self.seed, pass_number, self.images, augmentation)
            for start in range(0, self.images, self.size):
                rows = order[start : start + self.size]
                weight = np.zeros(self.size, np.float32)
                weight[: len(rows)] = weights[rows]
                rows = np.resize(rows, self.size)
                yield Batch(rows, weight, lattices[rows], pass_number)


def stack(batches: list[Batch], labels: NDArray[np.int64], rates: list[float]) -> Steps:
    """Return the training steps of some batches, with the labels of the training images and a learning rate each."""
    rows = np.stack([batch.rows for batch in batches])
    return Steps(
        rows,
        np.stack([batch.weight for batch in batches]),
        np.stack([batch.lattice for batch in batches]),
        labels[rows].astype(np.int32),
        np.array(rates),
    )
