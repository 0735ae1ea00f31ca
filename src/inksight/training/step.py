"""The steps of a training, compiled: forward, loss, backward, optimiser, several times in one call."""

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
        small = partial(objective, network, x, labels, weight, recipe.smoothing)
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
