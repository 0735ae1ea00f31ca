"""Foreground extraction: the amount of ink in each pixel, without noise of the paper and without specks."""

import numpy as np
from numpy.typing import NDArray

from inksight.imaging.resampling import Grayscale

MIN_CONTRAST = 0.06  # share of the paper's brightness that ink removes at least; a picture with less has no ink
SPECK_SHARE = 0.03  # of the largest connected component's ink: smaller components are specks
WEAK_INK = 0.2  # of full ink: weaker pixels count only next to stronger ones
MIN_INK = 0.02  # of full ink: weaker pixels are paper
NOISE_REACH = 4.0  # quartile distances of the paper's noise that ink must exceed


def extract_foreground(contrast: Grayscale) -> Grayscale:
    """Return the ink of each pixel, 0..1, with 1 in the core of strokes and 0 on paper."""
    from scipy import ndimage  # the engine does not need it, and it would dominate the start-up of a short command

    threshold = threshold_otsu(contrast)
    ordered = np.sort(contrast, axis=None)
    background = int(np.searchsorted(ordered, threshold))  # number of pixels below the threshold
    full = float(ordered[-max(1, (ordered.size - background) // 10)])  # the upper decile of the foreground
    low = min(noise_level(ordered[:background]) if background else 0.0, threshold)
    ink = normalize_contrast(contrast, low, full)
    components, count = ndimage.label(ink > 0, np.ones((3, 3)))
    if count > 1:
        mass = np.bincount(components.ravel(), ink.ravel())
        ink = ink * (mass >= SPECK_SHARE * mass.max())[components]
    return ink


def noise_level(ordered: Grayscale) -> float:
    """Return the contrast up to which a pixel may be noise of the paper.

    Parameters
    ----------
    ordered : (n,) float64
        Contrasts of the paper, sorted at least at the first quartile and at the median.
    """
    median, quartile = float(ordered[ordered.size // 2]), float(ordered[ordered.size // 4])
    return median + NOISE_REACH * (median - quartile)


def normalize_contrast(contrast: Grayscale, low: float, full: float) -> Grayscale:
    """Map contrast linearly to ink: 0 at `low` (limited to half of `full`), 1 at `full`."""
    low = min(low, 0.5 * full)
    ink: Grayscale = np.clip((contrast - low) / (full - low), 0, 1)
    # Weak pixels count only next to ink: this keeps the edges of strokes and drops ruled lines.
    return np.where(dilate(ink > WEAK_INK) & (ink > MIN_INK), ink, 0.0)


def dilate(mask: NDArray[np.bool_], times: int = 1) -> NDArray[np.bool_]:
    """Return the binary dilation of a mask (height, width) by a square of 3x3 pixels, repeated.

    Much faster than SciPy's dilation, which looks at one pixel after the other.
    """
    for _ in range(times):
        padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
        padded[1:-1, 1:-1] = mask
        rows = padded[:-2] | padded[1:-1] | padded[2:]
        mask = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return mask


def threshold_otsu(values: Grayscale) -> float:
    """Return Otsu's threshold, one of 255 between 0 and the largest value.

    Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems, Man, and
    Cybernetics, 1979.
    """
    top = float(values.max())
    counts = np.bincount(np.minimum((values * (256 / top)).astype(np.int64), 255).ravel(), minlength=256)
    below = np.cumsum(counts)[:-1].astype(np.float64)
    sums = np.cumsum(counts * np.arange(256.0))
    product = below * (values.size - below)
    between = (sums[-1] * below - sums[:-1] * values.size) ** 2
    variance = np.divide(between, product, out=np.zeros(255), where=product > 0)
    # Thresholds without a value between them have equal variances: take the middle.
    best = np.flatnonzero(variance == variance.max())
    return (int(best[0] + best[-1]) // 2 + 1) * top / 256


def upper_decile(values: Grayscale) -> float:
    """Return the value that a tenth of the values reach or exceed: a maximum that ignores outliers."""
    place = values.size - max(1, values.size // 10)
    return float(np.partition(values, place, axis=None)[place])
