"""`find_grid`: the grid of lines on a photo, under perspective and bend, as the points where its lines cross."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, spatial

from inksight.errors import InputError
from inksight.imaging.illumination import MIN_BACKGROUND
from inksight.imaging.perspective import Points, homography, project, sample
from inksight.imaging.resampling import Grayscale, block_mean

DETECTION_SIZE = 1000  # pixels: pictures with a longer side of twice this or more are reduced by block means
MAX_USUAL_ASPECT = 4.0  # of sides: in a longer grid, as of one row, cells are small beside the longer side
CLOSING_WINDOW = 1 / 60  # of the longer side: wider than a line
THRESHOLDS = (0.12, 0.06, 0.25)  # of contrast: shares by which lines are darker than the paper beside them
MIN_EXTENT = 0.12  # of the longer side: extent of a grid, at least
MIN_HEIGHT = 10  # pixels: of a grid, at least
MIN_CELL = 1 / 4000  # of a grid's bounding box: smaller holes are loops of writing
MAX_CELL_RATIO = 3.0  # of areas of cells that are similar
MIN_CELL_SHARE = 0.25  # of a grid's bounding box that similar cells cover
MAX_SAME = 0.05  # of the diagonal: corners that are closer are those of the same grid
MAX_GRIDS = 4  # connected components in which a grid is sought, those with the largest cells first
HULL_POINTS = 24  # of a convex hull, from which the four corners are chosen

# The grid is rectified to follow its lines. In pixels of the rectified picture:
CELL_SIZE = 80  # side of a cell whose area is typical
RECTIFIED_SIZES = (800, 2000)  # of the longer side of the grid
STROKE = 20  # contrast is averaged along a line over this length, or over MAX_STROKE of the line
REACH = 12  # how far above and below a line the paper is
STEP = 4  # columns, from point to point of a line
MIN_DISTANCE = 16  # between two lines

MAX_STROKE = 1 / 8  # of a line's length
MARGIN = 0.06  # of the grid's longer side, around the grid: outer lines may bend into it
NEAR_HIGHEST = 0.7  # of the highest ridge within reach: lower ones are the edges of a thick line, or writing beside it
MIN_RIDGE = 0.02  # contrast of a line with the paper beside it, at least
NOISE_REACH = 2.0  # of the median deviation of this contrast, everywhere on the grid, which a line exceeds
ENOUGH = 2.0  # times the least contrast: more is not better
FIT_ROUNDS = 3  # least-squares fits of a cubic to a line, each without the points far from the previous one
SHIFT_COST = 0.5  # of each step of a line to a neighbouring row; a point with enough contrast earns 1
MIN_COVERAGE = 0.65  # of a line's length that is ink
SHORT = 2 * CELL_SIZE  # pixels: a digit may cover much of a line that is not longer, but not its ends
END, MIN_END_COVERAGE = 0.1, 0.5  # of the length of a short line, and of this end that is ink
MIN_COVERAGE_OF_MISSING = 0.4  # the same, where the number of lines is known and more of them must be there
MAX_OVERLAP = 0.2  # of their length that two lines may share


class _Candidate(NamedTuple):
    """Where a grid may be: its corners, clockwise from the upper left, the area of its cells, and of a typical one."""

    corners: Points
    area: float
    cell_area: float


def find_grid(grayscale: Grayscale, rows: int | None = None, columns: int | None = None) -> Points:
    """Find the largest grid of dark lines on a picture.

    Parameters
    ----------
    grayscale : (height, width) float64, 0..1
        Brightness of the picture, upright.
    rows, columns : int, optional
        How many rows and columns of cells the grid has; counted by default.

    Returns
    -------
    (rows + 1, columns + 1, 2) float64
        x and y of the crossings of its lines, in pixels.

    Raises
    ------
    InputError
        If there is no such grid.
    """
    block = detection_block(*grayscale.shape)
    contrast = line_contrast(block_mean(grayscale, block))
    found = None
    for candidate in _candidates(contrast):
        mesh = _follow_lines(contrast, candidate, rows, columns)
        if mesh is None:
            continue
        size = (mesh.shape[0] - 1, mesh.shape[1] - 1)
        if rows in (None, size[0]) and columns in (None, size[1]):
            in_picture: Points = block * mesh + (block - 1) / 2
            return in_picture
        found = found or size
    if found:
        wanted = "x".join("any" if count is None else str(count) for count in (rows, columns))
        raise InputError(
            f"the grid on the picture must have {wanted} cells (rows x columns), got {found[0]}x{found[1]}: give the "
            "right numbers, or 'auto' to count them, or a sharper photo"
        )
    raise InputError(
        "no grid was found on the picture: it must show the whole grid, with all of its lines; take a sharper photo, "
        "or read the picture without a grid"
    )


def detection_block(height: int, width: int) -> int:
    """Return by which factor a picture is reduced before its grid is looked for, 1 or more.

    Examples
    --------
    >>> detection_block(3000, 4000), detection_block(320, 4240)
    (4, 2)
    """
    return max(int(max(height, width) / _stretch(height, width)) // DETECTION_SIZE, 1)


def _stretch(one: float, other: float) -> float:
    """Return by how much longer a side may be than for a grid of usual shape, as the other one is short: 1 or more."""
    return max(float(np.sqrt(max(one, other) / max(min(one, other), 1) / MAX_USUAL_ASPECT)), 1.0)


def line_contrast(grayscale: Grayscale) -> Grayscale:
    """Return by which share each pixel is darker than the paper beside it, in shade as in light (height, width), 0..1.

    The paper is the grayscale closing by a window that is wider than a line.
    """
    window = max(int(CLOSING_WINDOW * max(grayscale.shape)), 5) | 1
    picture = grayscale.astype(np.float32)
    paper = ndimage.minimum_filter(ndimage.maximum_filter(picture, window), window)
    contrast: Grayscale = ((paper - picture) / np.maximum(paper, MIN_BACKGROUND)).astype(np.float64)
    return contrast


def _candidates(contrast: Grayscale) -> list[_Candidate]:
    """Return the connected components of ink that enclose cells of similar sizes, those with the largest cells first.

    On texture, a grid is connected to what is around it at a low threshold; faint lines are lost at a high one.
    """
    candidates: list[_Candidate] = []
    for threshold in THRESHOLDS:
        labels, _ = ndimage.label(contrast > threshold, np.ones((3, 3)))
        for number, (down, across) in enumerate(ndimage.find_objects(labels), start=1):
            extent = (down.stop - down.start, across.stop - across.start)
            if max(extent) < MIN_EXTENT * max(contrast.shape) or min(extent) < MIN_HEIGHT:
                continue
            own = labels[down, across] == number
            area, cell_area = _cell_areas(own)
            if area < MIN_CELL_SHARE * own.size:
                continue
            corners = _corners(own) + np.array([across.start, down.start])
            side = np.hypot(*(corners[2] - corners[0]))
            if all(np.abs(corners - other.corners).max() > MAX_SAME * side for other in candidates):
                candidates.append(_Candidate(corners, area, cell_area))
    return sorted(candidates, key=lambda candidate: -candidate.area)[:MAX_GRIDS]


def _cell_areas(own: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the area of all holes in a component that are about as large as most, and of a typical one; 0 for one."""
    holes, _ = ndimage.label(np.pad(~own, 1, constant_values=True))
    areas = np.bincount(holes.ravel())[2:]  # without the component, and without what is around it
    areas = np.sort(areas[areas >= MIN_CELL * own.size])
    if len(areas) < 2:
        return 0.0, 0.0
    cumulative = np.cumsum(areas)
    median = areas[np.searchsorted(cumulative, cumulative[-1] / 2)]
    similar = areas[(areas * MAX_CELL_RATIO >= median) & (areas <= MAX_CELL_RATIO * median)]
    return (float(similar.sum()) if len(similar) > 1 else 0.0), float(median)


def _corners(mask: NDArray[np.bool_]) -> Points:
    """Return the largest quadrilateral of points of the convex hull of a mask."""
    edge = mask & ~ndimage.binary_erosion(mask)
    y, x = np.nonzero(edge)
    points = np.stack([x, y], axis=1).astype(np.float64)
    hull = points[spatial.ConvexHull(points).vertices]  # counterclockwise if y points up: clockwise on a picture
    while len(hull) > HULL_POINTS:  # without the point that changes the hull's area least
        before, after = np.roll(hull, 1, axis=0), np.roll(hull, -1, axis=0)
        hull = np.delete(hull, _cross(hull - before, after - before).argmin(), axis=0)
    a, b, c, d = np.array(np.meshgrid(*4 * [np.arange(len(hull))], indexing="ij")).reshape(4, -1)
    ordered = (a < b) & (b < c) & (c < d)
    quads = hull[np.stack([a, b, c, d], axis=1)[ordered]]
    area = _cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
    best = quads[area.argmax()]
    return np.roll(best, -int(best.sum(axis=1).argmin()), axis=0)


def _cross(a: Points, b: Points) -> NDArray[np.float64]:
    product: NDArray[np.float64] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _follow_lines(contrast: Grayscale, candidate: _Candidate, rows: int | None, columns: int | None) -> Points | None:
    """Return the crossings of the lines of a grid, or None if there is no cell."""
    corners = candidate.corners
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    width, height = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    longer = max(width, height)
    least, most = RECTIFIED_SIZES
    size = CELL_SIZE * longer / np.sqrt(candidate.cell_area)
    scale = np.clip(size, least, most * _stretch(width, height)) / longer
    width, height = int(width * scale), int(height * scale)
    if min(width, height) < MIN_HEIGHT:
        return None
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    matrix = homography(target, corners)
    margin = int(MARGIN * max(width, height))
    x, y = np.meshgrid(np.arange(-margin, width + margin), np.arange(-margin, height + margin))
    rectified = sample(contrast, project(matrix, np.stack([x, y], axis=-1).astype(np.float64)))
    across, down = trace_lines(rectified, margin, rows), trace_lines(rectified.T, margin, columns)
    if len(across) < 2 or len(down) < 2:
        return None
    return project(matrix, _crossings(across, down) - margin)


def trace_lines(contrast: Grayscale, margin: int, cells: int | None = None) -> NDArray[np.float64]:
    """Follow the lines that run across a rectified grid from its left to its right edge.

    Parameters
    ----------
    contrast : (height, width) float64
    margin : int
        Columns on the left and right in which there is no grid.
    cells : int, optional
        Number of cells between the lines, if it is known. Faint lines are then accepted until there are enough.

    Returns
    -------
    (lines, width) float64
        The row of each line in each column, from top to bottom; continued straight in the margins.
    """
    x = np.arange(margin, contrast.shape[1] - margin, STEP)
    ridge = _ridge(contrast, max(min(STROKE, int(MAX_STROKE * len(x) * STEP)), 1))[:, x]
    gain = np.clip(ridge / ENOUGH, 0, 1)
    paths = _best_paths(gain.T.astype(np.float32))
    each = np.arange(len(x))
    inked, end = ridge[paths, each] >= 1, max(int(END * len(x)), 1)
    coverage, strength = inked.mean(axis=1), gain[paths, each].mean(axis=1)
    if len(x) * STEP <= SHORT:
        coverage[np.minimum(inked[:, :end].mean(axis=1), inked[:, -end:].mean(axis=1)) < MIN_END_COVERAGE] = 0
    chosen: list[int] = []
    lines: list[NDArray[np.float64]] = []
    for path in np.argsort(-strength, kind="stable").tolist():
        is_missing = cells is not None and len(chosen) <= cells
        if coverage[path] < (MIN_COVERAGE_OF_MISSING if is_missing else MIN_COVERAGE):
            continue
        if ((np.abs(paths[chosen] - paths[path]) <= 2).mean(axis=1) > MAX_OVERLAP).any():
            continue
        line = _smooth(x, paths[path], ridge[paths[path], each], contrast.shape[1])
        # A path from one line to writing and on crosses the line, or touches it.
        away = [np.abs(line - other)[x] for other in lines]
        if all(distance.mean() >= MIN_DISTANCE and distance.min() >= MIN_DISTANCE / 2 for distance in away):
            chosen.append(path)
            lines.append(line)
    return np.array(sorted(lines, key=lambda line: float(line.mean()))).reshape(-1, contrast.shape[1])


def _smooth(x: NDArray[np.int64], y: NDArray[np.int64], ridge: Grayscale, width: int) -> NDArray[np.float64]:
    """Return the cubic through a path, without the stretches where it leaves the line for writing beside it."""
    weight = np.clip(ridge / ENOUGH, 0.01, 1)
    powers = np.vander(2 * np.arange(width) / width - 1, 4)  # least squares need a domain from -1 to 1
    for _ in range(FIT_ROUNDS):
        fit = np.linalg.lstsq(powers[x] * weight[:, None], y * weight, rcond=None)[0]
        away = np.abs(y - powers[x] @ fit)
        weight = weight * (away <= max(2 * float(np.median(away)), 1.0)) + 1e-3
    smooth: NDArray[np.float64] = powers @ fit
    return smooth


def _ridge(contrast: Grayscale, stroke: int) -> Grayscale:
    """Return by how much each pixel, averaged along a stroke, has more contrast than what is above and below it.

    A line across stands out, with 1 or more. A line down does not, nor does texture. It is 0 beside higher ridges.
    """
    mean = ndimage.uniform_filter1d(ndimage.gaussian_filter1d(contrast, 1.0, axis=0), stroke, axis=1)
    padded = np.pad(mean, [(REACH, REACH), (0, 0)], mode="edge")
    ridge = mean - np.maximum(padded[: len(mean)], padded[2 * REACH :])
    highest = ndimage.maximum_filter1d(ridge, 2 * REACH + 1, axis=0)
    deviation = float(np.median(np.abs(ridge - np.median(ridge))))
    least = max(MIN_RIDGE, NOISE_REACH * deviation)
    return np.where(ridge >= NEAR_HIGHEST * highest, ridge / least, 0)


def _best_paths(gain: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the path of greatest gain to each column of the last row, (columns, rows): its column in each row.

    A path moves by at most one column per row (dynamic programming).
    """
    rows, columns = gain.shape
    total = gain[0]
    step = np.zeros((rows, columns), np.int8)
    for row in range(1, rows):
        padded = np.pad(total, 1, constant_values=-np.inf)
        left, right = padded[:-2] - SHIFT_COST, padded[2:] - SHIFT_COST
        best = np.maximum(left, right)
        moves = best > total
        step[row] = np.where(moves, np.where(left >= right, -1, 1), 0)
        total = np.where(moves, best, total) + gain[row]
    paths = np.empty((columns, rows), np.int64)
    paths[:, -1] = np.arange(columns)
    for row in range(rows - 1, 0, -1):
        paths[:, row - 1] = paths[:, row] + step[row, paths[:, row]]
    return paths


def _crossings(across: NDArray[np.float64], down: NDArray[np.float64]) -> Points:
    """Return where lines across (m, width) and lines down (n, height) meet, (m, n, 2)."""
    m, n = np.arange(len(across))[:, None], np.arange(len(down))
    y = np.repeat(across.mean(axis=1)[:, None], len(down), axis=1)
    for _ in range(4):
        x = down[n, np.clip(np.rint(y), 0, down.shape[1] - 1).astype(np.int64)]
        y = across[m, np.clip(np.rint(x), 0, across.shape[1] - 1).astype(np.int64)]
    return np.stack([x, y], axis=-1)
