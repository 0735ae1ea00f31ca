"""The operations on the native engine: see `inksight.engine.ops`.

Its layout, *lanes*, is (groups, channels, height, width, 16): groups of sixteen images.
"""

import math
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

from inksight.engine import library as native

LANES = 16  # images: a group
TARGETS = ("inksight_forward", "inksight_backward", "inksight_warp", "inksight_orthogonalize")


@cache
def register() -> bool:
    """Register the engine's operations with JAX. Return False if they were not built."""
    library = native.library()
    if library is None or not all(hasattr(library, name) for name in TARGETS):
        return False
    for name in TARGETS:
        jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, name)), platform="cpu")
    return True


def enter(x: Array) -> Array:
    """Convert (n, height, width, channels) to lanes. Images of zeros fill the last group."""
    n, height, width, channels = x.shape
    x = jnp.pad(x, ((0, -n % LANES), (0, 0), (0, 0), (0, 0)))
    return x.reshape(-1, LANES, height, width, channels).transpose(0, 4, 2, 3, 1)


def leave(x: Array, count: int) -> Array:
    """Convert lanes to (count, height, width, channels)."""
    groups, channels, height, width, _ = x.shape
    return x.transpose(0, 4, 2, 3, 1).reshape(groups * LANES, height, width, channels)[:count]


@partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def _conv_block(x: Array, kernel: Array, bias: Array, pool: int, leak: float, average: bool) -> tuple[Array, Array]:
    """Return the block's feature maps and, if `average`, the mean of each, (groups, filters, 1, 1, 16)."""
    y, _, means = _call_forward(x, kernel, bias, pool, leak, average, keep_argmax=False)
    return y, means


def conv_block(x: Array, kernel: Array, bias: Array, pool: int, leak: float) -> Array:
    """See `inksight.engine.ops.conv_block`; `x` is in lanes."""
    return _conv_block(x, kernel, bias, pool, leak, False)[0]


def averaged_conv_block(
    x: Array, kernel: Array, bias: Array, pool: int, leak: float, count: int
) -> tuple[Array, Array]:
    """See `inksight.engine.ops.averaged_conv_block`; `x` is in lanes."""
    y, means = _conv_block(x, kernel, bias, pool, leak, True)
    return y, leave(means, count)[:, 0, 0]


def _call_forward(
    x: Array, kernel: Array, bias: Array, pool: int, leak: float, average: bool, *, keep_argmax: bool
) -> tuple[Array, Array, Array]:
    """Compute feature maps, pool argmax and means. The last two have no elements where they are not asked for."""
    groups, _, height, width, _ = x.shape
    k, _, _, filters = kernel.shape
    maps = (groups, filters, (height - k + 1) // pool, (width - k + 1) // pool, LANES)
    shapes = (
        jax.ShapeDtypeStruct(maps, jnp.float32),
        jax.ShapeDtypeStruct(maps if keep_argmax and pool == 2 else (0,), jnp.uint8),
        jax.ShapeDtypeStruct((groups, filters, 1, 1, LANES) if average else (0,), jnp.float32),
    )
    call = jax.ffi.ffi_call("inksight_forward", shapes)
    y, pool_argmax, means = call(x, kernel, bias, pool=np.int32(pool), leak=np.float32(leak))
    return y, pool_argmax, means


def _forward(x, kernel, bias, pool, leak, average):  # type: ignore[no-untyped-def]
    """Compute the block, and return what the gradient needs with it."""
    y, pool_argmax, means = _call_forward(x.value, kernel.value, bias.value, pool, leak, average, keep_argmax=True)
    # The gradient with respect to the images is a third of the work, so it is left out where it is unused. A tuple says
    # so, empty or not: residuals may hold only arrays and containers of them.
    needs_dx = (0,) if x.perturbed else ()
    return (y, means), (x.value, kernel.value, y, pool_argmax, needs_dx)


def _backward(pool, leak, average, residuals, gradients):  # type: ignore[no-untyped-def]
    x, kernel, y, pool_argmax, needs_dx = residuals
    d_maps, d_means = gradients
    # If only the means have a gradient, it stays one value per feature map, which the engine applies to every position.
    dy = jnp.zeros_like(y) if isinstance(d_maps, SymbolicZero) else d_maps
    if average and not isinstance(d_means, SymbolicZero):
        share = d_means / math.prod(y.shape[2:4])
        dy = share if isinstance(d_maps, SymbolicZero) else dy + share
    shapes = (
        jax.ShapeDtypeStruct(x.shape if needs_dx else (0,), jnp.float32),
        jax.ShapeDtypeStruct(kernel.shape, jnp.float32),
        jax.ShapeDtypeStruct(kernel.shape[-1:], jnp.float32),
    )
    call = jax.ffi.ffi_call("inksight_backward", shapes)
    dx, d_kernel, d_bias = call(x, kernel, y, pool_argmax, dy, pool=np.int32(pool), leak=np.float32(leak))
    return (dx if needs_dx else None), d_kernel, d_bias


_conv_block.defvjp(_forward, _backward, symbolic_zeros=True)


def warp(images: Array, rows: Array, lattice: Array, mean: Array, variance: Array) -> Array:
    """See `inksight.engine.ops.warp`; the result is in lanes."""
    side = images.shape[-1]
    groups = -(-rows.shape[0] // LANES)
    shape = jax.ShapeDtypeStruct((groups, 1, side, side, LANES), jnp.float32)
    result: Array = jax.ffi.ffi_call("inksight_warp", shape)(
        images, rows.astype(jnp.int32), lattice, jnp.asarray(mean, jnp.float32), jnp.asarray(variance, jnp.float32)
    )
    return result


def orthogonalized(matrix: Array, steps: int, polynomial: tuple[float, float, float]) -> Array:
    """See `inksight.engine.ops.orthogonalized`."""
    call = jax.ffi.ffi_call("inksight_orthogonalize", jax.ShapeDtypeStruct(matrix.shape, jnp.float32))
    a, b, c = (np.float32(factor) for factor in polynomial)
    result: Array = call(matrix, steps=np.int32(steps), a=a, b=b, c=c)
    return result
