"""Random geometric transformations of images, which depend on seed, pass and image alone, not on the batch."""

import math

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE, Augmentation

KNOTS = 5  # along each side of a lattice
# Numbers of the random streams. `Batches` draws the order of the images from (seed, pass) without such a number.
_AFFINE, _ELASTIC, _ASPECT = 1, 2, 3


def draw_lattices(seed: int, pass_number: int, images: int, augmentation: Augmentation) -> NDArray[np.float32]:
    """Draw one lattice of sampling positions for each image of a pass.

    Parameters
    ----------
    seed : int
    pass_number : int
        Number of the pass over the training images, from 0.
    images : int
        Number of images; the lattices of the first ones do not depend on it.
    augmentation : Augmentation
        Limits of each transformation.

    Returns
    -------
    (images, 2, KNOTS, KNOTS) float32
        For knots spaced evenly over the result, from corner to corner, the row and the column of the source, in pixels
        from the image's center; `inksight.engine.trainer.Steps` holds them.
    """
    # NumPy draws the whole pass in a hundredth of its time.

    def draw(stream: int, count: int) -> NDArray[np.float32]:
        """Draw numbers (images, count) uniformly from -1 to 1."""
        numbers = np.random.default_rng([seed, pass_number, stream]).random((images, count), np.float32)
        return numbers * 2 - 1

    angle, down, across, scale, shear = draw(_AFFINE, 5).T
    angle = angle * math.radians(augmentation.rotation)
    scale = 1 + scale * augmentation.scale
    shear = shear * augmentation.shear
    shift = augmentation.shift
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    # Rotation, then a shear that moves a pixel `shear` across for each one down.
    affine = np.stack([cos + sin * shear, sin, down * shift, cos * shear - sin, cos, across * shift], axis=1)
    if augmentation.aspect:
        half = np.exp(draw(_ASPECT, 1) * np.float32(augmentation.aspect / 2))
        affine *= np.concatenate([half, half, one := np.ones_like(half), 1 / half, 1 / half, one], axis=1)
    knots = np.linspace(-(IMAGE_SIZE - 1) / 2, (IMAGE_SIZE - 1) / 2, KNOTS, dtype=np.float32)
    one = np.ones_like(knots)
    linear = np.stack([np.outer(knots, one), np.outer(one, knots), np.outer(one, one)]).reshape(3, -1)
    lattices = (affine.reshape(-1, 3) @ linear).reshape(images, 2, KNOTS, KNOTS)
    if augmentation.elastic:
        lattices += draw(_ELASTIC, 2 * KNOTS**2).reshape(lattices.shape) * np.float32(augmentation.elastic)
    return lattices
