"""Scraps: what there is on a page beside whole digits, once its ink is cut and put together wrongly.

Two digits at once, a digit with a part of its neighbour, a part of one. A network that has seen digits alone is often
sure that they are one.
"""

import numpy as np
from numpy.typing import NDArray

from inksight.augmentation.allographs import Pixels, span
from inksight.config import IMAGE_SIZE
from inksight.imaging.framing import BOX_SIZE

GROUPS = 48  # of images that are cut and put together alike, which is quick
KINDS, SHARES = ("pair", "neighbour", "part"), (0.5, 0.4, 0.1)
APART = (9, 22)  # columns from a digit to its neighbour
CUT = (5, 13)  # columns of the neighbour that are left
ADDED = 0.15  # of a digit's ink that its neighbour adds at least
LEFT = (0.25, 0.8)  # of a digit's ink, and of its width, that is left of it
WIDE = 10  # columns: narrower digits have no parts
EDGE = (IMAGE_SIZE - BOX_SIZE) // 2  # column at which MNIST's digits begin, about
BRIGHTER = 1.1  # what is made smaller gets paler


def synthetic_negatives(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make scraps of images of digits.

    Parameters
    ----------
    images : (n, 28, 28) uint8
        High = ink.
    rng : Generator

    Returns
    -------
    (m, 28, 28) uint8
        Fewer than there were images: what came out too much like a digit is left out.

    Examples
    --------
    >>> import inksight
    >>> digits = inksight.load("mnist")[:200].images
    >>> 100 < len(synthetic_negatives(digits, np.random.default_rng(0))) <= 200
    True
    """
    group = rng.integers(0, GROUPS, len(images))
    found = [np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)]
    for number in range(GROUPS):
        kind, mirrored = str(rng.choice(KINDS, p=SHARES)), rng.random() < 0.5
        one = images[group == number].astype(np.float32) / np.float32(255)
        ink = _scraps(kind, one[:, :, ::-1] if mirrored else one, rng)
        found.append((np.clip(ink[:, :, ::-1] if mirrored else ink, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.concatenate(found)


def _scraps(kind: str, one: Pixels, rng: np.random.Generator) -> Pixels:
    """Return scraps of one kind, ink 0..1; the neighbour, or the cut, is on the right."""
    apart = 0 if kind == "part" else int(rng.integers(*APART))
    cut = int(rng.integers(*CUT))
    columns = np.arange(IMAGE_SIZE + apart)
    wide = np.pad(one, [(0, 0), (0, 0), (0, apart)])
    whole = np.maximum(one.sum(axis=(1, 2)), np.float32(1e-3))
    first, last = span(one, 2)
    width = last - first + 1
    if kind == "part":
        wide *= (columns < (first + rng.uniform(*LEFT) * width)[:, None])[:, None]
        left = wide.sum(axis=(1, 2)) / whole
        good = (left > LEFT[0]) & (left < LEFT[1]) & (width >= WIDE)
        end = EDGE + BOX_SIZE
    else:
        other = one[rng.permutation(len(one))]
        np.maximum(wide[:, :, apart:], other, out=wide[:, :, apart:])
        good, end = np.ones(len(one), bool), EDGE + BOX_SIZE + apart
        if kind == "neighbour":
            cuts = apart + span(other, 2)[0] + cut
            wide *= (columns < cuts[:, None])[:, None]
            good = (wide.sum(axis=(1, 2)) > (1 + ADDED) * whole) & (cuts > last + 1)
            end = min(end, apart + 2 * EDGE + cut)
    scale = min(1.0, BOX_SIZE / (end - EDGE))
    down, across = _table(IMAGE_SIZE, scale, IMAGE_SIZE / 2), _table(IMAGE_SIZE + apart, scale, (EDGE + end) / 2)
    ink = np.matmul(down @ wide[good], across.T)
    result: Pixels = ink * BRIGHTER / np.maximum(ink.max(axis=(1, 2), keepdims=True), np.float32(1e-3))
    return result


def _table(before: int, scale: float, centre: float) -> NDArray[np.float32]:
    """Return how much each pixel before counts for each after, (28, before): made smaller, `centre` in the middle."""
    at = (np.arange(IMAGE_SIZE) + 0.5 - IMAGE_SIZE / 2) / scale + centre - 0.5
    table = np.maximum(1 - np.abs(at[:, None] - np.arange(before)) * scale, 0) * scale
    return np.asarray(table, np.float32)
