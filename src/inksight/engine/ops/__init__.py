"""The operations that take most of a training's time, and the layout of feature maps between them.

On a CPU with the native engine the layout is *lanes*: (n / 16, channels, height, width, 16), groups of sixteen images.
Elsewhere it is (n, height, width, channels). `enter` and `leave` convert to the layout and back, so that only the two
modules of this package need to know it.
"""

import os
from functools import cache
from types import ModuleType

import jax
from jax import Array

from inksight.engine import library as native
from inksight.engine.ops import lanes, xla


@cache
def engine() -> str:
    """Return what computes: ``native-avx512``, ``native-avx2``, ``native-neon``, ``native`` (portable) or ``xla``.

    XLA computes on a GPU or TPU, where the native engine is missing, and where ``INKSIGHT_ENGINE`` asks for it.
    """
    name = native.engine()
    return name if name and jax.default_backend() == "cpu" and lanes.register() else "xla"


def shortfall() -> str | None:
    """Return why training runs on XLA where the native engine would be faster, and what to do.

    None if the native engine computes, if JAX has a GPU or TPU, or if ``INKSIGHT_ENGINE`` asks for XLA.
    """
    if engine() != "xla" or jax.default_backend() != "cpu" or os.environ.get("INKSIGHT_ENGINE") == "xla":
        return None
    return native.problem() or "the native engine was built without XLA's headers: install inksight again with jaxlib"


def _implementation() -> ModuleType:
    return xla if engine() == "xla" else lanes


def enter(x: Array) -> Array:
    """Convert normalized images (n, height, width, channels) to this package's layout."""
    result: Array = _implementation().enter(x)
    return result


def leave(x: Array, count: int) -> Array:
    """Convert the feature maps of `count` images from this package's layout to (count, height, width, channels)."""
    result: Array = _implementation().leave(x, count)
    return result


def conv_block(x: Array, kernel: Array, bias: Array, *, pool: int, leak: float) -> Array:
    """Apply a bank in one operation: convolution without padding, max pooling, bias and leaky ReLU.

    Pooling precedes bias and leaky ReLU. These never change which value is the largest, and cost a quarter as much on a
    quarter of the values.

    Parameters
    ----------
    x : n images (height, width, channels) float32, in this package's layout
    kernel : (k, k, channels, filters) float32
    bias : (filters,) float32
    pool : {1, 2}
        Side of the pooling window. An odd last row or column is dropped.
    leak : float, 0..1
        Slope for negative values.

    Returns
    -------
    n images ((height - k + 1) // pool, (width - k + 1) // pool, filters) float32, in this package's layout
    """
    result: Array = _implementation().conv_block(x, kernel, bias, pool, leak)
    return result


def averaged_conv_block(
    x: Array, kernel: Array, bias: Array, *, pool: int, leak: float, count: int
) -> tuple[Array, Array]:
    """Apply `conv_block` and global average pooling in one operation.

    The gradient of a mean is one value for a whole feature map. In one operation it need not be written for every
    position.

    Parameters
    ----------
    x, kernel, bias, pool, leak
        As in `conv_block`.
    count : int
        The number of images.

    Returns
    -------
    maps : the result of `conv_block`
    means : (count, filters) float32
    """
    result: tuple[Array, Array] = _implementation().averaged_conv_block(x, kernel, bias, pool, leak, count)
    return result


def warp(images: Array, rows: Array, lattice: Array, mean: Array, variance: Array) -> Array:
    """Gather images, warp each by its own lattice, and normalize.

    Parameters
    ----------
    images : (n, side, side) uint8
        The whole training set, high = ink.
    rows : (b,) int32
        The images to gather.
    lattice : (b, 2, 5, 5) float32
        For knots spread evenly over each result, from corner to corner: the row and the column to read from, in pixels
        from the image's center. Both are interpolated linearly between knots, and pixels bilinearly. Outside the image
        everything is 0.
    mean, variance : () float32
        Of pixels scaled to 0..1.

    Returns
    -------
    b normalized images (side, side, 1) float32, in this package's layout
    """
    result: Array = _implementation().warp(images, rows, lattice, mean, variance)
    return result


def orthogonalized(matrix: Array, steps: int, polynomial: tuple[float, float, float]) -> Array:
    """Move a matrix's singular values towards 1 by Newton-Schulz steps. Its singular vectors stay the same.

    Parameters
    ----------
    matrix : (rows, columns) float32
    steps : int
    polynomial : (float, float, float)
        Coefficients a, b and c: each step maps a singular value s to a s + b s**3 + c s**5. Before the first step the
        singular values are divided by the matrix's norm.

    Returns
    -------
    (rows, columns) float32
    """
    result: Array = _implementation().orthogonalized(matrix, steps, polynomial)
    return result
