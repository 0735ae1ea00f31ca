"""Pictures of one digit in dark ink on gray paper."""

import numpy as np
from numpy.typing import NDArray

from inksight.data.loading import load
from inksight.imaging.resampling import resample

MIN_SIDE, MAX_SIDE = 28, 200  # pixels


def digit_pictures(count: int, seed: int) -> list[NDArray[np.uint8]]:
    """Draw MNIST training digits on noisy paper, (side, side) uint8 each, with sides drawn evenly from the range."""
    rng = np.random.default_rng(seed)
    train = load("mnist").split().train
    pictures = []
    for row in rng.integers(0, len(train), count):
        side = int(rng.integers(MIN_SIDE, MAX_SIDE + 1))
        ink = resample(train.images[row] / 255, side, side)
        paper, pen, noise = rng.uniform(0.6, 0.95), rng.uniform(0.05, 0.35), rng.uniform(0, 0.03)
        grayscale = paper + (pen - paper) * ink + rng.normal(0, noise, ink.shape)
        pictures.append(np.floor(np.clip(grayscale, 0, 1) * 255 + 0.5).astype(np.uint8))
    return pictures
