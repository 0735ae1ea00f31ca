"""JAX with XLA's convolutions and pooling, compiled as one training step, in the faster of two layouts."""

from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.competitors.protocol import BATCH, SHOWN, Data, Prepared, fastest, pixels, serve, throughput, weights

LAYOUTS = ("NHWC", "NCHW")

Params = Any  # a tree of arrays: kernel and bias of each layer


def logits(layout: str, params: Params, x: jax.Array) -> jax.Array:
    """Return the logits of the network `post`; pooling before the activation is the same for a quarter of the work."""
    *banks, dense, output = params
    window = tuple(2 if axis in "HW" else 1 for axis in layout)
    for number, (kernel, bias) in enumerate(banks):
        x = lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=(layout, "HWIO", layout))
        if number == 0:
            x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
        x = jax.nn.leaky_relu(x + jnp.expand_dims(bias, tuple(range(1, 4 - layout.index("C")))), 0.1)
    x = x.mean(axis=(layout.index("H"), layout.index("W")))
    x = jax.nn.leaky_relu(x @ dense[0] + dense[1], 0.1)
    result: jax.Array = x @ output[0] + output[1]
    return result


@partial(jax.jit, static_argnums=0, donate_argnums=(1, 2, 3))
def update(
    layout: str, params: Params, first: Params, second: Params, count: jax.Array, x: jax.Array, y: jax.Array
) -> tuple[Params, Params, Params, jax.Array, jax.Array]:
    """Take one step of Adam, given its first and second moments; return the new state and the loss."""

    def cross_entropy(params: Params) -> jax.Array:
        log_p = jax.nn.log_softmax(logits(layout, params, x))
        return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean()

    loss, gradient = jax.value_and_grad(cross_entropy)(params)
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, second, gradient)
    rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), params, first, second)
    return params, first, second, count, loss


def training_step(data: Data, layout: str) -> Callable[[], object]:
    """Return a training step on batches that are ready in memory."""
    params: Params = jax.tree.map(jnp.asarray, weights(data))
    zeros = [jax.tree.map(jnp.zeros_like, params) for _ in range(2)]
    state: list[Any] = [params, *zeros, jnp.zeros(())]
    whole = len(data["images"]) // BATCH * BATCH
    images = np.transpose(pixels(data)[:whole], ["NHWC".index(axis) for axis in layout])
    pairs = zip(np.split(images, whole // BATCH), np.split(data["labels"][:whole], whole // BATCH), strict=True)
    batches = cycle([(jnp.asarray(x), jnp.asarray(y)) for x, y in pairs])

    def step() -> None:
        *state[:], loss = update(layout, *state, *next(batches))
        loss.block_until_ready()

    return step


def prepare(data: Data) -> Prepared:
    shown = logits("NHWC", jax.tree.map(jnp.asarray, weights(data)), jnp.asarray(pixels(data)[:SHOWN]))
    steps = {layout: training_step(data, layout) for layout in LAYOUTS}
    chosen = fastest(steps)
    return {"train": partial(throughput, steps[chosen], BATCH)}, chosen, np.asarray(jax.nn.softmax(shown))


serve(prepare)
