"""Framing as in MNIST: the digit fits a box of 20x20 pixels, and its center of mass is the middle of 28x28."""

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE
from inksight.imaging.foreground import upper_decile
from inksight.imaging.resampling import Grayscale, drop_low_bits, resample, round_half_up

BOX_SIZE = 20  # pixels: the longer side of MNIST's digits
CENTER = 14.0  # pixels, the first is 0: center of mass of MNIST's digits, accurate to half a pixel


def center_in_frame(ink: Grayscale) -> NDArray[np.uint8]:
    """Scale ink (height, width), 0..1, to fit 20x20 and place its center of mass in the middle of (28, 28) uint8."""
    height, width = ink.shape
    ratio = BOX_SIZE / max(height, width)
    scaled = drop_low_bits(resample(ink, max(1, round_half_up(height * ratio)), max(1, round_half_up(width * ratio))))
    # Thin strokes fade when they are scaled down; in MNIST the core of a stroke is full ink.
    scaled = np.minimum(scaled / upper_decile(scaled[scaled > 0.5 * scaled.max()]), 1)
    mass = scaled.sum()
    frame = np.zeros((IMAGE_SIZE, IMAGE_SIZE))
    offset = []
    for axis, length in enumerate(scaled.shape):
        center = float((scaled.sum(axis=1 - axis) * np.arange(length)).sum() / mass)
        # Rounded to six decimals first, so that the last bits of the sums cannot decide a tie.
        offset.append(min(max(round_half_up(round(CENTER - center, 6)), 0), IMAGE_SIZE - length))
    frame[offset[0] : offset[0] + scaled.shape[0], offset[1] : offset[1] + scaled.shape[1]] = scaled
    return np.floor(frame * 255 + 0.5).astype(np.uint8)
