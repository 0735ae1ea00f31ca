"""The operations on XLA, for GPUs, TPUs and machines without the native engine: see `inksight.engine.ops`."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

LAYOUT = ("NHWC", "HWIO", "NHWC")


def enter(x: Array) -> Array:
    """Return images unchanged: XLA's layout is (n, height, width, channels)."""
    return x


def leave(x: Array, count: int) -> Array:
    """Return feature maps unchanged."""
    return x


@partial(jax.jit, static_argnums=(3, 4))
def conv_block(x: Array, kernel: Array, bias: Array, pool: int, leak: float) -> Array:
    """See `inksight.engine.ops.conv_block`; `x` is (n, height, width, channels)."""
    convolve = convolve_one_channel if x.shape[-1] == 1 else convolve_any
    y = convolve(x, kernel)
    if pool == 2:
        y = y[:, : y.shape[1] // 2 * 2, : y.shape[2] // 2 * 2]
        # Maxima of strided slices, because XLA's gradient of reduce_window takes five times as long on a CPU.
        upper = jnp.maximum(y[:, ::2, ::2], y[:, ::2, 1::2])
        lower = jnp.maximum(y[:, 1::2, ::2], y[:, 1::2, 1::2])
        y = jnp.maximum(upper, lower)
    y = y + bias
    return jnp.where(y > 0, y, leak * y)


def averaged_conv_block(
    x: Array, kernel: Array, bias: Array, pool: int, leak: float, count: int
) -> tuple[Array, Array]:
    """See `inksight.engine.ops.averaged_conv_block`; `x` is (count, height, width, channels)."""
    y = conv_block(x, kernel, bias, pool, leak)
    return y, y.mean(axis=(1, 2))


def convolve_any(x: Array, kernel: Array) -> Array:
    """Convolve without padding, with XLA's own gradients."""
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT)


@jax.custom_vjp
def convolve_one_channel(x: Array, kernel: Array) -> Array:
    """Convolve images of one channel without padding. On a CPU the weight gradient is four times as fast as XLA's."""
    return convolve_any(x, kernel)


def _one_channel_forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return convolve_any(x, kernel), (x, kernel)


def _one_channel_backward(residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, kernel = residuals
    k, filters = kernel.shape[0], kernel.shape[-1]
    height, width = dy.shape[1:3]
    # One column for each kernel weight. One channel makes few, so the gradient is a single matrix product.
    patches = [x[:, i : i + height, j : j + width] for i in range(k) for j in range(k)]
    columns = jnp.concatenate(patches, axis=-1).reshape(-1, k * k)
    d_kernel = (columns.T @ dy.reshape(-1, filters)).reshape(kernel.shape)
    _, input_gradient = jax.vjp(lambda x: convolve_any(x, kernel), x)
    return input_gradient(dy)[0], d_kernel  # the compiler drops the first where it is unused


convolve_one_channel.defvjp(_one_channel_forward, _one_channel_backward)


def warp(images: Array, rows: Array, lattice: Array, mean: Array, variance: Array) -> Array:
    """See `inksight.engine.ops.warp`; returns (b, side, side, 1)."""
    side = images.shape[-1]
    batch = images[rows].astype(jnp.float32)
    # The weight of each knot for each row and, likewise, column: linear interpolation between knots.
    knots = lattice.shape[-1]
    weights = jnp.maximum(1 - abs(jnp.linspace(0, knots - 1, side)[:, None] - jnp.arange(knots)), 0)
    sources = jnp.einsum("rk,bikl,cl->birc", weights, lattice, weights, precision="highest") + (side - 1) / 2
    row, column = jnp.moveaxis(sources.reshape(len(rows), 2, -1), 1, 0)  # (b, side * side) each

    top, left = jnp.floor(row), jnp.floor(column)
    down, right = row - top, column - left
    # A border of zeros stands for everything outside the image.
    padded = jnp.pad(batch, ((0, 0), (1, 1), (1, 1))).reshape(len(rows), -1)
    width = side + 2

    def read(r: Array, c: Array) -> Array:
        r = jnp.clip(r + 1, 0, side + 1).astype(jnp.int32)
        c = jnp.clip(c + 1, 0, side + 1).astype(jnp.int32)
        return jnp.take_along_axis(padded, r * width + c, axis=1, mode="promise_in_bounds")

    upper = read(top, left) * (1 - right) + read(top, left + 1) * right
    lower = read(top + 1, left) * (1 - right) + read(top + 1, left + 1) * right
    pixels = (upper * (1 - down) + lower * down) / 255
    normalized: Array = (pixels - mean) / jnp.sqrt(variance)
    return normalized.reshape(len(rows), side, side, 1)


def orthogonalized(matrix: Array, steps: int, polynomial: tuple[float, float, float]) -> Array:
    """See `inksight.engine.ops.orthogonalized`."""
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    a, b, c = polynomial

    def step(_: int, x: Array) -> Array:
        y = x @ x.T
        result: Array = a * x + (b * y + c * (y @ y)) @ x
        return result

    result: Array = lax.fori_loop(0, steps, step, x / (jnp.linalg.norm(x) + 1e-12))
    return result if wide else result.T
