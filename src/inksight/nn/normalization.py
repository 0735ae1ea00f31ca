"""`Normalization`: the mean and variance of the training pixels."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, is_between

PREFIX = "normalization."  # of the names in a model file
_BLOCK = 1 << 16  # pixels that are summed at once


@dataclass(frozen=True, slots=True)
class Normalization:
    """The statistics by which a model normalizes images; measured, not trained. The default changes nothing.

    Parameters
    ----------
    mean, variance : float
        Of all pixels, scaled to 0..1. All values are rounded to single precision, as in the model file.
    count : float
        Number of pixels that they were measured on.

    Raises
    ------
    InputError
        If a value is not finite, the variance is not positive, or the count is negative.

    Examples
    --------
    >>> Normalization(mean=0.5, variance=0.25, count=784)
    Normalization(mean=0.5, variance=0.25, count=784.0)
    """

    mean: float = 0.0
    variance: float = 1.0
    count: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            check(is_between(value, -1e30, 1e30), PREFIX + name, value, "a finite number")
            object.__setattr__(self, name, float(np.float32(value)))
        check(self.variance > 0, PREFIX + "variance", self.variance, "above 0")
        check(self.count >= 0, PREFIX + "count", self.count, "0 or more")

    @classmethod
    def fit(cls, images: NDArray[np.uint8]) -> Self:
        """Measure images (n, 28, 28); raise `InputError` if all pixels have the same value.

        Examples
        --------
        >>> Normalization.fit(np.array([[[0, 255]]], np.uint8))
        Normalization(mean=0.5, variance=0.25, count=2.0)
        """
        total, squares = moments(images)  # exact, unlike sums of millions of floats
        mean = total / (255 * images.size)
        variance = (images.size * squares - total**2) / (255 * images.size) ** 2
        check(variance > 0, "training images", "all of one value", "images with ink on them")
        return cls(mean, variance, images.size)

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The values as arrays of shape (), by their names in a model file."""
        return {PREFIX + name: np.asarray(value, np.float32) for name, value in asdict(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> Self:
        """Return the normalization among the arrays of a model file; raise `InputError` if one is missing or wrong."""
        names = [PREFIX + field.name for field in fields(cls)]
        for name in names:
            array = arrays.get(name)
            got = None if array is None else (array.shape, str(array.dtype))
            check(got == ((), "float32"), name, got, "a single float32")
        return cls(*(float(arrays[name]) for name in names))


def moments(images: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the sum of all pixels and the sum of their squares, both exact.

    Parameters
    ----------
    images : uint8 array of any shape

    Examples
    --------
    >>> moments(np.array([[[3, 0], [3, 255]]], np.uint8))
    (261, 65043)
    """
    # Sums over blocks fit the processor's cache, and uint32: 2**16 * 255**2 < 2**32.
    total = squares = 0
    pixels = images.reshape(-1)
    for start in range(0, pixels.size, _BLOCK):
        block = pixels[start : start + _BLOCK].astype(np.uint32)
        total += int(block.sum())
        squares += int(np.einsum("i,i", block, block))
    return total, squares
