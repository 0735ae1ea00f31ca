"""Pictures made larger and smaller, in plain arithmetic, so that the same can be done elsewhere (in a browser)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]

BAND = 24  # pixels that are resampled together


def resample(grey: Grey, height: int, width: int) -> Grey:
    """Return a picture of another size: linear between pixels where it grows, their weighted mean where it shrinks."""
    return _resample_rows(_resample_rows(grey.T, width).T, height)


def _resample_rows(grey: Grey, height: int) -> Grey:
    parts = [table @ grey[rows] for rows, table in _bands(grey.shape[0], height)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@lru_cache(maxsize=1024)
def _bands(before: int, after: int) -> tuple[tuple[slice, Grey], ...]:
    """Return `weights` in bands of new pixels, each with the old ones that count for it: most of the table is 0."""
    table = weights(before, after)
    found = []
    for start in range(0, after, BAND):
        band = table[start : start + BAND]
        counted = np.flatnonzero(band.any(axis=0))
        rows = slice(int(counted[0]), int(counted[-1]) + 1)
        found.append((rows, np.ascontiguousarray(band[:, rows])))
    return tuple(found)


@lru_cache(maxsize=1024)
def weights(before: int, after: int) -> Grey:
    """Return how much each of `before` pixels counts for each of `after`, (after, before), rows summing to 1.

    A triangle around the place where the new pixel's centre lies among the old ones, one old pixel wide to either side
    or, where the picture shrinks, one new one.
    """
    reach = max(before / after, 1.0)
    centres = (np.arange(after) + 0.5) * (before / after) - 0.5
    table: Grey = np.maximum(1 - np.abs(np.arange(before) - centres[:, None]) / reach, 0)
    table /= table.sum(axis=1, keepdims=True)
    table.flags.writeable = False  # it is kept
    return table


def round_half_up(value: float) -> int:
    """Return the nearest whole number, the higher of two: as browsers round, and Python doesn't."""
    return int(np.floor(value + 0.5))
