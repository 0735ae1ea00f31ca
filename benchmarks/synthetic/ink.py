"""Lines of digits in ink: layout, and MNIST's digits redrawn with a sharp pen at page resolution."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.synthetic.noise import Array, smooth_noise
from inksight.data.dataset import Dataset

DIGIT_COUNT = (4, 12)  # digits: range on one page
GAP = (-2, 20)  # pixels: range of the gap between neighbouring boxes, for digits 60 pixels high
DIGIT_SIDE = 20  # pixels: height of a digit in an MNIST image
INK_LEVEL = 40  # of 255: brighter pixels of an MNIST image belong to the digit


@dataclass(frozen=True)
class Writing:
    """Written lines, without margins.

    Parameters
    ----------
    ink : (height, width) float64, 0..1
        Ink coverage.
    lines : tuple of str
        The digits of each line, from top to bottom.
    touching : bool
        Whether the ink of two digits touches.
    spacing : int
        Distance between lines, in pixels.
    """

    ink: Array
    lines: tuple[str, ...]
    touching: bool
    spacing: int


def write_lines(digits: Dataset, height: float, rng: np.random.Generator) -> Writing:
    """Write one to three lines of digits, about `height` pixels high, with one pen."""
    labels = digits.require_labels("writing lines")
    count, rows = int(rng.integers(DIGIT_COUNT[0], DIGIT_COUNT[1] + 1)), int(rng.integers(1, 4))
    rows = min(rows, count // 2)
    chosen = rng.integers(0, len(digits), count)
    pen = rng.uniform(-0.25, 0.9)
    spacing = int(height * rng.uniform(1.35, 2.2))
    lines = np.array_split(chosen, np.sort(rng.choice(np.arange(2, count - 1), rows - 1, replace=False)))
    if any(len(line) < 2 for line in lines):
        lines = np.array_split(chosen, rows)
    longest = max(len(line) for line in lines)
    canvas = np.zeros((int(spacing * (rows - 1) + 1.9 * height), int((longest + 1) * 1.8 * height)))
    touching, right_end = False, 0
    for row, line in enumerate(lines):
        x = rng.uniform(0, 0.8) * height
        for index in line:
            ink = pen_strokes(digits.images[index], height * rng.normal(1, 0.07) / DIGIT_SIDE, pen, rng)
            ink_height, ink_width = ink.shape
            baseline = spacing * row + 1.4 * height + rng.normal(0, 0.05) * height
            top, left = max(int(baseline - ink_height), 0), max(int(x), 0)
            window = canvas[top : top + ink_height, left : left + ink_width]
            ink = ink[: window.shape[0], : window.shape[1]]
            neighbours = ndimage.maximum_filter(window, 3) > 0.5
            touching |= bool((neighbours & (ink > 0.5)).any())
            np.maximum(window, ink, out=window)
            x = left + ink_width + rng.uniform(*GAP) * height / 60
            right_end = max(right_end, left + ink_width)
    texts = tuple("".join(str(labels[i]) for i in line) for line in lines)
    return Writing(canvas[int(0.2 * height) :, :right_end], texts, touching, spacing)


def pen_strokes(image: NDArray[np.uint8], scale: float, pen: float, rng: np.random.Generator) -> Array:
    """Redraw a digit with a sharp pen.

    Parameters
    ----------
    image : (28, 28) uint8
        High = ink.
    scale : float
        Enlargement.
    pen : float
        Pixels of `image` by which each side of a stroke is wider than in `image`.

    Returns
    -------
    (height, width) float64, 0..1
        Ink coverage, without margins.
    """
    rows, columns = np.nonzero(image > INK_LEVEL)
    crop = np.pad(image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] / 255, 1)
    smooth = np.clip(ndimage.zoom(crop, scale, order=3, mode="nearest", grid_mode=True), 0, 1)
    inside = smooth > 0.5
    if not inside.any():
        inside = smooth >= smooth.max()
    distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    wobble = smooth_noise(distance.shape, 2.0, rng) * 0.03 * scale
    ink: Array = np.clip((distance + pen * scale + wobble) / 1.5 + 0.5, 0, 1)
    visible = ink > 0.02
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
