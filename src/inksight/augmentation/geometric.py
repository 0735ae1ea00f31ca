"""Random lattices to move images by, a function of (seed, pass, image) alone: the batch changes nothing."""

import math

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE, Augmentation

KNOTS = 5  # along each side of a lattice
# Beside the seed and the pass, so that these numbers are not those that decided the order of the images.
_MOVES, _STRETCHES, _ASPECTS = 1, 2, 3


def draw_lattices(seed: int, number: int, images: int, augmentation: Augmentation) -> NDArray[np.float32]:
    """Draw one lattice for each image of a pass.

    Parameters
    ----------
    seed : int
    number : int
        Of the pass over the training images, from 0.
    images : int
        How many there are; the lattices of the first ones don't depend on it.
    augmentation : Augmentation
        How far each may be moved.

    Returns
    -------
    (images, 2, KNOTS, KNOTS) float32
        As `inksight.engine.ops.warp` takes them: for knots spread evenly over the result, from corner to corner, the row and
        column, counted from the image's centre, that they are read from.
    """
    # In NumPy and for the whole pass: that takes a hundredth of the pass, and XLA a third of a second to compile.

    def draw(stream: int, count: int) -> NDArray[np.float32]:
        numbers = np.random.default_rng([seed, number, stream]).random((images, count), np.float32)
        return numbers * 2 - 1

    angle, down, across, scale, shear = draw(_MOVES, 5).T
    angle = angle * math.radians(augmentation.rotation)
    scale = 1 + scale * augmentation.scale
    shear = shear * augmentation.shear
    shift = augmentation.shift
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    # Rotation, then a slant that moves a pixel `shear` across for each one down.
    affine = np.stack([cos + sin * shear, sin, down * shift, cos * shear - sin, cos, across * shift], axis=1)
    if augmentation.aspect:
        half = np.exp(draw(_ASPECTS, 1) * np.float32(augmentation.aspect / 2))
        affine *= np.concatenate([half, half, one := np.ones_like(half), 1 / half, 1 / half, one], axis=1)
    knots = np.linspace(-(IMAGE_SIZE - 1) / 2, (IMAGE_SIZE - 1) / 2, KNOTS, dtype=np.float32)
    one = np.ones_like(knots)
    linear = np.stack([np.outer(knots, one), np.outer(one, knots), np.outer(one, one)]).reshape(3, -1)
    lattices = (affine.reshape(-1, 3) @ linear).reshape(images, 2, KNOTS, KNOTS)
    if augmentation.elastic:
        lattices += draw(_STRETCHES, 2 * KNOTS**2).reshape(lattices.shape) * np.float32(augmentation.elastic)
    return lattices
