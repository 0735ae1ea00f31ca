"""Smooth noise, from which paper, ink and wood get their texture."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]


def smooth_noise(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> Array:
    """Return noise with a standard deviation of about 1 and features `scale` pixels wide, of the given shape."""
    coarse = [max(2, int(length / scale) + 2) for length in shape]
    grid = rng.normal(0, 1, coarse)
    zoom = [length / coarse_length for length, coarse_length in zip(shape, coarse, strict=True)]
    noise: Array = ndimage.zoom(grid, zoom, order=1, mode="nearest", grid_mode=True)[: shape[0], : shape[1]] / 0.8
    return noise
