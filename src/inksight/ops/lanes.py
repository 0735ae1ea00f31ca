"""The operations on the native engine, sixteen images side by side; see `inksight.ops`.

In lanes an array is (groups, channels, height, width, 16).
"""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

from inksight import native

LANES = 16
TARGETS = ("inksight_forward", "inksight_forward_pooled", "inksight_backward", "inksight_warp")


@cache
def register() -> bool:
    """Make the engine's operations known to JAX; False where they were not built."""
    library = native.library()
    if library is None or not hasattr(library, TARGETS[0]):
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


def average(x: Array, count: int) -> Array:
    """Return the mean of every feature map in lanes, (count, channels)."""
    groups, channels = x.shape[:2]
    return x.mean(axis=(2, 3)).transpose(0, 2, 1).reshape(groups * LANES, channels)[:count]


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def conv_block(x: Array, kernel: Array, bias: Array, pool: int, leak: float) -> Array:
    """See `inksight.ops.conv_block`; `x` is in lanes."""
    y: Array = _call("inksight_forward", _output(x, kernel, pool), x, kernel, bias, pool, leak)
    return y


def _forward(x, kernel, bias, pool, leak):  # type: ignore[no-untyped-def]
    """Compute the block and keep what the gradient needs: under a pool, which of four positions won."""
    wanted = [x.value, kernel.value, bias.value]
    shape = _output(x.value, kernel.value, pool)
    if pool == 2:
        won_shape = jax.ShapeDtypeStruct(shape.shape, jnp.uint8)
        y, won = _call("inksight_forward_pooled", (shape, won_shape), *wanted, pool, leak)
    else:
        y, won = _call("inksight_forward", shape, *wanted, pool, leak), jnp.zeros(1, jnp.uint8)
    # The gradient with respect to the images is a third of the work: it is left out where nobody asks for it. An empty
    # tuple says so, because what is kept for the gradient may hold arrays only.
    return y, (x.value, kernel.value, y, won, (0,) if x.perturbed else ())


def _backward(pool, leak, kept, dy):  # type: ignore[no-untyped-def]
    x, kernel, y, won, wants_input = kept
    if isinstance(dy, SymbolicZero):
        dy = jnp.zeros(dy.shape, dy.dtype)
    shapes = (
        jax.ShapeDtypeStruct(x.shape if wants_input else (1,), jnp.float32),
        jax.ShapeDtypeStruct(kernel.shape, jnp.float32),
        jax.ShapeDtypeStruct(kernel.shape[-1:], jnp.float32),
    )
    dx, d_kernel, d_bias = _call(
        "inksight_backward", shapes, x, kernel, y, won, dy, pool, leak, with_input=bool(wants_input)
    )
    return (dx if wants_input else None), d_kernel, d_bias


conv_block.defvjp(_forward, _backward, symbolic_zeros=True)


def warp(images: Array, rows: Array, affine: Array, mean: Array, variance: Array) -> Array:
    """See `inksight.ops.warp`; returns lanes."""
    side = images.shape[-1]
    groups = -(-rows.shape[0] // LANES)
    shape = jax.ShapeDtypeStruct((groups, 1, side, side, LANES), jnp.float32)
    result: Array = jax.ffi.ffi_call("inksight_warp", shape)(
        images, rows.astype(jnp.int32), affine, jnp.asarray(mean, jnp.float32), jnp.asarray(variance, jnp.float32)
    )
    return result


def _output(x: Array, kernel: Array, pool: int) -> jax.ShapeDtypeStruct:
    groups, _, height, width, _ = x.shape
    k, _, _, filters = kernel.shape
    sides = ((height - k + 1) // pool, (width - k + 1) // pool)
    return jax.ShapeDtypeStruct((groups, filters, *sides, LANES), jnp.float32)


def _call(name, shapes, *arguments, **attributes):  # type: ignore[no-untyped-def]
    *arrays, pool, leak = arguments
    call = jax.ffi.ffi_call(name, shapes)
    return call(*arrays, pool=np.int32(pool), leak=np.float32(leak), **attributes)
