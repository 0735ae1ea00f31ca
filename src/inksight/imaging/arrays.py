"""Checks of image arrays that are given to a network."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check
from inksight.config import IMAGE_SIZE
from inksight.errors import InputError


def as_images(images: ArrayLike) -> NDArray[Any]:
    """Check images of shape (28, 28) to (n, 28, 28, 1), uint8 or float 0..1, and return them as (n, 28, 28).

    Raises
    ------
    InputError
        If the shape, the type or a value is not allowed.
    """
    try:
        array = np.asarray(images)
    except ValueError as error:  # NumPy's message speaks of an inhomogeneous shape
        raise InputError(
            f"images must all have the same shape, got {type(images).__name__} of different ones: prepare each with "
            "`inksight.prepare`"
        ) from error
    if array.dtype == bool:
        array = array.astype(np.float32)
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    elif array.ndim == 3 and array.shape == (IMAGE_SIZE, IMAGE_SIZE, 1):
        array = array[None, ..., 0]
    elif array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        side = IMAGE_SIZE
        raise InputError(
            f"shape of images must be ({side}, {side}) to (n, {side}, {side}, 1), got {np.shape(images)!r}"
        )
    if array.dtype == np.uint8:
        return array
    check(array.dtype.kind == "f", "type of images", str(array.dtype), "uint8, or float with values 0 to 1")
    low, high = (array.min(), array.max()) if array.size else (0.0, 0.0)
    check(
        bool(low >= 0 and high <= 1), "range of float images", (float(low), float(high)), "0 to 1",
        "divide by the largest possible value, or pass uint8",
    )  # fmt: skip
    return array.astype(np.float32)


def as_single_image(image: ArrayLike) -> NDArray[np.generic]:
    """Check that `image` is a single image, uint8 or float 0..1, and return it as (28, 28).

    Raises
    ------
    InputError
        If there is not exactly one image, or `as_images` does not accept it.
    """
    batch = as_images(image)
    if len(batch) != 1:
        raise InputError(
            f"image must be a single one of {IMAGE_SIZE}x{IMAGE_SIZE}, got {len(batch)}: select one, such as images[0]"
        )
    result: NDArray[np.generic] = batch[0]
    return result
