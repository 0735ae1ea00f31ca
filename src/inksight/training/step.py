"""The steps of a training, compiled: forward, loss, backward, optimiser, several times in one call."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight.config import Network, Recipe
from inksight.engine import ops
from inksight.nn.forward import forward
from inksight.nn.model import Model
from inksight.nn.parameters import NORMALIZATION
from inksight.training.batches import Batch
from inksight.training.optimizer import Optimizer


@cache
def steps_a_call() -> int:
    """Return how many steps a call takes at most.

    Sixteen are enough that what a call costs doesn't show, and few enough that the bar moves and Ctrl-C is heard within
    a moment. XLA on a CPU takes them one by one, because inside a loop its convolutions run on a single core.
    """
    return 1 if ops.engine() == "xla" and jax.default_backend() == "cpu" else 16


class Steps(NamedTuple):
    """What a call is given: `used` batches with labels and learning rates, filled up to `steps_a_call`.

    What can be settled in NumPy is settled there: XLA would be half a second longer compiling it.
    """

    rows: NDArray[np.int32]  # (steps_a_call(), b), as the others of a `Batch`
    weight: NDArray[np.float32]
    lattice: NDArray[np.float32]
    labels: NDArray[np.int32]
    rates: NDArray[np.float32]
    used: np.int32


def stack(batches: list[Batch], labels: NDArray[np.int64], rates: list[float]) -> Steps:
    """Put at least one and at most `steps_a_call` batches into one; the last fills the rest, which nobody looks at."""
    fill = steps_a_call() - len(batches)
    every = [*batches, *[batches[-1]] * fill]
    rows = np.stack([batch.rows for batch in every])
    return Steps(
        rows,
        np.stack([batch.weight for batch in every]),
        np.stack([batch.lattice for batch in every]),
        labels[rows].astype(np.int32),
        np.array(rates + rates[-1:] * fill, np.float32),
        np.int32(len(batches)),
    )


class CompiledSteps:
    """The steps of one training, compiled, and the state that they update.

    Parameters
    ----------
    model : Model
        Whose weights the training starts from.
    recipe : Recipe
    images : (n, 28, 28) uint8
        Training images; only their shape counts until `load`.
    batch : Batch
        An example, for its shapes.
    labels : (n,) int64
    """

    def __init__(
        self, model: Model, recipe: Recipe, images: NDArray[np.uint8], batch: Batch, labels: NDArray[np.int64]
    ) -> None:
        self.normalization: dict[str, Any] = {k: x for k, x in model.params.items() if k.startswith(NORMALIZATION)}
        self.state = Optimizer.start({k: x for k, x in model.params.items() if k not in self.normalization})
        example = stack([batch], labels, [0.0])
        self._take = take_steps.lower(model.network, recipe, self.normalization, self.state, images, example).compile()

    def load(self, images: NDArray[np.uint8], normalization: Mapping[str, NDArray[np.float32]] | None = None) -> None:
        """Put the training images and, if given, their normalization on the device."""
        self.normalization, self.images = jax.device_put((self.normalization | dict(normalization or {}), images))

    def take(self, steps: Steps) -> tuple[Array, Array]:
        """Take some steps; return each one's mean loss and number of correct images, as `take_steps` does."""
        self.state, losses, correct = self._take(self.normalization, self.state, self.images, steps)
        return losses, correct

    @property
    def params(self) -> dict[str, NDArray[np.float32]]:
        """Weights after the last step, and the normalization."""
        return {k: np.asarray(x) for k, x in (self.normalization | self.state.params).items()}


@partial(jax.jit, static_argnums=(0, 1))
def take_steps(
    network: Network, recipe: Recipe, fixed: dict[str, Array], state: Optimizer, images: Array, steps: Steps
) -> tuple[Optimizer, Array, Array]:
    """Take ``steps.used`` steps of the recipe's optimiser.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    fixed : dict of str to Array
        The normalisation.
    state : Optimizer
    images : (n, 28, 28) uint8
    steps : Steps

    Returns
    -------
    Optimizer
        After the last step.
    losses, right : (steps_a_call(),) float32
        Of each step's batch the mean cross-entropy, and how many images were right; 0 beyond ``steps.used``.
    """

    def body(i: Array, carry: tuple[Optimizer, Array, Array]) -> tuple[Optimizer, Array, Array]:
        state, losses, rights = carry
        rows, weight, lattice, labels, rate = (jnp.asarray(part)[i] for part in steps[:-1])
        x = ops.warp(images, rows, lattice, fixed[NORMALIZATION + "mean"], fixed[NORMALIZATION + "variance"])
        small = partial(objective, network, x, labels, weight, recipe.label_smoothing)
        gradient, (loss, right) = jax.grad(small, has_aux=True)(state.params)
        return state.update(gradient, recipe, rate), losses.at[i].set(loss), rights.at[i].set(right)

    nothing = jnp.zeros(steps_a_call(), jnp.float32)
    start = (state, nothing, nothing)
    if steps_a_call() == 1:
        return body(jnp.asarray(0), start)
    end: tuple[Optimizer, Array, Array] = jax.lax.fori_loop(0, steps.used, body, start)
    return end


def objective(
    network: Network, x: Array, labels: Array, weight: Array, smoothing: float, params: dict[str, Array]
) -> tuple[Array, tuple[Array, Array]]:
    """Return what is made small, with the mean cross-entropy and the number of right images."""
    logits = forward(network, params, x, len(labels))["logits"]
    own = labels[:, None] == jnp.arange(network.classes)
    log_p = jax.nn.log_softmax(logits)
    loss = wanted = -(weight * jnp.where(own, log_p, 0).sum(axis=1)).sum() / weight.sum()
    if smoothing:
        wanted = (1 - smoothing) * loss - smoothing * (weight * log_p.mean(axis=1)).sum() / weight.sum()
    right = (weight * (logits.argmax(axis=1) == labels)).sum()
    squares = sum(jnp.sum(w**2) for name, w in params.items() if not name.endswith(".bias"))
    return wanted + network.l2 * squares, (loss, right)
