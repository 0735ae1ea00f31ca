"""Colored ink: what is written in lighter pens than the rest, as with felt pens of several colors."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inksight.imaging.illumination import MIN_BACKGROUND
from inksight.imaging.resampling import Grayscale, resample
from inksight.reading.ruled_lines import find_ruled_lines

REDUCED_SIZE = 400  # pixels: longer side of the reduced picture on which the paper's color is estimated
MIN_CONTRAST = 0.25  # of colored ink to the paper, in the channel where it is largest
MIN_COLOR = 1.4  # times the contrast in brightness: ink with less in every channel is gray
SMOOTHING = 0.7  # pixels: standard deviation of the blur before thresholding
EDGE = 2  # pixels: width of the blurred edge of a stroke

# In heights of the other strokes:
MIN_HEIGHT, MAX_HEIGHT = 0.5, 2.0
MAX_STROKE = 0.5
MIN_STROKE = 1 / 3  # of the widest of the other strokes


def color_contrast(colors: Image.Image, dark: bool, window: int) -> Grayscale:
    paper_and_light = []
    small = colors.copy()
    small.thumbnail((REDUCED_SIZE, REDUCED_SIZE), Image.Resampling.BOX)
    window = max(3, round(window * small.width / colors.width)) | 1
    result = np.zeros((colors.height, colors.width))
    for channel, reduced in zip(colors.split(), small.split(), strict=True):
        values, coarse = np.asarray(channel) / 255, np.asarray(reduced) / 255
        if not dark:
            values, coarse = 1 - values, 1 - coarse
        paper = ndimage.grey_closing(coarse, (window, window), mode="nearest")
        light = paper if dark else 1 - ndimage.grey_erosion(coarse, (window, window), mode="nearest")
        light = np.maximum(light, max(0.6 * float(np.median(light)), MIN_BACKGROUND))
        result = np.maximum(result, (resample(paper, *values.shape) - values) / resample(light, *values.shape))
    return np.minimum(result, 1.0)


def find_colored_ink(
    color: Grayscale, contrast: Grayscale, ink: NDArray[np.bool_], paper: NDArray[np.bool_], texture: Grayscale
) -> NDArray[np.bool_]:
    if not ink.any():
        return ink
    smooth = ndimage.gaussian_filter(color, SMOOTHING)
    near_ink = ndimage.binary_dilation(ink, np.ones((3, 3)), iterations=EDGE)
    colored = (smooth > np.maximum(texture, MIN_CONTRAST)) & (smooth > MIN_COLOR * contrast) & ~near_ink & paper
    if not colored.any():
        return colored
    colored &= ~ndimage.binary_dilation(find_ruled_lines(smooth > MIN_CONTRAST / 2))
    regions, count = ndimage.label(colored, np.ones((3, 3)))
    height, widest = _height_of_strokes(ink), width_of_strokes(ink)
    found = np.zeros_like(ink)
    for label, box in enumerate(ndimage.find_objects(regions), 1):
        h = box[0].stop - box[0].start
        if not MIN_HEIGHT * height <= h <= MAX_HEIGHT * height:
            continue
        own = regions[box] == label
        width = width_of_strokes(own)
        if MIN_STROKE * widest <= width <= MAX_STROKE * height:
            found[box] |= own
    return found


def width_of_strokes(ink: NDArray[np.bool_]) -> int:
    """Return the width of the widest stroke, in pixels."""
    return 2 * int(ndimage.distance_transform_cdt(np.pad(ink, 1)).max())


def _height_of_strokes(ink: NDArray[np.bool_]) -> float:
    """Return the median height of the connected components of ink, weighted by their area."""
    regions, _ = ndimage.label(ink, np.ones((3, 3)))
    heights = np.array([down.stop - down.start for down, _ in ndimage.find_objects(regions)])
    order = np.argsort(heights, kind="stable")
    area = np.cumsum(np.bincount(regions.ravel())[1:][order])
    return float(heights[order][np.searchsorted(area, area[-1] / 2)])
