"""Pen-style augmentation: digits redrawn with another pen, in another handwriting or at a lower resolution.

This adds what is rare in MNIST: very thick and very thin strokes, blur, low resolution, hard edges, stretched digits
and, for digit classes, allographs (`inksight.augmentation.allographs`). The result depends on seed, pass and image
alone.
"""

import numpy as np
from numpy.typing import NDArray

from inksight.augmentation.allographs import Ink, add_allographs, ink_extent
from inksight.config import IMAGE_SIZE
from inksight.imaging.framing import BOX_SIZE
from inksight.imaging.resampling import triangle_weights

PENS = 64  # different pens per pass; each redraws its images as one array, which is fast
MAX_BLUR = 1.6  # pixels: standard deviation of the strongest Gaussian blur
MIN_BLUR = 0.3  # pixels: weaker blur is left out
THRESHOLDS = (0.15, 0.8)  # shares of full ink: range of the threshold for a stroke's edge; lower ones thicken strokes
THRESHOLD_DROP = 0.15  # lowers the upper threshold per pixel of blur: thin strokes would break otherwise
EDGE_WIDTHS = (0.1, 0.3, 0.8)  # shares of full ink: width of the ramp from paper to ink, from binary to soft
MIN_RESOLUTION, MAX_RESOLUTION = 9.0, 36.0  # pixels a side: range of the resolution; 28 or more changes nothing
MIN_BINARY_RESOLUTION = 14  # pixels a side: images of a lower resolution are never binarized
MAX_SHEAR = 0.3  # pixels across for each one down
STRETCH_PROBABILITY = 0.5  # that a digit is made wider
CENTER = (IMAGE_SIZE - 1) / 2
STREAM = 4  # number of the random stream; those of `inksight.augmentation.geometric` are 1 to 3


def restyle(
    images: NDArray[np.uint8], labels: NDArray[np.int64] | None, share: float, seed: int, pass_number: int
) -> NDArray[np.uint8]:
    """Redraw some of the images of a pass, each with one of many pens.

    Parameters
    ----------
    images : (n, 28, 28) uint8
        High = ink.
    labels : (n,) int64, optional
        The digits; if given, some become allographs.
    share : float
        Share of the images to redraw, above 0 to 1.
    seed : int
    pass_number : int

    Returns
    -------
    (n, 28, 28) uint8
        A new array.

    Examples
    --------
    >>> import inksight
    >>> digits = inksight.load("mnist")[:100]
    >>> restyled = restyle(digits.images, digits.labels, 0.4, seed=0, pass_number=0)
    >>> int((restyled != digits.images).any(axis=(1, 2)).sum())
    39
    """
    rng = np.random.default_rng([seed, pass_number, STREAM])
    pen_of_image = rng.integers(0, max(PENS, round(PENS / share)), len(images))  # from PENS on: not redrawn
    result = images.copy()
    for pen in range(PENS):
        blur, edge_width, position = rng.uniform(0, MAX_BLUR), rng.choice(EDGE_WIDTHS), rng.random()
        threshold = THRESHOLDS[0] + position * (THRESHOLDS[1] - THRESHOLD_DROP * blur - THRESHOLDS[0])
        resolution = min(round(rng.uniform(MIN_RESOLUTION, MAX_RESOLUTION)), IMAGE_SIZE)
        binarize = rng.random() < 0.5 and resolution >= MIN_BINARY_RESOLUTION
        rows = np.flatnonzero(pen_of_image == pen)
        if not len(rows):
            continue
        ink: Ink = images[rows].astype(np.float32) / np.float32(255)
        if labels is not None:
            ink = add_allographs(ink, labels[rows], rng)
        ink = _stretch_and_shear(ink, rng)
        if blur > MIN_BLUR:
            ink = _apply_separable(ink, _gaussian_weights(blur))
        ink = _sharpen(ink, threshold, edge_width)
        if resolution < IMAGE_SIZE:
            ink = _apply_separable(ink, triangle_weights(IMAGE_SIZE, resolution))
            if binarize:
                ink = _sharpen(ink, 0.45, 0.1)
            ink = _full_contrast(_apply_separable(ink, triangle_weights(resolution, IMAGE_SIZE)))
        result[rows] = (ink * 255 + 0.5).astype(np.uint8)
    return result


def _sharpen(ink: Ink, threshold: float, edge_width: float) -> Ink:
    """Map ink to 0..1 by a ramp of `edge_width` around `threshold`, both shares of each image's full ink."""
    low = max(threshold - edge_width / 2, 0.0)
    result: Ink = np.clip((_full_contrast(ink) - np.float32(low)) / np.float32(edge_width), 0, 1)
    return result


def _full_contrast(ink: Ink) -> Ink:
    """Scale the ink of each image so that its maximum is 1."""
    result: Ink = ink / np.maximum(ink.max(axis=(1, 2), keepdims=True), np.float32(1e-3))
    return result


def _stretch_and_shear(ink: Ink, rng: np.random.Generator) -> Ink:
    """Shear all digits, and make some wider, up to the width of MNIST's box of 20 pixels."""
    columns = np.arange(IMAGE_SIZE, dtype=np.float32)
    first, last = ink_extent(ink, 2)
    width = np.maximum(last - first + 1, 1)
    stretch = np.where(rng.random(len(ink)) < STRETCH_PROBABILITY, rng.uniform(0.3, 1, len(ink)), 0)
    ratio = (width / np.maximum(width, BOX_SIZE)) ** stretch  # columns of the source per column of the result
    shear = rng.uniform(-MAX_SHEAR, MAX_SHEAR, len(ink))
    from_center = columns - CENTER
    source = ((first + last) / 2)[:, None, None] + ratio[:, None, None] * from_center
    source = source + shear[:, None, None] * from_center[:, None]
    source = np.clip(source, 0, IMAGE_SIZE - 1.001).astype(np.float32)
    left = source.astype(np.int64)
    share = source - left
    result: Ink = np.take_along_axis(ink, left, 2) * (1 - share) + np.take_along_axis(ink, left + 1, 2) * share
    return result


def _gaussian_weights(sigma: float) -> NDArray[np.float64]:
    """Return the weights of a Gaussian blur, (after, before) pixels, each row summing to 1."""
    pixels = np.arange(IMAGE_SIZE)
    weights: NDArray[np.float64] = np.exp(-((pixels[:, None] - pixels) ** 2) / (2 * sigma**2))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _apply_separable(ink: Ink, weights: NDArray[np.float64]) -> Ink:
    """Apply weights (after, before) to the rows and to the columns of every image."""
    weights32 = weights.astype(np.float32)
    # Image by image: one large product would start threads on every core, and they are busy training.
    result: Ink = np.matmul(weights32 @ ink, weights32.T)
    return result
