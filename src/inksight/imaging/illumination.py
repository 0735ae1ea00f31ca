"""Uneven illumination and polarity: how bright the paper is at each place, and whether ink is darker or lighter."""

from functools import lru_cache

import numpy as np

from inksight.imaging.resampling import Grayscale, drop_low_bits, resample, round_half_up

MIN_BACKGROUND = 0.2  # brightness: contrast on darker paper is divided by this, so that deep shade is not amplified
CLOSING_WINDOW = 0.6  # of the longer side: the closing's window, wider than a stroke
SLOPE_RIDGE = 5e-6  # of the number of pixels: ridge penalty on the slopes, for paper that lies on one line only
FIT_ROUNDS = 4  # least-squares fits of the plane, each without the pixels far below the previous one


def polarity_score(coarse: Grayscale) -> float:
    """Return the polarity of ink, from -1 (clearly darker than the paper) to 1 (clearly lighter).

    Ink covers less area than paper and differs from the illumination plane by more, so the third powers of the
    differences add up to its sign. A uniform picture scores 0.
    """
    cubes = (coarse.ravel() - fit_illumination_plane(coarse, 1).ravel()) ** 3
    total = float(cubes.sum())
    return float(drop_low_bits(total / np.abs(cubes).sum())) if abs(total) > 1e-9 * coarse.size else 0.0


def flatten_illumination(grayscale: Grayscale, coarse: Grayscale) -> Grayscale:
    """Return the contrast of each pixel: the share, 0..1, by which it is darker than the paper would be there.

    The paper's brightness is a plane plus the grayscale closing of what remains (the minimum of the maximum over a
    window wider than a stroke). Both are computed on `coarse`, the same picture at lower resolution, and interpolated.
    """
    from scipy import ndimage  # the engine does not need it, and it would dominate the start-up of a short command

    plane = fit_illumination_plane(coarse)
    window = max(3, round_half_up(max(coarse.shape) * CLOSING_WINDOW)) | 1
    paper = ndimage.maximum_filter(coarse - plane, window, mode="nearest")
    paper = ndimage.minimum_filter(paper, window, mode="nearest") + plane
    background = resample(paper, *grayscale.shape)
    return drop_low_bits(np.clip((background - grayscale) / np.maximum(background, MIN_BACKGROUND), 0, 1))


def fit_illumination_plane(grayscale: Grayscale, rounds: int = FIT_ROUNDS) -> Grayscale:
    """Fit a plane to the paper's brightness: least squares, repeated without the pixels well below the plane."""
    basis, products = _plane_basis(*grayscale.shape)
    values = grayscale.ravel()
    weight = np.ones(grayscale.size)
    ridge = np.diag([0.0, SLOPE_RIDGE, SLOPE_RIDGE]) * grayscale.size
    for rounds_left in reversed(range(rounds)):
        plane = np.linalg.solve((products @ weight).reshape(3, 3) + ridge, basis @ (weight * values)) @ basis
        if rounds_left:
            residual = values - plane
            spread = np.sqrt((residual * residual) @ weight / weight.sum())
            weight = (residual >= -0.5 * spread - 1e-9).astype(np.float64)
    return plane.reshape(grayscale.shape)


@lru_cache(maxsize=256)
def _plane_basis(height: int, width: int) -> tuple[Grayscale, Grayscale]:
    """Return the constant, the row and the column as basis functions, (3, pixels), and their products, (9, pixels).

    Row and column run from -1 to 1.
    """
    rows, columns = (np.linspace(-1, 1, length) if length > 1 else np.zeros(1) for length in (height, width))
    basis: Grayscale = np.stack(np.broadcast_arrays(1.0, rows[:, None], columns)).reshape(3, -1)
    products = (basis[:, None] * basis).reshape(9, -1)
    for cached in (basis, products):
        cached.flags.writeable = False
    return basis, products
