"""Colored and pale ink: what is written in lighter pens than the rest of a page, such as felt pens of several colors.

In brightness, orange or light green is nearer to white paper than to black ink. But every colored ink absorbs much of
the red, green or blue light.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inksight.imaging.foreground import dilate, upper_decile
from inksight.imaging.illumination import MIN_BACKGROUND
from inksight.imaging.resampling import Grayscale, resample
from inksight.reading.ruled_lines import find_ruled_lines

REDUCED_SIZE = 400  # pixels: longer side of the reduced picture on which the paper's color is estimated
MIN_SHADE = 0.6  # of the paper's median: deeper shade is not compensated, because it may be a table
MIN_CONTRAST = 0.25  # of colored ink to the paper, in the channel where it is largest
MIN_PALE_CONTRAST = 0.15  # of gray ink to the paper
MAX_HALO = 0.4  # of a gray stroke's contrast that its surroundings have: with more, its edge is not sharp
MAX_PALE_DISTANCE = 1.0  # heights of a gray stroke: to darker ink beside it
MAX_NEIGHBOUR_DISTANCE = 2.0  # heights of a gray stroke: to another one beside it
MIN_CORE = 0.45  # of a gray stroke's contrast: what has less is its blurred edge
MIN_LIKENESS = 0.6  # of the contrasts of two gray strokes of the same pencil, and of their heights: the lower of both
MAX_GRAZING_CONTRAST = 1.3  # times the threshold for ink: of a gray stroke that only in parts exceeds it
MIN_COLOR = 1.4  # times the contrast in brightness: gray ink and most printed lines have less
MAX_INK_SHARE = 0.5  # of a stroke: with more of it found by its brightness, nothing is missing
EDGE = 2  # pixels: width of the edge of a stroke, where colors are blurred
SMOOTHING = 0.7  # pixels: standard deviation of the blur before thresholding

# In heights of the other strokes:
MIN_HEIGHT, MAX_HEIGHT = 0.5, 2.0
MAX_WIDTH = 0.5  # of a stroke, also in heights of its own: a highlighter or a colored area is wider
MIN_WIDTH = 1 / 3  # of the widest other stroke: rests of ruled lines are thinner


def color_contrast(colors: Image.Image, dark: bool, window: int) -> Grayscale:
    """Return the contrast of each pixel to the paper in the color channel where it is largest.

    Parameters
    ----------
    colors : PIL image
        The page, in mode RGB.
    dark : bool
        Whether ink is darker than the paper.
    window : int
        Pixels a side of the grayscale closing that removes the strokes from the paper.

    Returns
    -------
    (height, width) float64, 0..1

    Examples
    --------
    >>> page = Image.new("RGB", (60, 40), "white")
    >>> page.paste((255, 204, 51), (20, 10, 24, 30))
    >>> color_contrast(page, True, 9)[20, [10, 21]].round(2)
    array([0. , 0.8])
    """
    small = colors.copy()
    small.thumbnail((REDUCED_SIZE, REDUCED_SIZE), Image.Resampling.BOX)
    window = max(3, round(window * max(small.size) / max(colors.size))) | 1
    largest = np.zeros((colors.height, colors.width))
    for channel, reduced in zip(colors.split(), small.split(), strict=True):
        values, coarse = np.asarray(channel) / 255, np.asarray(reduced) / 255
        if not dark:
            values, coarse = 1 - values, 1 - coarse
        maximum = ndimage.maximum_filter(coarse, window, mode="nearest")
        paper = ndimage.minimum_filter(maximum, window, mode="nearest")
        light = paper if dark else 1 - ndimage.minimum_filter(coarse, window, mode="nearest")
        light = np.maximum(light, max(MIN_SHADE * float(np.median(light)), MIN_BACKGROUND))
        np.maximum(largest, relative_difference(paper, light, values), out=largest)
    return np.minimum(largest, 1.0)


def relative_difference(paper: Grayscale, light: Grayscale, picture: Grayscale) -> Grayscale:
    """Return how much darker than the paper a picture is, relative to the light; both are reduced pictures."""
    full_paper = resample(paper, *picture.shape)
    full_light = full_paper.copy() if np.array_equal(light, paper) else resample(light, *picture.shape)
    full_paper -= picture
    full_paper /= full_light
    return full_paper


def find_colored_ink(
    color: Grayscale, contrast: Grayscale, texture: Grayscale, ink: NDArray[np.bool_], writable: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the colored strokes that are too light for the threshold that separates the other ink from the paper.

    Parameters
    ----------
    color : (height, width) float64, 0..1
        Contrast to the paper in the color channel where it is largest.
    contrast : (height, width) float64, 0..1
        Contrast to the paper in brightness.
    texture : (height, width) float64
        Contrast in color up to which a pixel may be texture, as of wood or cloth.
    ink : (height, width) bool
        Where the ink is that its brightness shows.
    writable : (height, width) bool
        Where the page is, without ruled lines.

    Returns
    -------
    (height, width) bool

    Examples
    --------
    >>> color, contrast = np.zeros((2, 60, 100))
    >>> color[10:50, 20:26], color[10:50, 70:76] = 0.8, 0.8
    >>> contrast[10:50, 20:26], contrast[10:50, 70:76] = 0.8, 0.2
    >>> found = find_colored_ink(color, contrast, np.zeros((60, 100)), contrast > 0.5, np.ones((60, 100), bool))
    >>> found[10:50, 70:76].all(), found[:, :60].any()
    (np.True_, np.False_)
    """
    smooth = ndimage.gaussian_filter(color, SMOOTHING)
    colored = (smooth > np.maximum(texture, MIN_CONTRAST)) & writable & (smooth > MIN_COLOR * contrast)
    colored &= ~dilate(ink & ~colored, EDGE)
    return _strokes_like(ink, colored, smooth)


def find_pale_ink(
    contrast: Grayscale,
    texture: Grayscale,
    threshold: float,
    ink: NDArray[np.bool_],
    writable: NDArray[np.bool_],
    page_mask: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return the gray strokes that are too light for the threshold, as of a pencil beside a felt pen.

    They stand beside darker ink or beside each other, and have sharp edges, as smudges and shadows have not. They touch
    neither darker ink, whose blurred edges are as light, nor the edge of the page. Parameters and result are those of
    `find_colored_ink`, and the contrast above which there is ink and where the page is.

    Examples
    --------
    >>> contrast = np.zeros((60, 140))
    >>> contrast[10:50, 20:26], contrast[10:50, 50:56] = 0.8, 0.3
    >>> everywhere = np.ones((60, 140), bool)
    >>> found = find_pale_ink(contrast, np.zeros((60, 140)), 0.5, contrast > 0.5, everywhere, everywhere)
    >>> found[10:50, 50:56].all(), found[:, :40].any()
    (np.True_, np.False_)
    """
    smooth = ndimage.gaussian_filter(contrast, SMOOTHING)
    regions, count = ndimage.label((smooth > np.maximum(texture, MIN_PALE_CONTRAST)) & writable, np.ones((3, 3)))
    is_pale = np.ones(count + 1, bool)
    touches_ink = np.zeros(count + 1, bool)
    touches_ink[regions[dilate(ink)]] = True
    boxes = ndimage.find_objects(regions)
    for number in np.flatnonzero(touches_ink[1:]).tolist():
        around = smooth[boxes[number]][regions[boxes[number]] == number + 1]
        is_pale[number + 1] = upper_decile(around) <= MAX_GRAZING_CONTRAST * threshold
    is_pale[regions[dilate(~page_mask)]] = False
    is_pale[0] = False
    found = _strokes_like(ink, is_pale[regions], smooth)
    darker = ink & ~found
    strokes, _ = ndimage.label(found, np.ones((3, 3)))
    sharp: list[_Stroke] = []
    for label, box in enumerate(ndimage.find_objects(strokes), 1):
        window = tuple(slice(max(side.start - 2 * EDGE, 0), side.stop + 2 * EDGE) for side in box)
        own = strokes[window] == label
        near, far = (dilate(own, times) for times in (EDGE, 2 * EDGE))
        if np.median(smooth[window][far & ~near]) <= MAX_HALO * np.median(smooth[window][own]):
            rows, columns = box
            own = strokes[rows, columns] == label
            sharp.append(_Stroke(rows, columns, own, upper_decile(smooth[rows, columns][own])))
    result = np.zeros_like(found)
    for stroke in sharp:
        rows, columns = stroke.rows, stroke.columns
        reach = round(MAX_PALE_DISTANCE * (rows.stop - rows.start))
        beside = darker[rows, max(columns.start - reach, 0) : columns.stop + reach]
        if beside.any() or any(stroke is not other and _are_neighbours(stroke, other) for other in sharp):
            result[rows, columns] |= stroke.own & (smooth[rows, columns] > MIN_CORE * stroke.contrast)
    return result


class _Stroke(NamedTuple):
    """A gray stroke: its box, its pixels in the box, and its contrast to the paper."""

    rows: slice
    columns: slice
    own: NDArray[np.bool_]
    contrast: float


def _are_neighbours(one: _Stroke, other: _Stroke) -> bool:
    """Return whether two strokes are beside each other and alike."""
    height, height2 = (stroke.rows.stop - stroke.rows.start for stroke in (one, other))
    overlap = min(one.rows.stop, other.rows.stop) - max(one.rows.start, other.rows.start)
    gap = max(one.columns.start - other.columns.stop, other.columns.start - one.columns.stop)
    return (
        overlap >= MIN_LIKENESS * max(height, height2)
        and gap <= MAX_NEIGHBOUR_DISTANCE * min(height, height2)
        and min(one.contrast, other.contrast) >= MIN_LIKENESS * max(one.contrast, other.contrast)
    )


def _strokes_like(ink: NDArray[np.bool_], pale: NDArray[np.bool_], smooth: Grayscale) -> NDArray[np.bool_]:
    """Return the regions of pale ink that are strokes as high and about as wide as those of the ink."""
    found = np.zeros_like(ink)
    if not ink.any() or not (pale & ~ink).any():
        return found
    height, widest = _height_of_strokes(ink), _width_of_strokes(ink)
    regions, _ = ndimage.label(pale, np.ones((3, 3)))
    if all(rows.stop - rows.start < MIN_HEIGHT * height for rows, _ in ndimage.find_objects(regions)):
        return found  # without the search for ruled lines, which takes longest
    pale = pale & ~ndimage.binary_dilation(find_ruled_lines(smooth > MIN_CONTRAST / 2))
    regions, _ = ndimage.label(pale, np.ones((3, 3)))
    for label, box in enumerate(ndimage.find_objects(regions), 1):
        high = box[0].stop - box[0].start
        if not MIN_HEIGHT * height <= high <= MAX_HEIGHT * height:  # as most of the regions of noise
            continue
        own = regions[box] == label
        if (
            all(side.start > 0 and side.stop < length for side, length in zip(box, ink.shape, strict=True))  # no table
            and ink[box][own].mean() <= MAX_INK_SHARE
            and MIN_WIDTH * widest <= _width_of_strokes(own) <= MAX_WIDTH * min(height, high)
        ):
            found[box] |= own
    return found


def _width_of_strokes(ink: NDArray[np.bool_]) -> int:
    """Return the width of the widest stroke, in pixels."""
    return 2 * int(ndimage.distance_transform_cdt(np.pad(ink, 1)).max())


def _height_of_strokes(ink: NDArray[np.bool_]) -> float:
    """Return the median height of the connected components of ink, weighted by their area."""
    regions, _ = ndimage.label(ink, np.ones((3, 3)))
    heights = np.array([down.stop - down.start for down, _ in ndimage.find_objects(regions)])
    order = np.argsort(heights, kind="stable")
    area = np.cumsum(np.bincount(regions.ravel())[1:][order])
    return float(heights[order][np.searchsorted(area, area[-1] / 2)])
