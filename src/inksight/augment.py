"""Random affine maps, a function of (seed, pass, image) alone: the batch an image falls in changes nothing."""

import jax
import jax.numpy as jnp
from jax import Array

from inksight.config import Augmentation


def draw_affines(key: Array, number: Array | int, index: Array, augmentation: Augmentation) -> Array:
    """Draw one affine map for each image of a batch.

    Parameters
    ----------
    key : jax.Array
        ``jax.random.key(seed)``.
    number : int
        Of the pass over the training images, from 0.
    index : (b,) int
        Which images.
    augmentation : Augmentation
        How far each may be moved.

    Returns
    -------
    (b, 2, 3) float32
        Matrix and offset as `inksight.ops.warp` takes them: from a result's pixel, counted from the centre, back
        to where in the image it is read.
    """

    def draw(i: Array) -> Array:
        return jax.random.uniform(jax.random.fold_in(pass_key, i), (5,), minval=-1, maxval=1)

    pass_key = jax.random.fold_in(key, number)
    angle, down, across, scale, shear = jax.vmap(draw)(index).T
    angle = angle * jnp.deg2rad(augmentation.rotation)
    scale = 1 + scale * augmentation.scale
    shear = shear * augmentation.shear
    cos, sin = jnp.cos(angle) / scale, jnp.sin(angle) / scale
    # Rotation, then a slant that moves a pixel `shear` across for each one down.
    matrix = jnp.array([[cos + sin * shear, sin], [cos * shear - sin, cos]])
    offset = jnp.array([down, across]) * augmentation.shift
    return jnp.concatenate([matrix, offset[:, None]], axis=1).transpose(2, 0, 1)
