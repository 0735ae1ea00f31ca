"""The cells of a grid, cut out along its lines: the ink in each, without the lines."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.imaging.foreground import MIN_CONTRAST, noise_level, upper_decile
from inksight.imaging.illumination import MIN_BACKGROUND
from inksight.imaging.perspective import Points, refine_mesh, sample
from inksight.imaging.resampling import Grayscale, block_mean

CELL_SIZE = 64  # pixels of a rectified cell: the median of the rows' heights and of the columns' widths
CELL_SIZES = (12, 640)  # pixels: the lowest height or width of a rectified cell, and the largest
MARGIN = 0.25  # of `CELL_SIZE`: around the rectified grid, for writing that leaves it
CLOSING_WINDOW = 0.4  # of `CELL_SIZE`: wider than strokes and lines
MAX_LINE = 0.2  # of `CELL_SIZE`: thickness of a line and its distance from where it was found, at most
MIN_LINE_COVERAGE = 0.5  # of a cell's side that a line covers with ink
DISTANCE_COST = 0.02  # of coverage, for each pixel between the line and where it was found
THRESHOLD = 0.3  # of the contrast of full ink


@dataclass(frozen=True, eq=False)
class RectifiedGrid:
    """A grid seen from above, with straight lines.

    Parameters
    ----------
    rows, columns : (m,), (n,) int64
        Where each line across and each line down is, in pixels of the rectified picture.
    points : (height, width, 2) float64
        x and y of each pixel of the rectified picture in the original.
    grayscale, contrast : (height, width) float64, 0..1
        Brightness, and the share by which each pixel is darker than the paper at that place.
    labels : (height, width) int32
        Label of each pixel's component of ink, without the lines, from 1; 0 is paper or a line.
    lines : (height, width) bool
        Where the lines are.
    noise : float
        Contrast up to which a pixel may be noise of the paper.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    points: Points
    grayscale: Grayscale
    contrast: Grayscale
    labels: NDArray[np.int32]
    lines: NDArray[np.bool_]
    noise: float


def rectify(grayscale: Grayscale, mesh: Points) -> RectifiedGrid:
    """Rectify a grid, and separate what is written in its cells from its lines.

    Parameters
    ----------
    grayscale : (height, width) float64, 0..1
        Brightness of the picture, with dark ink.
    mesh : (rows + 1, columns + 1, 2) float64
        Where the lines cross, in its pixels.
    """
    heights, widths, scale = _sizes(mesh)
    margin = int(MARGIN * CELL_SIZE)
    (rows, y), (columns, x) = (_positions(np.rint(scale * sizes), margin) for sizes in (heights, widths))
    points = refine_mesh(mesh, y, x)
    picture = _sample_reduced(grayscale, points, scale)
    window = int(CLOSING_WINDOW * CELL_SIZE) | 1
    paper = ndimage.minimum_filter(ndimage.maximum_filter(picture, window), window)
    contrast = (paper - picture) / np.maximum(paper, MIN_BACKGROUND)
    noise = noise_level(np.partition(contrast, (contrast.size // 4, contrast.size // 2), axis=None))
    above_noise = contrast > max(noise, MIN_CONTRAST)
    lines = _line_mask(above_noise, rows, columns)
    written = contrast[above_noise & ~lines]
    full = upper_decile(written) if written.size else 1.0
    labels, _ = ndimage.label(above_noise & ~lines & (contrast > THRESHOLD * full), np.ones((3, 3)))
    return RectifiedGrid(rows, columns, points, picture, contrast, labels, lines, noise)


def reduction(mesh: Points) -> int:
    """Return the side of the blocks by whose means a picture may be reduced before its grid is rectified."""
    return max(int(1 / _sizes(mesh)[2]), 1)


def _sizes(mesh: Points) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the mean height of each row and width of each column, in pixels, and the scale of the rectified grid."""
    heights = np.hypot(*np.moveaxis(np.diff(mesh, axis=0), -1, 0)).mean(axis=1)
    widths = np.hypot(*np.moveaxis(np.diff(mesh, axis=1), -1, 0)).mean(axis=0)
    return heights, widths, CELL_SIZE / float(np.median(np.r_[heights, widths]))


def _positions(sizes: NDArray[np.float64], margin: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pixel of each line, for cells of given sizes, and the position of each pixel in units of cells."""
    edges = margin + np.cumsum(np.r_[0, np.clip(sizes, *CELL_SIZES)]).astype(np.int64)
    pixels = np.arange(edges[-1] + margin + 1)
    inside = np.interp(pixels, edges, np.arange(len(edges)))
    before = np.minimum(pixels - edges[0], 0) / (edges[1] - edges[0])
    after = np.maximum(pixels - edges[-1], 0) / (edges[-1] - edges[-2])
    return edges, inside + before + after


def _sample_reduced(grayscale: Grayscale, points: Points, scale: float) -> Grayscale:
    """Sample a picture at points that are `1 / scale` pixels apart, by block means where that is more than one."""
    block = max(int(1 / scale), 1)
    low = np.floor(points.reshape(-1, 2).min(axis=0)).astype(np.int64) - block
    high = np.ceil(points.reshape(-1, 2).max(axis=0)).astype(np.int64) + block + 1
    left, top = np.clip(low, 0, None)
    right, bottom = np.clip(high, 1, grayscale.shape[::-1])
    reduced = block_mean(grayscale[top:bottom, left:right], block)
    return sample(reduced, (points - (left, top) - (block - 1) / 2) / block)


def _line_mask(ink: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which pixels belong to lines of the grid, which are followed from cell to cell, with their thickness."""
    lines = _lines_across(ink, rows, columns)
    lines |= _lines_across(ink.T, columns, rows).T
    return lines


def _lines_across(ink: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which pixels belong to lines across."""
    mask = np.zeros(ink.shape, bool)
    reach = int(MAX_LINE * CELL_SIZE)
    for row in rows:
        top = max(row - reach, 0)
        for left, right in pairwise(columns.tolist()):
            inset = (right - left) // 8
            coverage = ink[top : row + reach + 1, left + inset : right - inset].mean(axis=1)
            if coverage.max() < MIN_LINE_COVERAGE:
                continue
            # The base of a digit beside the line covers less than the line does.
            best = (coverage - DISTANCE_COST * np.abs(np.arange(len(coverage)) + top - row)).argmax()
            runs, _ = ndimage.label(coverage >= MIN_LINE_COVERAGE)
            own = np.flatnonzero(runs == runs[best]) if runs[best] else np.array([best])
            mask[max(top + own[0] - 1, 0) : top + own[-1] + 2, max(left - reach // 2, 0) : right + reach // 2] = True
    return mask
