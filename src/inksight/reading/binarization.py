"""`binarize`: the ink of a page, without shading, noise, ruled lines and the table around the page."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inksight.imaging.foreground import MIN_CONTRAST, dilate, noise_level, threshold_otsu, upper_decile
from inksight.imaging.illumination import CLOSING_WINDOW, MIN_BACKGROUND
from inksight.imaging.resampling import Grayscale, block_mean, downscale, resample, round_half_up
from inksight.reading.cell_borders import find_cell_borders
from inksight.reading.colored_ink import (
    MIN_SHADE,
    SMOOTHING,
    color_contrast,
    find_colored_ink,
    find_pale_ink,
    relative_difference,
)
from inksight.reading.page_detection import detect_page
from inksight.reading.ruled_lines import find_horizontal_lines
from inksight.reading.thin_strokes import PALE_SHARE

COLOR_SIZE = 1000  # pixels: longer side of the reduced picture in which colored ink is sought
NOISE_SAMPLE = 1 << 18  # pixels of a larger page from which its noise is estimated
SURROUNDINGS_BLOCK = 4  # pixels a side of the blocks of the reduced picture that are blurred: the blur is far wider
TEXTURE_SAMPLE = 64  # pixels a side of a larger tile from which its texture is estimated
BACKGROUND_SIZE = 400  # pixels: longer side of the reduced picture on which the background is estimated

# Of the longer side:
MIN_CLOSING_WINDOW = 1 / 14  # the closing's window, at least
SURROUNDINGS = 1 / 12  # standard deviation of the blur whose result each pixel is compared with, to find the polarity

WINDOW_PER_STROKE = 1.5  # widths of the widest stroke in the closing's window, at least
INK_PER_TEXTURE = 5  # times the usual contrast around it: ink has at least this contrast
PAPER_SHARE = 0.1  # of the picture, at least, that is not wood or cloth
INK_PER_LINE = 1.5  # times the contrast of ruled lines: ink has at least this contrast where it lies on them
MAX_TEXTURE = 0.85  # of the upper decile of the ink's contrast: what has more is ink also where strokes are dense
MAX_THRESHOLD = 0.6  # of the upper decile of the ink's contrast: Otsu's threshold is limited to this


@dataclass(frozen=True, eq=False)
class BinarizedPage:
    """The ink and the paper of a page.

    Parameters
    ----------
    darkness : (height, width) float64, 0..1
        How dark each pixel is (how light, if the ink is light).
    contrast : (height, width) float64, 0..1
        Share by which each pixel is darker than the paper at that place (lighter, if the ink is light).
    ink_mask : (height, width) bool
        Where there is ink, without the ruled lines.
    pale_mask : (height, width) bool
        Where there is ink, or a stroke so thin that it is pale.
    page_mask : (height, width) bool
        Where the page is, without the table around it.
    noise : float
        Contrast up to which a pixel may be noise of the paper.
    dark : bool
        Whether the ink is darker than the paper.
    """

    darkness: Grayscale
    contrast: Grayscale
    ink_mask: NDArray[np.bool_]
    pale_mask: NDArray[np.bool_]
    page_mask: NDArray[np.bool_]
    noise: float
    dark: bool


def binarize(grayscale: Grayscale, invert: bool | None = None, colors: Image.Image | None = None) -> BinarizedPage:
    """Separate the ink of a page from its paper.

    Parameters
    ----------
    grayscale : (height, width) float64, 0..1
        Brightness of the page.
    invert : bool, optional
        True: the ink is lighter than the paper; False: darker. Detected by default.
    colors : PIL image, optional
        The same page in color (RGB), to find ink that is light but of another color than the paper.
    """
    contrast, dark, stroke = _flatten(grayscale, invert)
    darkness = 1 - grayscale if dark else grayscale
    sample = contrast.ravel()[:: max(contrast.size // NOISE_SAMPLE, 1)]
    ordered = np.partition(sample, sample.size // 2)
    ordered[: max(sample.size // 2, 1)].partition(sample.size // 4)
    noise = noise_level(ordered)
    above_noise = contrast > max(noise, MIN_CONTRAST / 2)
    if not above_noise.any():
        everywhere = np.ones(above_noise.shape, bool)
        return BinarizedPage(darkness, contrast, above_noise, above_noise, everywhere, noise, dark)
    strong = contrast[above_noise]
    full = upper_decile(strong)
    # Chalk and pencil are grainy: Otsu's threshold may lie between their dark and their light grains.
    threshold = max(min(threshold_otsu(strong), MAX_THRESHOLD * full), MIN_CONTRAST)
    texture = _texture_contrast(contrast, max(2 * round_half_up(stroke), 1))
    # A pattern that is printed all over the paper is told from ink by Otsu's threshold.
    excess = np.maximum(texture.values - texture.quantile(PAPER_SHARE), 0)
    limit = replace(texture, values=np.clip(INK_PER_TEXTURE * excess, threshold, MAX_TEXTURE * full))
    smooth, least = ndimage.gaussian_filter(contrast, SMOOTHING), limit.expanded()
    ink, pale = smooth > least, smooth > np.maximum(PALE_SHARE * least, noise)
    across, down = find_horizontal_lines(above_noise), find_horizontal_lines(above_noise.T).T
    ruled = across | down
    ruled |= find_cell_borders(above_noise & ~ruled, across)
    page_mask = detect_page(~above_noise | ruled)
    writable = ~ruled & page_mask
    if ruled.any():  # a stroke that lies on a paler line is ink
        writable |= ruled & page_mask & (contrast > INK_PER_LINE * upper_decile(contrast[ruled]))
    ink &= writable
    _add_lighter_ink(contrast, threshold, ink, colors, writable, page_mask, dark, stroke)
    return BinarizedPage(darkness, contrast, ink, ink | pale & writable, page_mask, noise, dark)


def _add_lighter_ink(
    contrast: Grayscale,
    threshold: float,
    ink: NDArray[np.bool_],
    colors: Image.Image | None,
    writable: NDArray[np.bool_],
    page_mask: NDArray[np.bool_],
    dark: bool,
    stroke: float,
) -> None:
    """Add to the contrast and the ink of a page, in place, what is written in pens that are too light for Otsu."""
    block = -(-max(ink.shape) // COLOR_SIZE)
    small_stroke = round_half_up(stroke / block)
    brightness = block_mean(contrast, block)
    is_ink, is_writable, is_page = (
        np.asarray(Image.fromarray(255 * mask.astype(np.uint8)).reduce(block)) >= 128
        for mask in (ink, writable, page_mask)
    )

    def texture(channel: Grayscale) -> Grayscale:
        return INK_PER_TEXTURE * _texture_contrast(channel, max(2 * small_stroke, 1)).expanded()

    lighter = find_pale_ink(brightness, texture(brightness), threshold, is_ink, is_writable, is_page)
    if colors is not None:
        color = color_contrast(colors.reduce(block), dark, small_stroke)
        colored = find_colored_ink(color, brightness, texture(color), is_ink, is_writable)
        lighter |= colored
    if not lighter.any():
        return
    lighter = lighter.repeat(block, axis=0).repeat(block, axis=1)[: ink.shape[0], : ink.shape[1]]
    ink |= lighter
    if colors is not None and colored.any():
        colored = colored.repeat(block, axis=0).repeat(block, axis=1)[: ink.shape[0], : ink.shape[1]]
        edge = dilate(colored)
        contrast[edge] = np.maximum(contrast, resample(color, *ink.shape))[edge]


@dataclass(frozen=True, eq=False)
class _Tiles:
    """A picture that has one value (m, n) in each of its tiles, of the given heights (m,) and widths (n,)."""

    values: Grayscale
    heights: NDArray[np.int64]
    widths: NDArray[np.int64]

    def expanded(self) -> Grayscale:
        """Return the value of each pixel."""
        return self.values.repeat(self.widths, axis=1).repeat(self.heights, axis=0)

    def quantile(self, share: float) -> float:
        """Return the value that a share of the pixels do not exceed."""
        order = np.argsort(self.values, axis=None)
        area = np.cumsum(np.outer(self.heights, self.widths).ravel()[order])
        return float(self.values.ravel()[order][np.searchsorted(area, share * area[-1])])


def _texture_contrast(contrast: Grayscale, tile: int) -> _Tiles:
    """Return the lower quartile of the contrast in the tile around each pixel: high on wood or cloth, low on paper."""
    rows, columns = (np.linspace(0, length, -(-length // tile) + 1).astype(int) for length in contrast.shape)
    step = max(tile // TEXTURE_SAMPLE, 1)
    quartiles = [
        [float(np.quantile(contrast[top:bottom:step, left:right:step], 0.25)) for left, right in pairwise(columns)]
        for top, bottom in pairwise(rows)
    ]
    return _Tiles(np.array(quartiles), np.diff(rows), np.diff(columns))


def _flatten(grayscale: Grayscale, invert: bool | None) -> tuple[Grayscale, bool, float]:
    """Return the contrast to the paper, whether the ink is dark, and a width in pixels that no stroke reaches.

    Ink covers less area than paper and differs from its surroundings by more, so the third powers of the differences
    add up to its sign (as in `inksight.imaging.illumination.polarity_score`). The paper's brightness is the grayscale
    closing: strokes are narrower than its window and vanish, while the edges of shadows stay in place.
    """
    small, pixel = downscale(grayscale, BACKGROUND_SIZE)
    if invert is None:
        coarse = block_mean(small, SURROUNDINGS_BLOCK)
        surroundings = resample(ndimage.gaussian_filter(coarse, max(coarse.shape) * SURROUNDINGS), *small.shape)
        difference = small - surroundings
        dark = bool((difference * difference * difference).sum() <= 0)  # `** 3` is far slower
    else:
        dark = not invert
    widest_stroke = _widest_stroke(small if dark else 1 - small)
    width = max(MIN_CLOSING_WINDOW * max(small.shape), WINDOW_PER_STROKE * widest_stroke)
    window = max(3, round_half_up(width)) | 1
    paper = _closing(small, window) if dark else 1 - _closing(1 - small, window)
    # The contrast is relative to the brightest of ink and paper: light falls on dark paper as on white.
    light = paper if dark else ndimage.maximum_filter(small, window, mode="nearest")
    light = np.maximum(light, max(MIN_SHADE * float(np.median(light)), MIN_BACKGROUND))
    contrast = relative_difference(paper, light, grayscale)
    return np.clip(contrast if dark else -contrast, 0, 1, out=contrast), dark, width * pixel[0]


def _closing(grayscale: Grayscale, window: int) -> Grayscale:
    """Return the grayscale closing: the minimum of the maximum over a square window."""
    maximum = ndimage.maximum_filter(grayscale, window, mode="nearest")
    closed: Grayscale = ndimage.minimum_filter(maximum, window, mode="nearest")
    return closed


def _widest_stroke(small: Grayscale) -> float:
    """Return the width of the widest stroke in pixels, ignoring ink that touches the border: it may be a shadow."""
    paper = _closing(small, round_half_up(CLOSING_WINDOW * max(small.shape)) | 1)
    contrast = np.clip((paper - small) / np.maximum(paper, MIN_BACKGROUND), 0, 1)
    if contrast.max() < MIN_CONTRAST:
        return 0.0
    ink = contrast >= threshold_otsu(contrast)
    border = np.pad(np.zeros((max(ink.shape[0] - 2, 0), max(ink.shape[1] - 2, 0)), bool), 1, constant_values=True)
    border = border[: ink.shape[0], : ink.shape[1]]
    inner = ink & ~ndimage.binary_propagation(border & ink, mask=ink)
    return 2 * float(ndimage.distance_transform_cdt(np.pad(inner, 1)).max())
