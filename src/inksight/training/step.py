"""Compiled training steps: forward pass, loss, backward pass and optimizer, several steps per call."""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight.config import Network, Recipe
from inksight.engine import ops
from inksight.nn.forward import forward
from inksight.nn.model import Model
from inksight.nn.normalization import Normalization
from inksight.training.batches import Batch
from inksight.training.optimizer import Optimizer


@cache
def steps_per_call() -> int:
    """Return the maximum number of steps per call.

    Sixteen steps make the cost of a call negligible, and the bar and Ctrl-C still respond quickly. XLA on a CPU takes
    one step per call, because its convolutions run on a single core inside a loop.
    """
    return 1 if ops.engine() == "xla" and jax.default_backend() == "cpu" else 16


class Steps(NamedTuple):
    """The input of one call: `used` batches with labels and learning rates, padded to `steps_per_call` batches.

    NumPy prepares these arrays; XLA would need half a second more to compile that.
    """

    rows: NDArray[np.int32]  # (steps_per_call(), b); like `weight` and `lattice`, a stack of the arrays of `Batch`
    weight: NDArray[np.float32]
    lattice: NDArray[np.float32]
    labels: NDArray[np.int32]
    rates: NDArray[np.float32]
    used: np.int32


def stack(batches: list[Batch], labels: NDArray[np.int64], rates: list[float]) -> Steps:
    """Stack 1 to `steps_per_call` batches; copies of the last one, which are not used, pad them."""
    padding = steps_per_call() - len(batches)
    padded = [*batches, *[batches[-1]] * padding]
    rows = np.stack([batch.rows for batch in padded])
    return Steps(
        rows,
        np.stack([batch.weight for batch in padded]),
        np.stack([batch.lattice for batch in padded]),
        labels[rows].astype(np.int32),
        np.array(rates + rates[-1:] * padding, np.float32),
        np.int32(len(batches)),
    )


class CompiledSteps:
    """The compiled steps of one training, and the state that they update.

    Parameters
    ----------
    model : Model
        The training starts from its weights.
    recipe : Recipe
    images : (n, 28, 28) uint8
        Training images; until `load`, only their shape is used.
    batch : Batch
        Any batch of the training; only its shapes are used.
    labels : (n,) int64
    """

    def __init__(
        self, model: Model, recipe: Recipe, images: NDArray[np.uint8], batch: Batch, labels: NDArray[np.int64]
    ) -> None:
        self.state = Optimizer.start(model.params)
        example, statistics = stack([batch], labels, [0.0]), (np.float32(0), np.float32(1))
        self._take = take_steps.lower(model.network, recipe, *statistics, self.state, images, example).compile()

    def load(self, images: NDArray[np.uint8], normalization: Normalization) -> None:
        """Copy the training images and their normalization to the device."""
        statistics = np.float32(normalization.mean), np.float32(normalization.variance)
        self.mean, self.variance, self.images = jax.device_put((*statistics, images))

    def take(self, steps: Steps) -> tuple[Array, Array]:
        """Take some steps; return the mean loss and the number of correct images of each, see `take_steps`."""
        self.state, losses, correct = self._take(self.mean, self.variance, self.state, self.images, steps)
        return losses, correct

    @property
    def params(self) -> dict[str, NDArray[np.float32]]:
        """The weights after the last step."""
        return {name: np.asarray(array) for name, array in self.state.params.items()}


@partial(jax.jit, static_argnums=(0, 1))
def take_steps(
    network: Network,
    recipe: Recipe,
    mean: Array,
    variance: Array,
    state: Optimizer,
    images: Array,
    steps: Steps,
) -> tuple[Optimizer, Array, Array]:
    """Take ``steps.used`` steps of the optimizer.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    mean, variance : () float32
        Of training pixels scaled to 0..1.
    state : Optimizer
    images : (n, 28, 28) uint8
    steps : Steps

    Returns
    -------
    Optimizer
        The state after the last step.
    losses, correct : (steps_per_call(),) float32
        The mean cross-entropy and the number of correct images of each step's batch; 0 beyond ``steps.used``.
    """

    def body(i: Array, carry: tuple[Optimizer, Array, Array]) -> tuple[Optimizer, Array, Array]:
        state, losses, correct_counts = carry
        rows, weight, lattice, labels, rate = (jnp.asarray(part)[i] for part in steps[:-1])
        x = ops.warp(images, rows, lattice, mean, variance)
        loss_of_params = partial(loss_and_metrics, network, x, labels, weight, recipe.label_smoothing)
        gradient, (loss, correct) = jax.grad(loss_of_params, has_aux=True)(state.params)
        return state.update(gradient, recipe, rate), losses.at[i].set(loss), correct_counts.at[i].set(correct)

    zeros = jnp.zeros(steps_per_call(), jnp.float32)
    start = (state, zeros, zeros)
    if steps_per_call() == 1:
        return body(jnp.asarray(0), start)
    end: tuple[Optimizer, Array, Array] = jax.lax.fori_loop(0, steps.used, body, start)
    return end


def loss_and_metrics(
    network: Network, x: Array, labels: Array, weight: Array, label_smoothing: float, params: dict[str, Array]
) -> tuple[Array, tuple[Array, Array]]:
    """Return the loss to minimize, and as metrics the mean cross-entropy and the number of correct images.

    The mean is weighted; each image counts once among the correct ones.

    Only the loss includes label smoothing and the L2 penalty.

    Parameters
    ----------
    network : Network
    x : n normalized images, in the layout of `inksight.engine.ops`
    labels : (b,) int32
    weight : (b,) float32
        0 for images that only pad the batch; otherwise the weight of the image in the loss, above 0.
    label_smoothing : float
    params : dict of str to Array
        The weights.
    """
    logits = forward(network, params, x, len(labels))["logits"]
    is_label = labels[:, None] == jnp.arange(network.classes)
    log_p = jax.nn.log_softmax(logits)
    cross_entropy = loss = -(weight * jnp.where(is_label, log_p, 0).sum(axis=1)).sum() / weight.sum()
    if label_smoothing:
        log_p_sum = (weight * log_p.mean(axis=1)).sum()
        loss = (1 - label_smoothing) * cross_entropy - label_smoothing * log_p_sum / weight.sum()
    correct = ((weight > 0) * (logits.argmax(axis=1) == labels)).sum(dtype=jnp.float32)
    squares = sum(jnp.sum(w**2) for name, w in params.items() if not name.endswith(".bias"))
    return loss + network.l2 * squares, (cross_entropy, correct)
