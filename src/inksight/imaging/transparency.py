"""Transparency: whether the ink of a picture is in its alpha channel, as on a drawing canvas without a background."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight.imaging.foreground import MIN_CONTRAST

LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in the brightness: ITU-R BT.601
MAX_INK_SHARE = 0.5  # of the picture, or of their bounding box, that strokes cover
SAMPLE_SIZE = 1024  # pixels a side: of larger pictures, every nth pixel is looked at


def alpha_is_ink(picture: Image.Image | NDArray[Any]) -> bool:
    """Return whether a picture shows strokes on a transparent ground that blending with white would hide.

    Then the strokes have one color, whatever it is, or some are as light as white; a sheet of paper that is cut out of
    its surroundings has writing on it, and fills its bounding box.

    Parameters
    ----------
    picture : PIL image with transparency, or array (height, width, 4), RGBA of uint8, uint16 or floats 0..1

    Examples
    --------
    >>> white_ink = np.zeros((60, 50, 4), np.uint8)
    >>> white_ink[10:50, 20:26] = 255
    >>> alpha_is_ink(white_ink)
    True
    """
    rgba = _sample(picture)
    alpha = rgba[..., 3]
    visible = alpha >= 0.5 * alpha.max()
    if alpha.min() == alpha.max() or visible.mean() >= MAX_INK_SHARE:
        return False
    brightness = rgba[visible, :3] @ np.array(LUMA)
    if np.ptp(brightness) < MIN_CONTRAST:
        return True
    rows, columns = (np.flatnonzero(visible.any(axis=axis)) for axis in (1, 0))
    box_size = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    is_writing = visible.sum() < MAX_INK_SHARE * box_size
    return bool(is_writing and np.quantile(brightness, 0.95) > 1 - MIN_CONTRAST)


def _sample(picture: Image.Image | NDArray[Any]) -> NDArray[np.float64]:
    """Return RGBA, 0..1, of evenly spaced pixels."""
    if isinstance(picture, Image.Image):
        step = -(-max(picture.size) // SAMPLE_SIZE)
        if step > 1:
            width, height = (max(length // step, 1) for length in picture.size)
            picture = picture.resize((width, height), Image.Resampling.NEAREST)
        picture = np.asarray(picture.convert("RGBA"))
    step = -(-max(picture.shape) // SAMPLE_SIZE)
    sample = picture[::step, ::step]
    white = np.iinfo(sample.dtype).max if sample.dtype.kind == "u" else 1
    result: NDArray[np.float64] = sample / white
    return result
