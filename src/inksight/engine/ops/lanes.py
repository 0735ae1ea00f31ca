"""The operations on the native engine, sixteen images side by side; see `inksight.engine.ops`.

In lanes an array is (groups, channels, height, width, 16).
"""

import math
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

from inksight.engine import library as native

LANES = 16
TARGETS = ("inksight_forward", "inksight_backward", "inksight_warp", "inksight_orthogonalize")


@cache
def register() -> bool:
    """Make the engine's operations known to JAX; False where they were not built."""
    library = native.library()
    if library is None or not all(hasattr(library, name) for name in TARGETS):
        return False
    for name in TARGETS:
        jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, name)), platform="cpu")
    return True


def enter(x: Array) -> Array:
    """Lay (n, height, width, channels) out in lanes; images of zeros fill the last group."""
    n, height, width, channels = x.shape
    x = jnp.pad(x, ((0, -n % LANES), (0, 0), (0, 0), (0, 0)))
    return x.reshape(-1, LANES, height, width, channels).transpose(0, 4, 2, 3, 1)


def leave(x: Array, count: int) -> Array:
    """Bring lanes back to (count, height, width, channels)."""
    groups, channels, height, width, _ = x.shape
    return x.transpose(0, 4, 2, 3, 1).reshape(groups * LANES, height, width, channels)[:count]


@partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def _conv_block(x: Array, kernel: Array, bias: Array, pool: int, leak: float, average: bool) -> tuple[Array, Array]:
    """Return the block's feature maps and, if wanted, the mean of each, (groups, filters, 1, 1, 16)."""
    y, _, means = _forward(x, kernel, bias, pool, leak, average, won=False)
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


def _forward(
    x: Array, kernel: Array, bias: Array, pool: int, leak: float, average: bool, *, won: bool
) -> tuple[Array, Array, Array]:
    """Compute the block; what isn't wanted comes back without elements."""
    groups, _, height, width, _ = x.shape
    k, _, _, filters = kernel.shape
    maps = (groups, filters, (height - k + 1) // pool, (width - k + 1) // pool, LANES)
    shapes = (
        jax.ShapeDtypeStruct(maps, jnp.float32),
        jax.ShapeDtypeStruct(maps if won and pool == 2 else (0,), jnp.uint8),
        jax.ShapeDtypeStruct((groups, filters, 1, 1, LANES) if average else (0,), jnp.float32),
    )
    call = jax.ffi.ffi_call("inksight_forward", shapes)
    y, winners, means = call(x, kernel, bias, pool=np.int32(pool), leak=np.float32(leak))
    return y, winners, means


def _keep(x, kernel, bias, pool, leak, average):  # type: ignore[no-untyped-def]
    """Compute the block and keep what the gradient needs: under a pool, which of four positions won."""
    y, won, means = _forward(x.value, kernel.value, bias.value, pool, leak, average, won=True)
    # The gradient with respect to the images is a third of the work: it is left out where nobody asks for it. An empty
    # tuple says so, because what is kept for the gradient may hold arrays only.
    return (y, means), (x.value, kernel.value, y, won, (0,) if x.perturbed else ())


def _backward(pool, leak, average, kept, gradients):  # type: ignore[no-untyped-def]
    x, kernel, y, won, wants_input = kept
    d_maps, d_means = gradients
    # The gradient of means alone stays one value a map: the engine spreads it.
    dy = jnp.zeros_like(y) if isinstance(d_maps, SymbolicZero) else d_maps
    if average and not isinstance(d_means, SymbolicZero):
        spread = d_means / math.prod(y.shape[2:4])
        dy = spread if isinstance(d_maps, SymbolicZero) else dy + spread
    shapes = (
        jax.ShapeDtypeStruct(x.shape if wants_input else (0,), jnp.float32),
        jax.ShapeDtypeStruct(kernel.shape, jnp.float32),
        jax.ShapeDtypeStruct(kernel.shape[-1:], jnp.float32),
    )
    call = jax.ffi.ffi_call("inksight_backward", shapes)
    dx, d_kernel, d_bias = call(x, kernel, y, won, dy, pool=np.int32(pool), leak=np.float32(leak))
    return (dx if wants_input else None), d_kernel, d_bias


_conv_block.defvjp(_keep, _backward, symbolic_zeros=True)


def warp(images: Array, rows: Array, lattice: Array, mean: Array, variance: Array) -> Array:
    """See `inksight.engine.ops.warp`; returns lanes."""
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
