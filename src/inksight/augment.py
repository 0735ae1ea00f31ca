"""Random affine maps, a function of (seed, pass, image) alone: the batch an image falls in changes nothing."""

import math

import numpy as np
from numpy.typing import NDArray

from inksight.config import Augmentation

_STREAM = 1  # beside the seed and the pass, so that these numbers are not those that decided the order of the images


def draw_affines(seed: int, number: int, images: int, augmentation: Augmentation) -> NDArray[np.float32]:
    """Draw one affine map for each image of a pass.

    Parameters
    ----------
    seed : int
    number : int
        Of the pass over the training images, from 0.
    images : int
        How many there are; the maps of the first ones don't depend on it.
    augmentation : Augmentation
        How far each may be moved.

    Returns
    -------
    (images, 2, 3) float32
        Matrix and offset as `inksight.ops.warp` takes them: from a result's pixel, counted from the centre, back
        to where in the image it is read.
    """
    # In NumPy and for the whole pass: that takes a thousandth of the pass, and XLA a third of a second to compile.
    drawn = np.random.default_rng([seed, number, _STREAM]).random((images, 5), np.float32) * 2 - 1
    angle, down, across, scale, shear = drawn.T
    angle = angle * math.radians(augmentation.rotation)
    scale = 1 + scale * augmentation.scale
    shear = shear * augmentation.shear
    shift = augmentation.shift
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    # Rotation, then a slant that moves a pixel `shear` across for each one down.
    columns = [cos + sin * shear, sin, down * shift, cos * shear - sin, cos, across * shift]
    return np.stack(columns, axis=1).reshape(images, 2, 3)
