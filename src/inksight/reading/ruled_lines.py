"""Ruled lines: long, thin, straight lines across or down a page."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BLOCKS = 24  # on the longer side: ruled lines are followed from block to block
MIN_BLOCKS = 8  # consecutive blocks that a ruled line crosses
MIN_BLOCKS_SHARE = 0.9  # of the blocks, where a narrow page has fewer than MIN_BLOCKS
MIN_BLOCK_COVERAGE = 0.7  # of a block's columns in which a ruled line has ink
MIN_END_COVERAGE = 0.2  # the same, of a block with which such a line goes on
MAX_SLOPE = 0.25  # pixels down per pixel across, either way: the page may be held askew
MAX_THICKNESS = 1 / 120  # of the longer side: ruled lines are thinner
MIN_THICKNESS = 5  # pixels: thinner lines may be ruled on a page of any size, with their blurred edges
MAX_RUNS = 100_000  # runs of ink: with more, the picture is texture and not lined paper


def find_ruled_lines(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of a mask that belong to ruled lines, roughly horizontal or vertical.

    Where a stroke crosses a line, the ink is thicker than the line, and stays.

    Parameters
    ----------
    mask : (height, width) bool
        Where there is ink.

    Returns
    -------
    (height, width) bool

    Examples
    --------
    >>> page = np.zeros((60, 200), bool)
    >>> page[30:32] = True
    >>> page[10:50, 90:95] = True
    >>> ruled = find_ruled_lines(page)
    >>> ruled[30:32].mean(), ruled[10:50, 90:95].any()
    (np.float64(0.975), np.False_)
    """
    return find_horizontal_lines(mask) | find_horizontal_lines(mask.T).T


def find_horizontal_lines(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of roughly horizontal ruled lines; mask and result are those of `find_ruled_lines`.

    Every thin vertical run of ink is a point. Projected along a line's slope, the line's points fall into one bin,
    block by block of the page's width; projected along another slope, they scatter.
    """
    height, width = mask.shape
    longer = max(mask.shape)
    nothing = np.zeros(mask.shape, bool)
    columns_of_ink = np.zeros((width, height + 2), bool)  # between rows of paper, so that every run begins and ends
    columns_of_ink[:, 1:-1] = mask.T
    pixels = columns_of_ink.ravel()
    edges = np.flatnonzero(pixels[1:] != pixels[:-1])
    x, top = np.divmod(edges[::2], height + 2)
    bottom = edges[1::2] - x * (height + 2)
    thin = bottom - top <= max(MIN_THICKNESS, longer * MAX_THICKNESS)
    x, top, bottom = x[thin], top[thin], bottom[thin]
    if not 0 < x.size <= MAX_RUNS:
        return nothing
    block_width = max(longer / BLOCKS, 4.0)
    blocks = int(np.ceil(width / block_width))
    min_blocks = min(MIN_BLOCKS, max(int(MIN_BLOCKS_SHARE * width / block_width), 2))
    middle, block = (top + bottom - 1) / 2, (x / block_width).astype(np.int64)
    block_of_column = np.minimum((np.arange(width) / block_width).astype(np.int64), blocks - 1)
    columns = np.bincount(block_of_column, minlength=blocks)  # of each block
    ruled = np.zeros(x.size, bool)
    enough = MIN_BLOCK_COVERAGE * columns
    step = 2 / (min_blocks * block_width)  # along the shortest line, the nearest slope tried is off by at most 2 pixels
    offset = int((MAX_SLOPE + step) * width) + 2  # makes every bin's number positive
    for slope in np.arange(-MAX_SLOPE, MAX_SLOPE + step, step):
        level = (middle - slope * x + offset).astype(np.int64)
        counts = np.bincount(level * blocks + block, minlength=(height + 2 * offset + 1) * blocks).reshape(-1, blocks)
        if (2 * counts.max(axis=0) >= enough).sum() < min_blocks:  # as for most slopes
            continue
        counts[1:] += counts[:-1].copy()  # a line covers two neighbouring levels
        covered = open_rows(counts >= enough, min_blocks)
        if not covered.any():
            continue
        # A line ends within a block, and beyond blocks where digits touch it.
        covered = ndimage.binary_propagation(covered, np.ones((1, 3)), mask=counts >= MIN_END_COVERAGE * columns)
        covered[:-1] |= covered[1:]
        ruled |= covered[level, block]
    if not ruled.any():
        return nothing
    ruled &= bottom - top <= np.median((bottom - top)[ruled]) + 2
    # The cumulative sum down each column of +1 where a run begins and -1 where it ends is 1 within runs.
    ends = np.zeros((height + 1, width), np.int8)
    ends[top[ruled], x[ruled]] = 1
    np.subtract.at(ends, (bottom[ruled], x[ruled]), 1)
    return np.cumsum(ends[:-1], axis=0, dtype=np.int8) > 0


def open_rows(mask: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Return the binary opening of each row of a mask (rows, columns): its runs of at least `length` pixels.

    A tenth of the time of SciPy's opening, which looks at all pixels of the structuring element.

    Examples
    --------
    >>> open_rows(np.array([[1, 1, 0, 1, 1, 1]], bool), 3).astype(int)
    array([[0, 0, 0, 1, 1, 1]])
    """
    shifts, reach = list[int](), 1
    while reach < length:
        shifts.append(min(reach, length - reach))
        reach += shifts[-1]
    opened = mask.copy()
    for shift in shifts:  # a pixel stays if all of the `length` pixels from it on are set
        opened[:, :-shift] &= opened[:, shift:]
        opened[:, -shift:] = False
    for shift in shifts:
        opened[:, shift:] |= opened[:, :-shift]
    return opened
