"""The steps of a training, compiled: augment, forward, loss, backward, Adam, several times in one call."""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight import ops
from inksight.augment import draw_affines
from inksight.batches import Batch
from inksight.config import Network, Recipe
from inksight.network import forward
from inksight.optimizer import Adam
from inksight.structure import NORMALIZATION


@cache
def steps_a_call() -> int:
    """Return how many steps a call takes at most.

    Sixteen are enough that what a call costs doesn't show, and few enough that the bar moves and Ctrl-C is heard within
    a moment. XLA on a CPU takes them one by one, because inside a loop its convolutions run on a single core.
    """
    return 1 if ops.engine() == "xla" and jax.default_backend() == "cpu" else 16


class Steps(NamedTuple):
    """What a call is given: `used` batches with their learning rates, filled up to `steps_a_call`."""

    batches: Batch  # of arrays (steps_a_call(), ...)
    rates: NDArray[np.float32]
    used: np.int32


def stack(batches: list[Batch], rates: list[float]) -> Steps:
    """Put at least one and at most `steps_a_call` batches into one; the last fills the rest, which nobody looks at."""
    fill = steps_a_call() - len(batches)
    every = [*batches, *[batches[-1]] * fill]
    stacked = Batch(*(np.stack(parts) for parts in zip(*every, strict=True)))  # type: ignore[arg-type]
    return Steps(stacked, np.array(rates + rates[-1:] * fill, np.float32), np.int32(len(batches)))


@partial(jax.jit, static_argnums=(0, 1))
def take_steps(
    network: Network,
    recipe: Recipe,
    fixed: dict[str, Array],
    state: Adam,
    images: Array,
    labels: Array,
    key: Array,
    steps: Steps,
) -> tuple[Adam, Array, Array]:
    """Take ``steps.used`` steps of Adam.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    fixed : dict of str to Array
        The normalisation.
    state : Adam
    images : (n, 28, 28) uint8
    labels : (n,) int32
    key : jax.Array
        ``jax.random.key(seed)``, for the augmentation.
    steps : Steps

    Returns
    -------
    Adam
        After the last step.
    losses, right : (steps_a_call(),) float32
        Of each step's batch the mean cross-entropy, and how many images were right; 0 beyond ``steps.used``.
    """

    def body(i: Array, carry: tuple[Adam, Array, Array]) -> tuple[Adam, Array, Array]:
        state, losses, rights = carry
        batch, rate = jax.tree.map(lambda part: jnp.asarray(part)[i], (steps.batches, steps.rates))
        state, loss, right = _take_step(network, recipe, fixed, state, images, labels, key, batch, rate)
        return state, losses.at[i].set(loss), rights.at[i].set(right)

    nothing = jnp.zeros(steps_a_call(), jnp.float32)
    start = (state, nothing, nothing)
    if steps_a_call() == 1:
        return body(jnp.asarray(0), start)
    end: tuple[Adam, Array, Array] = jax.lax.fori_loop(0, steps.used, body, start)
    return end


def _take_step(
    network: Network,
    recipe: Recipe,
    fixed: dict[str, Array],
    state: Adam,
    images: Array,
    labels: Array,
    key: Array,
    batch: Batch,
    rate: Array,
) -> tuple[Adam, Array, Array]:
    rows = jnp.asarray(batch.rows)
    affine = draw_affines(key, jnp.asarray(batch.number), rows, recipe.augmentation)
    mean, variance = fixed[NORMALIZATION + "mean"], fixed[NORMALIZATION + "variance"]
    x = ops.warp(images, rows, affine, mean, variance)
    y = labels[rows]

    def objective(params: dict[str, Array]) -> tuple[Array, tuple[Array, Array]]:
        logits = forward(network, params, x, len(rows))["logits"]
        log_p = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)[:, 0]
        loss = -(batch.weight * log_p).sum() / batch.weight.sum()
        right = (batch.weight * (logits.argmax(axis=1) == y)).sum()
        squares = sum(jnp.sum(w**2) for name, w in params.items() if name.endswith(".kernel"))
        return loss + network.l2 * squares, (loss, right)

    gradient, (loss, right) = jax.grad(objective, has_aux=True)(state.params)
    return state.update(gradient, recipe, rate), loss, right
