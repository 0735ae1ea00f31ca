"""Synthetic negatives: images that look like digits cut out wrongly from a page, as hard negatives.

They are pairs of digits, digits with part of a neighbour, and fragments of digits. A network that was trained on whole
digits only is often sure that such an image is one.
"""

import numpy as np
from numpy.typing import NDArray

from inksight.augmentation.allographs import Ink, ink_extent
from inksight.config import IMAGE_SIZE
from inksight.imaging.framing import BOX_SIZE

GROUPS = 48  # the images of a group share kind and cuts, so that they are made as one array, which is fast
KINDS, KIND_PROBABILITIES = ("pair", "neighbour", "fragment"), (0.5, 0.4, 0.1)
NEIGHBOUR_OFFSET = (9, 22)  # columns: range of the distance from a digit to its neighbour
NEIGHBOUR_WIDTH = (5, 13)  # columns: range of the width of the visible part of the neighbour
MIN_NEIGHBOUR_INK = 0.15  # of the digit's ink: lowest share that a neighbour must add
FRAGMENT_SHARE = (0.25, 0.8)  # of the digit's ink and of its width: range of what a fragment keeps
MIN_FRAGMENT_SOURCE = 10  # columns: width of the narrowest digit that is made a fragment
MARGIN = (IMAGE_SIZE - BOX_SIZE) // 2  # column at which MNIST's digits start, roughly
CONTRAST = 1.1  # makes up for the ink that becomes paler in a smaller image


def synthetic_negatives(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make synthetic negatives from images of digits.

    Parameters
    ----------
    images : (n, 28, 28) uint8
        High = ink.
    rng : Generator

    Returns
    -------
    (m, 28, 28) uint8
        At most n images: those too similar to a whole digit are left out.

    Examples
    --------
    >>> import inksight
    >>> digits = inksight.load("mnist")[:200].images
    >>> 100 < len(synthetic_negatives(digits, np.random.default_rng(0))) <= 200
    True
    """
    group_of_image = rng.integers(0, GROUPS, len(images))
    result = [np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)]
    for group in range(GROUPS):
        kind, mirrored = str(rng.choice(KINDS, p=KIND_PROBABILITIES)), rng.random() < 0.5
        digits = images[group_of_image == group].astype(np.float32) / np.float32(255)
        ink = _negatives(kind, digits[:, :, ::-1] if mirrored else digits, rng)
        result.append((np.clip(ink[:, :, ::-1] if mirrored else ink, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.concatenate(result)


def _negatives(kind: str, digits: Ink, rng: np.random.Generator) -> Ink:
    """Return negatives of one kind, ink from 0 up; the neighbour, or the cut, is on the right."""
    offset = 0 if kind == "fragment" else int(rng.integers(*NEIGHBOUR_OFFSET))
    neighbour_width = int(rng.integers(*NEIGHBOUR_WIDTH))
    columns = np.arange(IMAGE_SIZE + offset)
    wide = np.pad(digits, [(0, 0), (0, 0), (0, offset)])
    digit_ink = np.maximum(digits.sum(axis=(1, 2)), np.float32(1e-3))
    first, last = ink_extent(digits, 2)
    width = last - first + 1
    if kind == "fragment":
        wide *= (columns < (first + rng.uniform(*FRAGMENT_SHARE) * width)[:, None])[:, None]
        kept = wide.sum(axis=(1, 2)) / digit_ink
        accepted = (kept > FRAGMENT_SHARE[0]) & (kept < FRAGMENT_SHARE[1]) & (width >= MIN_FRAGMENT_SOURCE)
        end = MARGIN + BOX_SIZE
    else:
        neighbours = digits[rng.permutation(len(digits))]
        np.maximum(wide[:, :, offset:], neighbours, out=wide[:, :, offset:])
        accepted, end = np.ones(len(digits), bool), MARGIN + BOX_SIZE + offset
        if kind == "neighbour":
            cuts = offset + ink_extent(neighbours, 2)[0] + neighbour_width
            wide *= (columns < cuts[:, None])[:, None]
            accepted = (wide.sum(axis=(1, 2)) > (1 + MIN_NEIGHBOUR_INK) * digit_ink) & (cuts > last + 1)
            end = min(end, offset + 2 * MARGIN + neighbour_width)
    scale = min(1.0, BOX_SIZE / (end - MARGIN))
    down = _scaling_weights(IMAGE_SIZE, scale, IMAGE_SIZE / 2)
    across = _scaling_weights(IMAGE_SIZE + offset, scale, (MARGIN + end) / 2)
    ink = np.matmul(down @ wide[accepted], across.T)
    result: Ink = ink * CONTRAST / np.maximum(ink.max(axis=(1, 2), keepdims=True), np.float32(1e-3))
    return result


def _scaling_weights(size: int, scale: float, center: float) -> NDArray[np.float32]:
    """Return the weights (28, size) that resample pixels by a factor of at most 1, with `center` in the middle."""
    source = (np.arange(IMAGE_SIZE) + 0.5 - IMAGE_SIZE / 2) / scale + center - 0.5
    weights = np.maximum(1 - np.abs(source[:, None] - np.arange(size)) * scale, 0) * scale
    return np.asarray(weights, np.float32)
