"""Resizing, in plain double-precision arithmetic so that other languages can reproduce it."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Grayscale = NDArray[np.float64]  # (height, width), 0..1

BAND = 24  # output pixels that are resampled together
MAX_PRODUCT = 1 << 18  # multiplications of one matrix product: for more, OpenBLAS wakes threads that wait actively
ROUNDING_OFFSET = 1.5 * 2**12  # adding and subtracting this keeps 40 binary digits


def resample(grayscale: Grayscale, height: int, width: int) -> Grayscale:
    """Resize with a triangle filter: linear interpolation where the picture grows, a weighted mean where it shrinks."""
    return _resample_rows(_resample_rows(grayscale.T, width).T, height)


def _resample_rows(grayscale: Grayscale, height: int) -> Grayscale:
    result = np.empty((height, grayscale.shape[1]))
    if height > len(grayscale):  # at most two weights of a row are not zero
        upper, lower, share = _neighbours(len(grayscale), height)
        grayscale = np.ascontiguousarray(grayscale)
        for start in range(0, height, BAND):  # so that temporary arrays stay in the processor's cache
            rows = slice(start, start + BAND)
            result[rows] = grayscale[upper[rows]]
            result[rows] *= 1 - share[rows]
            result[rows] += share[rows] * grayscale[lower[rows]]
        return result
    for start, (rows, weights) in zip(range(0, height, BAND), _bands(len(grayscale), height), strict=True):
        columns = max(MAX_PRODUCT // weights.size, 1)
        for left in range(0, result.shape[1], columns):
            part = slice(left, left + columns)
            np.matmul(weights, grayscale[rows, part], out=result[start : start + BAND, part])
    return result


def _neighbours(before: int, after: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Grayscale]:
    """Return the two rows of `before` between which each of `after` lies, and the weight of the second, (after, 1)."""
    centers = np.clip((np.arange(after) + 0.5) * (before / after) - 0.5, 0, before - 1)
    upper = np.minimum(centers.astype(np.int64), max(before - 2, 0))
    return upper, np.minimum(upper + 1, before - 1), (centers - upper)[:, None]


@lru_cache(maxsize=1024)
def _bands(before: int, after: int) -> tuple[tuple[slice, Grayscale], ...]:
    """Return `triangle_weights` in bands of output pixels, each with the input rows that it reads.

    Most of the full matrix is zero.
    """
    matrix = triangle_weights(before, after)
    bands = []
    for start in range(0, after, BAND):
        band = matrix[start : start + BAND]
        used = np.flatnonzero(band.any(axis=0))
        rows = slice(int(used[0]), int(used[-1]) + 1)
        bands.append((rows, np.ascontiguousarray(band[:, rows])))
    return tuple(bands)


@lru_cache(maxsize=1024)
def triangle_weights(before: int, after: int) -> Grayscale:
    """Return the weight of each of `before` pixels for each of `after`, (after, before), rows summing to 1.

    A triangle around the position of the output pixel's center in the input. It reaches one input pixel to either side
    or, where the picture shrinks, one output pixel.
    """
    reach = max(before / after, 1.0)
    centers = (np.arange(after) + 0.5) * (before / after) - 0.5
    matrix: Grayscale = np.maximum(1 - np.abs(np.arange(before) - centers[:, None]) / reach, 0)
    matrix /= matrix.sum(axis=1, keepdims=True)
    matrix.flags.writeable = False  # cached
    return matrix


def downscale(grayscale: Grayscale, max_side: int) -> tuple[Grayscale, tuple[float, float]]:
    """Return a picture of at most `max_side` pixels a side, and the height and width of its pixels in the original.

    A very large picture is first reduced by block means to about four times `max_side`.
    """
    block = max(max(grayscale.shape) // (4 * max_side), 1)
    grayscale = block_mean(grayscale, block)
    ratio = max_side / max(grayscale.shape)
    if ratio >= 1:
        return grayscale, (block, block)
    height, width = (max(1, round_half_up(length * ratio)) for length in grayscale.shape)
    pixel = (block * grayscale.shape[0] / height, block * grayscale.shape[1] / width)
    return resample(grayscale, height, width), pixel


def block_mean(grayscale: Grayscale, block: int) -> Grayscale:
    """Return the means of square blocks; incomplete blocks are padded by repeating the edge."""
    if block == 1:
        return grayscale
    rows, columns = (length - length % block for length in grayscale.shape)
    # Only the edges are padded: a copy of the whole picture would take too much memory.
    means: Grayscale = np.block([
        [_mean_of_blocks(grayscale[:rows, :columns], block), _mean_of_blocks(grayscale[:rows, columns:], block)],
        [_mean_of_blocks(grayscale[rows:, :columns], block), _mean_of_blocks(grayscale[rows:, columns:], block)],
    ])  # fmt: skip
    return means


def _mean_of_blocks(grayscale: Grayscale, block: int) -> Grayscale:
    if any(length % block for length in grayscale.shape) and grayscale.size:
        grayscale = np.pad(grayscale, [(0, -length % block) for length in grayscale.shape], mode="edge")
    height, width = (-(-length // block) for length in grayscale.shape)
    if not grayscale.size:
        return np.empty((height, width))
    # Sums of whole rows, and of every nth column, are several times faster than `mean` over two short axes.
    sums = grayscale.reshape(height, block, width * block).sum(axis=1).reshape(height, width, block)
    total: Grayscale = sums[..., 0].copy()
    for column in range(1, block):
        total += sums[..., column]
    total /= block**2
    return total


def drop_low_bits(values: Grayscale | float) -> Grayscale:
    """Round values to 40 binary digits: the lowest bits depend on the order of sums and must not decide a tie."""
    rounded: Grayscale = np.add(values, ROUNDING_OFFSET) - ROUNDING_OFFSET
    return rounded


def round_half_up(value: float) -> int:
    """Return the nearest integer, halves rounded up as JavaScript does (Python rounds them to even)."""
    return int(np.floor(value + 0.5))
