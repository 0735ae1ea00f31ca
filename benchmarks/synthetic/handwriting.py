"""Other handwriting: MNIST's digits rewritten in hands that no training set contains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.synthetic.noise import Array
from inksight.data.dataset import Dataset
from inksight.imaging.preprocessing import prepare_grayscale

ZOOM = 4  # enlargement at which a digit is rewritten


@dataclass(frozen=True)
class Hand:
    """How a hand differs from the one that wrote a digit.

    Parameters
    ----------
    slant : float
        Shear: pixels to the right for each pixel up.
    width : float
        Factor on the width of a digit.
    pen : float
        Pixels of 28 that a stroke grows on either side.
    turn : float
        Rotation in degrees, counterclockwise.
    continental : bool
        Whether a 1 has a long upstroke and a 7 a bar.
    """

    slant: float = 0.0
    width: float = 1.0
    pen: float = 0.0
    turn: float = 0.0
    continental: bool = False


HANDS = {
    "slanted": Hand(slant=0.7, pen=0.4),
    "leaning back, thick pen": Hand(slant=-0.7, pen=1.2),
    "narrow": Hand(width=0.45, slant=0.15, pen=0.3),
    "turned": Hand(turn=28),
    "continental": Hand(continental=True),
    "continental, slanted": Hand(slant=0.5, width=0.8, pen=0.6, continental=True),
}


def write(digits: Dataset, hand: Hand) -> Dataset:
    """Return labeled digits rewritten in a hand, and prepared as `inksight.prepare` prepares any picture."""
    labels = digits.require_labels("rewriting digits in another hand")
    pairs = zip(digits.images, labels, strict=True)
    images = [prepare_grayscale(rewrite(image, int(label), hand), invert=True).image for image, label in pairs]
    return Dataset(np.stack(images), labels, "an invented hand", digits.class_names)


def rewrite(image: NDArray[np.uint8], label: int, hand: Hand) -> Array:
    """Return one digit rewritten in a hand.

    Parameters
    ----------
    image : (28, 28) uint8
        High = ink.
    label : int
        Its class, 0 to 9.
    hand : Hand

    Returns
    -------
    (224, 224) float64, 0..1
        High = ink; enlarged by `ZOOM`, with a wide margin.
    """
    ink: Array = np.pad(ndimage.zoom(image / 255.0, ZOOM, order=1), 14 * ZOOM)
    if hand.continental and label in (1, 7):
        ink = np.maximum(ink, _extra_stroke(ink, label))
    angle = np.deg2rad(hand.turn)
    cos, sin = np.cos(angle), np.sin(angle)
    # `affine_transform` wants the inverse: from (row, column) in the result to the position in the original.
    inverse = np.array([[cos, sin], [-sin, cos]]) @ np.array([[1, 0], [hand.slant / hand.width, 1 / hand.width]])
    middle = (np.array(ink.shape) - 1) / 2
    ink = ndimage.affine_transform(ink, inverse, middle - inverse @ middle, order=1)
    radius = round(hand.pen * ZOOM)
    if radius:
        rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        ink = ndimage.grey_dilation(ink, footprint=rows**2 + columns**2 <= radius**2)
    return np.clip(ink, 0, 1)


def _extra_stroke(ink: Array, label: int) -> Array:
    """Return the upstroke of a 1 or the bar of a 7, as thick as the digit's own strokes."""
    rows, columns = np.nonzero(ink > 0.5)
    top, height = float(rows.min()), float(np.ptp(rows))
    pen = float(ndimage.distance_transform_edt(ink > 0.5).max())
    if label == 1:
        start = np.array([top + pen / 2, columns[rows <= top + pen].mean()])
        end = start + height * np.array([0.38, -0.4])
    else:
        center = columns[np.abs(rows - top - 0.55 * height) <= 1].mean()
        start, end = (np.array([top + 0.55 * height, center + side * 0.25 * height]) for side in (-1, 1))
    offsets = np.moveaxis(np.indices(ink.shape), 0, -1) - start
    direction = end - start
    along = np.clip(offsets @ direction / (direction @ direction), 0, 1)
    distance = np.linalg.norm(offsets - along[..., None] * direction, axis=-1)
    stroke: Array = np.clip(pen - distance + 0.5, 0, 1)
    return stroke
