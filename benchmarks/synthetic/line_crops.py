"""Crops that the segmentation cuts from lines of handwriting: whole digits, and what is not one whole digit.

A line is composed with the digit that each pixel belongs to. So it is known of each stretch of a line that the
segmentation proposes whether it is one digit, several digits or a part of one. Stretches in between are left out.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from benchmarks.synthetic.crops import NOT_A_DIGIT
from benchmarks.synthetic.ink import DIGIT_SIDE, pen_strokes
from benchmarks.synthetic.noise import Array
from inksight.data.dataset import Dataset
from inksight.imaging.framing import center_in_frame
from inksight.reading.binarization import binarize
from inksight.reading.components import find_components
from inksight.reading.lattice import SegmentationLattice
from inksight.reading.segmentation import _crop, _text_lines

Owners = NDArray[np.int64]

COUNT = (3, 9)  # digits of a line
HEIGHT = (28, 90)  # pixels: range of the height of digits, drawn evenly on a logarithmic scale
GAP = (-0.08, 0.3)  # heights between neighbouring digits; below 0, they touch
SQUEEZE = (-0.85, 0.2)  # natural logarithm of the factor on the width of a hand's digits
RULED_SHARE = 0.25  # of the lines

# Of a digit's ink:
WHOLE = 0.9  # with at least this, a crop has all of the digit
MAX_FOREIGN, MIN_FOREIGN = 0.03, 0.12  # ink of others: with at most, or at least this, it has none, or some
MAX_PART = 0.7  # with at most this, it has a part
MIN_PART_ASPECT = 0.4  # width / height: a narrower part may look like a 1


def crops_of_a_line(digits: Dataset, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Compose a line and yield crops, (28, 28) uint8, with their labels: 0 to 9, or `NOT_A_DIGIT`.

    At most as many as the digits are not digits.
    """
    ink, owners, labels = _write(digits, rng)
    page = binarize(_expose(ink, rng))
    regions, groups, height, _ = find_components(page)
    amounts = np.maximum(np.bincount(owners.ravel(), minlength=len(labels) + 1)[1:], 1)
    negatives = []
    for line in _text_lines(groups, height):
        for components in SegmentationLattice(line, height, []).candidates():
            crop, (left, top, right, bottom) = _crop(page, regions, components)
            window = (slice(top, bottom), slice(left, right))
            own = np.isin(regions[window], [label for component in components for label in component.labels])
            counts = np.bincount(owners[window][own], minlength=len(labels) + 1)[1:]
            number = _content(counts, amounts, (right - left) / (bottom - top))
            if number is not None and number >= 0:
                yield center_in_frame(crop), int(labels[number])
            elif number is not None:
                negatives.append(center_in_frame(crop))
    for i in rng.permutation(len(negatives))[: len(labels)]:
        yield negatives[i], NOT_A_DIGIT


def _content(counts: NDArray[np.int64], amounts: NDArray[np.int64], aspect: float) -> int | None:
    """Return the number of the digit that a crop shows, -1 if it is not one whole digit, None if it is neither clearly.

    Parameters
    ----------
    counts, amounts : (digits,) int
        Pixels of each digit in the crop and on the whole line.
    aspect : float
        Width / height of the crop.
    """
    largest = int(counts.argmax())
    foreign = int(counts.sum() - counts[largest])
    if counts[largest] >= WHOLE * amounts[largest]:
        if foreign <= MAX_FOREIGN * counts[largest]:
            return largest
        return -1 if foreign >= MIN_FOREIGN * counts[largest] else None
    is_part = counts[largest] <= MAX_PART * amounts[largest] and aspect >= MIN_PART_ASPECT
    return -1 if is_part or foreign >= MIN_FOREIGN * counts[largest] > 0 else None


def _write(digits: Dataset, rng: np.random.Generator) -> tuple[Array, Owners, NDArray[np.int64]]:
    """Write a line; return its ink, the number of the digit that each pixel belongs to (0: none), and their labels."""
    labels = digits.require_labels("writing lines")
    chosen = rng.integers(0, len(digits), int(rng.integers(COUNT[0], COUNT[1] + 1)))
    height, pen = float(np.exp(rng.uniform(*np.log(HEIGHT)))), rng.uniform(-0.25, 0.9)
    squeeze = float(np.exp(rng.uniform(*SQUEEZE) * rng.random()))
    canvas = np.zeros((int(2.4 * height), int((len(chosen) + 2) * 1.6 * height)))
    owners = np.zeros(canvas.shape, np.int64)
    x = 0.7 * height
    for number, row in enumerate(chosen):
        ink = pen_strokes(digits.images[row], height * rng.normal(1, 0.07) / DIGIT_SIDE, pen, rng)
        size = max(int(ink.shape[1] * squeeze * rng.uniform(0.9, 1.1)), 3), ink.shape[0]
        ink = np.asarray(Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
        top, left = int(1.7 * height + rng.normal(0, 0.05) * height) - ink.shape[0], int(x)
        window = (slice(top, top + ink.shape[0]), slice(left, left + ink.shape[1]))
        owners[window][(ink > 0.5) & (ink > canvas[window])] = number + 1
        canvas[window] = np.maximum(canvas[window], ink)
        x = left + ink.shape[1] + rng.uniform(*GAP) * height
    width = int(x + height)
    return canvas[:, :width], owners[:, :width], labels[chosen]


def _expose(ink: Array, rng: np.random.Generator) -> Array:
    """Return the brightness of ink on plain or ruled paper, under a light, seen by a camera."""
    coverage = ink * rng.uniform(0.4, 0.95)
    if rng.random() < RULED_SHARE:
        level, thickness = int(len(ink) * rng.uniform(0.68, 0.8)), int(rng.integers(1, 3))
        coverage[level : level + thickness] = np.maximum(coverage[level : level + thickness], rng.uniform(0.15, 0.5))
    light = rng.uniform(0.5, 1) * (1 + rng.uniform(-0.2, 0.2) * np.linspace(-1, 1, ink.shape[1]))
    page = ndimage.gaussian_filter((1 - coverage) * light, rng.uniform(0.3, 1.3))
    exposed: Array = np.clip(page + rng.normal(0, rng.uniform(0.002, 0.025), page.shape), 0, 1)
    return exposed
