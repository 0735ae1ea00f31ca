"""Noise: smooth, from which paper, ink and wood get their texture; and images of nothing but noise."""

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


def noise_images(count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images of noise, (count, 28, 28) uint8: each is white or smooth noise, in shades or black and white."""
    images = np.empty((count, 28, 28), np.uint8)
    for image in images:
        noise = rng.random(image.shape)
        if rng.random() < 0.5:
            noise = ndimage.gaussian_filter(noise, rng.uniform(0.4, 2.0))
            noise = (noise - noise.min()) / np.ptp(noise)
        if rng.random() < 0.4:
            noise = (noise > rng.uniform(0.3, 0.8)).astype(np.float64)
        image[:] = np.round(255 * noise)
    return images
