"""A page's paper: its light and shade taken away, its ink told from it, and the lines ruled on it left out."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.imaging.foreground import MIN_CONTRAST, noise_level, threshold_otsu, upper_decile
from inksight.imaging.illumination import MIN_BACKGROUND
from inksight.imaging.resampling import Grayscale, downscale, resample, round_half_up
from inksight.reading.page_detection import detect_page
from inksight.reading.ruled_lines import find_ruled_lines

LIGHT = 400  # pixels: the longer side of the picture on which the light is judged
STROKE = 1 / 14  # of the longer side: strokes are narrower, shadows and tables are wider, where nothing says otherwise
WIDE = 0.6  # of the longer side: wider than any stroke
AROUND = 1 / 12  # of the longer side: the reach of what a pixel is compared with, to tell ink from paper
SHADE = 0.6  # of the page's usual light: deeper shade is not made up for, for it may be a table
COARSE = 5  # times the usual contrast of its surroundings, that ink has at least
GRAIN = 0.7  # pixels: standard deviation of the blur that ink and paper are told apart under


@dataclass(frozen=True, eq=False)
class BinarizedPage:
    """What is on a page.

    Parameters
    ----------
    contrast : (height, width) float64, 0..1
        By what share each pixel is darker than the paper there (lighter, where the ink is light).
    mask : (height, width) bool
        Where there is ink, without the ruled lines.
    page_mask : (height, width) bool
        Where the sheet is, and not the table under it.
    noise : float
        Contrast that the paper's noise reaches.
    dark : bool
        Whether the ink is darker than the paper.
    """

    contrast: Grayscale
    mask: NDArray[np.bool_]
    page_mask: NDArray[np.bool_]
    noise: float
    dark: bool


def binarize(grey: Grayscale, invert: bool | None = None) -> BinarizedPage:
    """Find the ink on a page, brightness (height, width) 0..1; `invert` as `inksight.imaging.preprocessing.prepare` has it."""
    contrast, dark, stroke = _unlit(grey, invert)
    quartiles = (contrast.size // 4, contrast.size // 2)
    low = noise_level(np.partition(contrast, quartiles, axis=None))
    above = contrast > max(low, MIN_CONTRAST / 2)
    if not above.any():
        return BinarizedPage(contrast, above, np.ones(above.shape, bool), low, dark)
    strong = contrast[above]
    # Chalk and pencil are grainy: of their dark and their light grains none is paper.
    least = max(min(threshold_otsu(strong), 0.6 * upper_decile(strong)), MIN_CONTRAST)
    smooth = ndimage.gaussian_filter(contrast, GRAIN)
    clear = smooth > np.maximum(COARSE * _texture(contrast, max(2 * round_half_up(stroke), 1)), least)
    ruled = find_ruled_lines(above)
    sheet = detect_page(~above | ruled)
    return BinarizedPage(contrast, clear & ~ruled & sheet, sheet, low, dark)


def _texture(contrast: Grayscale, tile: int) -> Grayscale:
    """Return the usual contrast around each pixel, by tiles: high where no paper is, but wood, or cloth."""
    rows, columns = (np.linspace(0, length, -(-length // tile) + 1).astype(int) for length in contrast.shape)
    usual = [
        [float(np.quantile(contrast[top:bottom, left:right], 0.25)) for left, right in pairwise(columns)]
        for top, bottom in pairwise(rows)
    ]
    return np.array(usual).repeat(np.diff(rows), axis=0).repeat(np.diff(columns), axis=1)


def _unlit(grey: Grayscale, invert: bool | None) -> tuple[Grayscale, bool, float]:
    """Return the contrast to the paper, whether the ink is dark, and pixels that strokes are narrower than.

    Ink is the lesser part of what is around it and stands out from it by much: the third powers of the differences add
    up to its sign (as in `inksight.imaging.illumination.polarity_score`). The paper's brightness at a place is the closing there:
    strokes are too narrow for its window and vanish; a shadow's edge stays where it is.
    """
    small, pixel = downscale(grey, LIGHT)
    if invert is None:
        around = ndimage.gaussian_filter(small, max(small.shape) * AROUND)
        dark = bool(((small - around) ** 3).sum() <= 0)
    else:
        dark = not invert
    width = max(STROKE * max(small.shape), 1.5 * _widest_stroke(small if dark else 1 - small))
    window = max(3, round_half_up(width)) | 1
    paper = _closing(small, window) if dark else 1 - _closing(1 - small, window)
    # Light falls on dark paper as on white: what is light there is compared with the lightest, ink if there is any.
    light = paper if dark else ndimage.maximum_filter(small, window, mode="nearest")
    light = np.maximum(light, max(SHADE * float(np.median(light)), MIN_BACKGROUND))
    contrast = (resample(paper, *grey.shape) - grey) / resample(light, *grey.shape)
    return np.clip(contrast if dark else -contrast, 0, 1), dark, width * pixel[0]


def _closing(grey: Grayscale, window: int) -> Grayscale:
    lightest = ndimage.maximum_filter(grey, window, mode="nearest")
    paper: Grayscale = ndimage.minimum_filter(lightest, window, mode="nearest")
    return paper


def _widest_stroke(small: Grayscale) -> float:
    """Return the width of the widest stroke, in pixels; what meets the picture's border is a shadow, not a stroke."""
    paper = _closing(small, round_half_up(WIDE * max(small.shape)) | 1)
    contrast = np.clip((paper - small) / np.maximum(paper, MIN_BACKGROUND), 0, 1)
    if contrast.max() < MIN_CONTRAST:
        return 0.0
    ink = contrast >= threshold_otsu(contrast)
    border = np.pad(np.zeros((max(ink.shape[0] - 2, 0), max(ink.shape[1] - 2, 0)), bool), 1, constant_values=True)
    border = border[: ink.shape[0], : ink.shape[1]]
    inner = ink & ~ndimage.binary_propagation(border & ink, mask=ink)
    return 2 * float(ndimage.distance_transform_cdt(np.pad(inner, 1)).max())
