"""Digits drawn again with other pens, by other hands and more coarsely: a function of (seed, pass, image) alone.

What a network trained on MNIST has not seen: strokes far thicker, and thinner, the blur and the few pixels of a small
picture, edges without a grey between black and white, digits that were stretched, and, where classes are digits, what
other hands write differently (`inksight.augmentation.allographs`).
"""

import numpy as np
from numpy.typing import NDArray

from inksight.augmentation.allographs import Pixels, add_allographs, span
from inksight.config import IMAGE_SIZE
from inksight.imaging.framing import BOX_SIZE
from inksight.imaging.resampling import triangle_weights

PENS = 64  # different ones a pass; a pen draws whole arrays of images, which is quick
BLUR = 1.6  # pixels: standard deviation of the widest stroke's spread
NO_BLUR = 0.3  # pixels: below that there is nothing to spread
SHARE = (0.15, 0.8)  # of full ink, at which a stroke's edge is drawn: less makes it thicker, more thinner
LESS = 0.15  # by which the upper one is less for each pixel of spread, or else thin strokes would break
EDGES = (0.1, 0.3, 0.8)  # width of an edge from paper to ink, in shares of full ink: black and white, or soft
COARSEST, FINEST = 9.0, 36.0  # pixels a side that an image is drawn with, 28 at most
FEW = 14  # pixels a side, of which fewer are never only black or white
SLANT = 0.3  # pixels to the side for each one down, at most
STRETCHED = 0.5  # share of the digits that are stretched across
MIDDLE = (IMAGE_SIZE - 1) / 2
STREAM = 4  # of random numbers, beside those of `augment`


def restyle(
    images: NDArray[np.uint8], labels: NDArray[np.int64] | None, share: float, seed: int, number: int
) -> NDArray[np.uint8]:
    """Draw some of the images of a pass again, each with one of many pens.

    Parameters
    ----------
    images : (n, 28, 28) uint8
        High = ink.
    labels : (n,) int64, optional
        Which digits they are: some of them then get other hands' habits.
    share : float
        Of the images to draw again, above 0 to 1.
    seed, number : int
        Of the training, and of the pass.

    Returns
    -------
    (n, 28, 28) uint8
        A new array; most images as they were, for a small share.

    Examples
    --------
    >>> import inksight
    >>> digits = inksight.load("mnist")[:100]
    >>> again = restyle(digits.images, digits.labels, 0.4, seed=0, number=0)
    >>> int((again != digits.images).any(axis=(1, 2)).sum())
    39
    """
    rng = np.random.default_rng([seed, number, STREAM])
    drawn_by = rng.integers(0, max(PENS, round(PENS / share)), len(images))
    result = images.copy()
    for pen in range(PENS):
        spread, edge, at = rng.uniform(0, BLUR), rng.choice(EDGES), rng.random()
        at = SHARE[0] + at * (SHARE[1] - LESS * spread - SHARE[0])
        side = min(round(rng.uniform(COARSEST, FINEST)), IMAGE_SIZE)
        black_and_white = rng.random() < 0.5 and side >= FEW
        rows = np.flatnonzero(drawn_by == pen)
        if not len(rows):
            continue
        ink: Pixels = images[rows].astype(np.float32) / np.float32(255)
        if labels is not None:
            ink = add_allographs(ink, labels[rows], rng)
        ink = _widened(ink, rng)
        if spread > NO_BLUR:
            ink = _both_ways(ink, _gauss(spread))
        ink = _sharpened(ink, at, edge)
        if side < IMAGE_SIZE:
            ink = _both_ways(ink, triangle_weights(IMAGE_SIZE, side))
            if black_and_white:
                ink = _sharpened(ink, 0.45, 0.1)
            ink = _full(_both_ways(ink, triangle_weights(side, IMAGE_SIZE)))
        result[rows] = (ink * 255 + 0.5).astype(np.uint8)
    return result


def _sharpened(ink: Pixels, at: float, edge: float) -> Pixels:
    """Return ink whose edges are `edge` wide, from paper to full ink, around a share `at` of each image's full ink."""
    low = max(at - edge / 2, 0.0)
    result: Pixels = np.clip((_full(ink) - np.float32(low)) / np.float32(edge), 0, 1)
    return result


def _full(ink: Pixels) -> Pixels:
    """Return ink that reaches 1 in every image."""
    result: Pixels = ink / np.maximum(ink.max(axis=(1, 2), keepdims=True), np.float32(1e-3))
    return result


def _widened(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Return digits slanted, and some of them stretched until they are up to as wide as the box of 20 pixels."""
    places = np.arange(IMAGE_SIZE, dtype=np.float32)
    first, last = span(ink, 2)
    width = np.maximum(last - first + 1, 1)
    wider = np.where(rng.random(len(ink)) < STRETCHED, rng.uniform(0.3, 1, len(ink)), 0)
    ratio = (width / np.maximum(width, BOX_SIZE)) ** wider  # pixels to read from, for each pixel
    slant = rng.uniform(-SLANT, SLANT, len(ink))
    from_middle = places - MIDDLE
    source = ((first + last) / 2)[:, None, None] + ratio[:, None, None] * from_middle
    source = source + slant[:, None, None] * from_middle[:, None]
    source = np.clip(source, 0, IMAGE_SIZE - 1.001).astype(np.float32)
    left = source.astype(np.int64)
    share = source - left
    result: Pixels = np.take_along_axis(ink, left, 2) * (1 - share) + np.take_along_axis(ink, left + 1, 2) * share
    return result


def _gauss(spread: float) -> NDArray[np.float64]:
    """Return how much each pixel's ink counts for each, (after, before), rows summing to 1."""
    places = np.arange(IMAGE_SIZE)
    table: NDArray[np.float64] = np.exp(-((places[:, None] - places) ** 2) / (2 * spread**2))
    table /= table.sum(axis=1, keepdims=True)
    return table


def _both_ways(ink: Pixels, table: NDArray[np.float64]) -> Pixels:
    """Apply a table (after, before) to the rows and the columns of every image."""
    small = table.astype(np.float32)
    # Image by image: of all at once NumPy's library would make work for every core, and they are busy training.
    result: Pixels = np.matmul(small @ ink, small.T)
    return result
