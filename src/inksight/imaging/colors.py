"""The colors of a picture, for what brightness alone does not show: ink as light as paper, but of another color."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight.imaging.transparency import alpha_is_ink

COLORLESS_MODES = ("1", "L", "LA", "La", "I", "F")  # of PIL images


def colors_of(picture: Image.Image | NDArray[Any]) -> Image.Image | None:
    """Return a picture in mode RGB, blended with white; None if it is gray or its ink is in its alpha channel.

    Parameters
    ----------
    picture : PIL image or array
        Upright, as `inksight.imaging.grayscale.open_picture` returns it and `to_grayscale` has checked it.

    Examples
    --------
    >>> colors_of(np.full((4, 6), 255, np.uint8)) is None
    True
    >>> colors_of(np.full((4, 6, 3), (1.0, 0.4, 0.0))).getpixel((0, 0))
    (255, 102, 0)
    """
    if isinstance(picture, np.ndarray):
        if picture.ndim < 3 or picture.shape[2] == 1:
            return None
        picture = Image.fromarray(_as_bytes(picture))
    if picture.mode in COLORLESS_MODES or picture.mode.startswith("I;16"):
        return None
    if picture.has_transparency_data:
        if alpha_is_ink(picture):
            return None
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def _as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype.kind == "u":
        return (array >> 8 * (array.dtype.itemsize - 1)).astype(np.uint8)
    return (255 * array.astype(np.float32) + 0.5).astype(np.uint8)
