"""The order of a training: every image once a pass, in an order that seed and pass alone decide."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inksight.augmentation.geometric import draw_lattices
from inksight.config import Recipe


class Batch(NamedTuple):
    """The images of one step.

    Parameters
    ----------
    rows : (b,) int32
        Of the training set.
    weight : (b,) float32
        1, or 0 for the images that only fill up the last batch of a pass: all batches have one size, so that
        the step is compiled once.
    lattice : (b, 2, 5, 5) float32
        How each image is moved, as `inksight.augmentation.geometric.draw_lattices` has it.
    number : int
        Of the pass, over the whole life of the model.
    """

    rows: NDArray[np.int32]
    weight: NDArray[np.float32]
    lattice: NDArray[np.float32]
    number: int


@dataclass(frozen=True)
class Batches:
    """All batches of a training of `images` images.

    Parameters
    ----------
    images : int
    recipe : Recipe
    seed : int
    first_epoch : int
        Epochs the model had before: a training that goes on draws new orders.

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

    @property
    def size(self) -> int:
        """Images a batch."""
        return min(self.recipe.batch_size, self.images)

    @property
    def steps(self) -> int:
        """Batches in the whole training."""
        return self.recipe.epochs * self.recipe.passes * math.ceil(self.images / self.size)

    def of_epoch(self, epoch: int, done: float = 0.0) -> Iterator[Batch]:
        """Yield the batches of one epoch of this training, counted from 0.

        `done` is the share of the training, 0 to 1, that came before; where only time is to end it, epochs don't tell.
        """
        first = (self.first_epoch + epoch) * self.recipe.passes
        for number in range(first, first + self.recipe.passes):
            before = max(done, (epoch + (number - first) / self.recipe.passes) / self.recipe.epochs)
            augmentation = self.recipe.augmentation.scaled(1 - self.recipe.taper * before)
            order = np.random.default_rng([self.seed, number]).permutation(self.images).astype(np.int32)
            lattices = draw_lattices(self.seed, number, self.images, augmentation)
            for start in range(0, self.images, self.size):
                rows = order[start : start + self.size]
                weight = (np.arange(self.size) < len(rows)).astype(np.float32)
                rows = np.resize(rows, self.size)
                yield Batch(rows, weight, lattices[rows], number)
