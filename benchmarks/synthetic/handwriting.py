"""Invented hands: MNIST's digits written another way, as if by people who are in nobody's training set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.data.dataset import Dataset
from inksight.imaging.preprocessing import prepare_grayscale

ENLARGED = 4  # times as many pixels a side while a digit is rewritten


@dataclass(frozen=True)
class Hand:
    """How a hand differs from the one that wrote a digit.

    Parameters
    ----------
    slant : float
        Pixels across for a pixel up.
    width : float
        Of a digit, times what it was.
    pen : float
        Pixels of 28 by which a stroke grows on either side.
    turn : float
        Degrees, counterclockwise.
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
    """Return digits rewritten by a hand and prepared as any picture is."""
    labels = digits.require_labels("inventing a hand")
    pairs = zip(digits.images, labels, strict=True)
    images = [prepare_grayscale(rewrite(image, int(label), hand), invert=True).image for image, label in pairs]
    return Dataset(np.stack(images), labels, "an invented hand", digits.class_names)


def rewrite(image: NDArray[np.uint8], label: int, hand: Hand) -> NDArray[np.float64]:
    """Return one digit (28, 28) rewritten, 0..1, ink high, large."""
    ink = np.pad(ndimage.zoom(image / 255.0, ENLARGED, order=1), 14 * ENLARGED)
    if hand.continental and label in (1, 7):
        ink = np.maximum(ink, stroke(ink, label))
    angle = np.deg2rad(hand.turn)
    cos, sin = np.cos(angle), np.sin(angle)
    # From a place in the result, (row, column), to where it is read.
    back = np.array([[cos, sin], [-sin, cos]]) @ np.array([[1, 0], [hand.slant / hand.width, 1 / hand.width]])
    middle = (np.array(ink.shape) - 1) / 2
    ink = ndimage.affine_transform(ink, back, middle - back @ middle, order=1)
    reach = round(hand.pen * ENLARGED)
    if reach:
        rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        ink = ndimage.grey_dilation(ink, footprint=rows**2 + columns**2 <= reach**2)
    return np.clip(ink, 0, 1)


def stroke(ink: NDArray[np.float64], label: int) -> NDArray[np.float64]:
    """Return the upstroke of a 1, or the bar of a 7, with the pen that wrote the digit."""
    rows, columns = np.nonzero(ink > 0.5)
    top, height = rows.min(), np.ptp(rows)
    pen = ndimage.distance_transform_edt(ink > 0.5).max()
    if label == 1:
        start = np.array([top + pen / 2, columns[rows <= top + pen].mean()])
        end = start + height * np.array([0.38, -0.4])
    else:
        across = columns[np.abs(rows - top - 0.55 * height) <= 1].mean()
        start, end = (np.array([top + 0.55 * height, across + side * 0.25 * height]) for side in (-1, 1))
    places = np.stack(np.indices(ink.shape), axis=-1) - start
    along = end - start
    share = np.clip(places @ along / (along @ along), 0, 1)
    distance = np.linalg.norm(places - share[..., None] * along, axis=-1)
    return np.clip(pen - distance + 0.5, 0, 1)
