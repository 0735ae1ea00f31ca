"""Perspective: the homography between two quadrilaterals, and pictures warped to a mesh of points."""

import numpy as np
from numpy.typing import NDArray

from inksight.imaging.resampling import Grayscale

Points = NDArray[np.float64]  # (..., 2): x to the right and y down, in pixels; the first pixel's center is (0, 0)


def homography(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the homography that maps four points to four others.

    Parameters
    ----------
    source, target : (4, 2) float64
        No three points of either lie on a line.

    Returns
    -------
    (3, 3) float64
        For `project`.

    References
    ----------
    Hartley and Zisserman, "Multiple View Geometry in Computer Vision", 2nd edition, 2004, section 4.1.

    Examples
    --------
    >>> unit = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> trapezoid = np.array([[0.0, 0.0], [4.0, 0.0], [3.0, 2.0], [1.0, 2.0]])
    >>> project(homography(unit, trapezoid), np.array([0.5, 1.0])).round(6)
    array([2., 2.])
    """
    equations, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        equations += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(equations), np.array(values)), 1.0).reshape(3, 3)


def project(matrix: NDArray[np.float64], points: Points) -> Points:
    """Map points (..., 2) by a homography (3, 3)."""
    x, y = points[..., 0], points[..., 1]
    u, v, w = (a * x + b * y + c for a, b, c in matrix)  # several times faster than a product with so small a matrix
    return np.stack([u / w, v / w], axis=-1)


def sample(grayscale: Grayscale, points: Points) -> Grayscale:
    """Return the brightness at points (height, width, 2), interpolated linearly; outside, that of the nearest edge."""
    from scipy import ndimage  # it takes longer to import than one digit to read

    sampled: Grayscale = ndimage.map_coordinates(grayscale, [points[..., 1], points[..., 0]], order=1, mode="nearest")
    return sampled


def refine_mesh(mesh: Points, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Points:
    """Return the points of a mesh at fractional rows and columns, interpolated bilinearly within each of its cells.

    Parameters
    ----------
    mesh : (m, n, 2) float64
        Points where row i and column j of a grid cross.
    rows, columns : (height,), (width,) float64
        Positions in units of cells: 0 is the first row or column of points, m - 1 or n - 1 the last. Positions outside
        continue the outermost cells.

    Returns
    -------
    (height, width, 2) float64
    """
    refined: Points = np.einsum(
        "im,mnc,jn->ijc", _hat(rows, len(mesh)), mesh, _hat(columns, mesh.shape[1]), optimize=True
    )
    return refined


def _hat(positions: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the weights of `count` points at positions, (positions, count), for linear interpolation."""
    first = np.clip(np.floor(positions).astype(np.int64), 0, count - 2)
    weights = np.zeros((len(positions), count))
    place = np.arange(len(positions))
    weights[place, first] = 1 - (positions - first)
    weights[place, first + 1] += positions - first
    return weights
