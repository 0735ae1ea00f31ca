"""`Trainer`: training steps on the native engine."""

import math
import weakref
from collections.abc import Mapping
from ctypes import byref, c_double, c_int64
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inksight.config import Network, Recipe
from inksight.engine import library as native
from inksight.engine.interface import Batches, TrainingRecipe, describe
from inksight.errors import InksightError

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Steps:
    """The input of some training steps: a batch of b images for each of s steps.

    Parameters
    ----------
    rows : (s, b) int32
        Rows of the training images.
    weights : (s, b) float32
        Weight of each image in the loss; 0 for images that only fill up a batch.
    lattices : (s, b, 2, 5, 5) float32
        Sampling positions of each image (`inksight.augmentation.geometric.draw_lattices`).
    answers : (s, b) int32, or (s, b, classes) float32
        Classes, or their probabilities (soft targets).
    rates : (s,) float64
        Learning rates.
    """

    rows: NDArray[np.int32]
    weights: Floats
    lattices: Floats
    answers: NDArray[np.int32] | Floats
    rates: NDArray[np.float64]


@dataclass(frozen=True)
class TrainingState:
    """Everything that training steps change.

    Parameters
    ----------
    weights, first, second : (w,) float32
        All weights in the order of `inksight.nn.parameters.param_shapes`, and the first and second moments of their
        gradients.
    steps : int
        Number of steps taken.
    """

    weights: Floats
    first: Floats
    second: Floats
    steps: int


class StepTaker(Protocol):
    """What a training loop needs of an engine: `Trainer`, or `inksight.engine.jax_trainer.JaxTrainer`."""

    state: TrainingState

    def load(self, images: NDArray[np.uint8]) -> None:
        """Take other training images of the same number."""

    def take(self, steps: Steps) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Take some steps; return their mean losses and numbers of correct images."""


class Trainer:
    """A network in training on the native engine.

    The same state and steps give the same bytes on processors of one kind, whatever the number of threads. One thread
    at a time may use a trainer; other Python threads run meanwhile.

    Parameters
    ----------
    network : Network
    recipe : Recipe
        Its optimizer and label smoothing; learning rates come with the steps.
    params : dict of str to array
        Starting weights, with the names, the shapes and the order of `inksight.nn.parameters.param_shapes`.
    mean, variance : float
        Normalization of pixels scaled to 0..1.
    images : (n, 28, 28) uint8
        Training images.

    Raises
    ------
    InksightError
        If memory runs out.
    """

    def __init__(
        self, network: Network, recipe: Recipe, params: Mapping[str, Floats], mean: float, variance: float,
        images: NDArray[np.uint8],
    ) -> None:  # fmt: skip
        library = native.library()
        assert library is not None
        self.library, self.classes = library, network.classes
        self.load(images)
        weights = flatten(params)
        self.size = weights.size
        description, banks = describe(network, mean, variance)
        names = ("label_smoothing", "beta1", "beta2", "epsilon", "muon_scale", "momentum")
        settings = TrainingRecipe(l2=network.l2, **{name: getattr(recipe, name) for name in names})
        self.handle = library.inksight_trainer_new(byref(description), banks, byref(settings), native.address(weights))
        if not self.handle:
            raise InksightError("not enough memory for the network's weights")
        weakref.finalize(self, library.inksight_trainer_free, self.handle).atexit = False

    def load(self, images: NDArray[np.uint8]) -> None:
        """Take other training images, (n, 28, 28) uint8."""
        self.images = np.ascontiguousarray(images, np.uint8)

    def take(self, steps: Steps) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Take some steps.

        Parameters
        ----------
        steps : Steps

        Returns
        -------
        losses : (s,) float64
            Weighted mean cross-entropy of each batch, without label smoothing and L2 penalty.
        correct : (s,) int64
            Number of images of weight above 0 that were classified correctly.

        Raises
        ------
        InksightError
            If memory runs out.
        """
        batches, _arrays = self._batches(steps)
        losses, correct = np.zeros(batches.steps), np.zeros(batches.steps, np.int64)
        done = self.library.inksight_trainer_steps(
            self.handle, native.address(self.images), len(self.images), byref(batches), native.address(losses),
            native.address(correct),
        )  # fmt: skip
        self._check_memory(done)
        return losses, correct

    def gradient(self, steps: Steps, total_weight: float) -> tuple[Floats, float, int]:
        """Compute the gradient of a part of a batch.

        Parameters
        ----------
        steps : Steps
            One step, whose learning rate is not used.
        total_weight : float
            Sum of the weights of all images of the batch.

        Returns
        -------
        gradient : (w,) float32
            Those of a batch's parts add up to that of the batch, without the L2 penalty, which `update` adds.
        loss : float
            Sum of the weighted cross-entropies.
        correct : int

        Raises
        ------
        InksightError
            If memory runs out.
        """
        batches, _arrays = self._batches(steps)
        gradient, loss, correct = np.empty(self.size, np.float32), c_double(), c_int64()
        done = self.library.inksight_trainer_gradient(
            self.handle, native.address(self.images), len(self.images), byref(batches), total_weight,
            native.address(gradient), byref(loss), byref(correct),
        )  # fmt: skip
        self._check_memory(done)
        return gradient, loss.value, correct.value

    def update(self, gradient: Floats, rate: float) -> None:
        """Take the optimizer's step for the gradient (w,) of a whole batch.

        Raises
        ------
        InksightError
            If memory runs out; the state has not changed then.
        """
        gradient = np.ascontiguousarray(gradient, np.float32)
        self._check_memory(self.library.inksight_trainer_update(self.handle, native.address(gradient), rate))

    @property
    def state(self) -> TrainingState:
        """The whole state; another trainer of the same network and recipe goes on from it, to the same bytes."""
        weights, first, second = (np.empty(self.size, np.float32) for _ in range(3))
        steps = c_int64()
        self.library.inksight_trainer_read(self.handle, *map(native.address, (weights, first, second)), byref(steps))
        return TrainingState(weights, first, second, steps.value)

    @state.setter
    def state(self, state: TrainingState) -> None:
        arrays = [np.ascontiguousarray(x, np.float32) for x in (state.weights, state.first, state.second)]
        assert all(array.shape == (self.size,) for array in arrays)
        self.library.inksight_trainer_write(self.handle, *map(native.address, arrays), state.steps)

    def _batches(self, steps: Steps) -> tuple[Batches, list[NDArray[np.generic]]]:
        """Return the steps as the engine takes them, and the arrays, which must live as long."""
        count, size = steps.rows.shape
        is_soft = steps.answers.ndim == 3
        arrays: list[NDArray[np.generic]] = [
            np.ascontiguousarray(steps.rows, np.int32),
            np.ascontiguousarray(steps.weights, np.float32),
            np.ascontiguousarray(steps.lattices, np.float32),
            np.ascontiguousarray(steps.answers, np.float32 if is_soft else np.int32),
            np.ascontiguousarray(steps.rates, np.float64),
        ]
        rows, weights, lattices, answers, rates = map(native.address, arrays)
        labels, targets = (None, answers) if is_soft else (answers, None)
        return Batches(count, size, rows, weights, lattices, labels, targets, rates), arrays

    def _check_memory(self, done: int) -> None:
        if not done:
            raise InksightError("not enough memory for a training step: take a smaller batch size")


def flatten(params: Mapping[str, Floats]) -> Floats:
    """Return all weights as one array, (w,)."""
    return np.concatenate([np.ravel(array) for array in params.values()]).astype(np.float32)


def unflatten(flat: Floats, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
    """Return weights (w,) as arrays of these names and shapes."""
    params, start = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        params[name] = flat[start : start + size].reshape(shape)
        start += size
    return params
