"""The hot operations, and the layout that feature maps have between them.

On a CPU with the native engine that layout is *lanes*, sixteen images side by side: (n / 16, channels, height,
width, 16). Elsewhere it is (n, height, width, channels). `enter` and `leave` lead into the layout and out of it;
nobody but the two modules of this package knows which it is.
"""

from functools import cache
from types import ModuleType

import jax
from jax import Array

from inksight.engine import library as native
from inksight.engine.ops import lanes, xla


@cache
def engine() -> str:
    """Return what computes: ``native-avx512``, ``native-avx2``, ``native`` (portable) or ``xla``.

    XLA does where the native engine is missing or not wanted, and on a GPU or TPU.
    """
    found = native.engine()
    return found if found and jax.default_backend() == "cpu" and lanes.register() else "xla"


def _home() -> ModuleType:
    return xla if engine() == "xla" else lanes


def enter(x: Array) -> Array:
    """Bring normalised images (n, height, width, channels) into the layout of this package."""
    result: Array = _home().enter(x)
    return result


def leave(x: Array, count: int) -> Array:
    """Bring `count` images' feature maps back: (count, height, width, channels)."""
    result: Array = _home().leave(x, count)
    return result


def conv_block(x: Array, kernel: Array, bias: Array, *, pool: int, leak: float) -> Array:
    """Convolve without padding, pool if asked to, add a bias and apply leaky ReLU, in one operation.

    Pooling comes first because bias and leaky ReLU never change which value is the largest, and on a
    quarter of the values they cost a quarter.

    Parameters
    ----------
    x : n images (height, width, channels) float32, in this package's layout
    kernel : (k, k, channels, filters) float32
    bias : (filters,) float32
    pool : {1, 2}
        Side of the pooling window; a last odd row or column is dropped.
    leak : float
        Slope for negative values, 0 to 1.

    Returns
    -------
    n images ((height - k + 1) // pool, (width - k + 1) // pool, filters) float32, in this package's layout
    """
    result: Array = _home().conv_block(x, kernel, bias, pool, leak)
    return result


def averaged_conv_block(
    x: Array, kernel: Array, bias: Array, *, pool: int, leak: float, count: int
) -> tuple[Array, Array]:
    """Return what `conv_block` does, and the mean of every feature map of the `count` images, (count, filters).

    In one operation because the gradient of a mean is one value for a whole map, which need not be written out.
    """
    result: tuple[Array, Array] = _home().averaged_conv_block(x, kernel, bias, pool, leak, count)
    return result


def warp(images: Array, rows: Array, lattice: Array, mean: Array, variance: Array) -> Array:
    """Gather images, move each as its own lattice says, and normalise.

    Parameters
    ----------
    images : (n, side, side) uint8
        The whole training set, high = ink.
    rows : (b,) int32
        Which images to gather.
    lattice : (b, 2, 5, 5) float32
        For each, knots spread evenly over the result, from corner to corner: the row and the column, counted from the
        image's centre, that they are read from. Between knots these are interpolated; pixels are bilinear, and zeros
        outside.
    mean, variance : () float32
        Of pixels scaled to 0..1.

    Returns
    -------
    b normalised images (side, side, 1) float32, in this package's layout
    """
    result: Array = _home().warp(images, rows, lattice, mean, variance)
    return result


def orthogonalized(matrix: Array, steps: int, polynomial: tuple[float, float, float]) -> Array:
    """Bring the singular values of a matrix towards 1 and leave its singular vectors: Newton-Schulz steps.

    Parameters
    ----------
    matrix : (rows, columns) float32
    steps : int
    polynomial : (float, float, float)
        Each step makes of a singular value s the value a s + b s**3 + c s**5; at the start they are divided by the
        matrix's norm.

    Returns
    -------
    (rows, columns) float32
    """
    result: Array = _home().orthogonalized(matrix, steps, polynomial)
    return result
