"""`Strokes`: pen strokes on a canvas, and their rasterization in plain arithmetic that a browser can reproduce."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check, is_between
from inksight.errors import InputError

PEN_WIDTH = 0.12  # of the longer side of the writing: default width of the pen, about that of MNIST
MARGIN = 0.25  # of the longer side of the writing: white margin, so that paper covers more area than ink
MAX_SIDE = 256  # pixels: larger writing is scaled down to this
MAX_POINTS = 20_000  # points of all strokes together


@dataclass(frozen=True, eq=False)
class Strokes:
    """Pen strokes on a canvas. Their size and position do not matter.

    Parameters
    ----------
    lines : sequence of array-like, (points, 2) or wider
        One array per stroke: x to the right and y down, in pixels. Further columns, such as time and pressure, are
        ignored. A stroke of one point is a dot.
    width : float, optional
        Width of the pen, in pixels. By default 0.12 of the longer side of the writing, about that of MNIST, but
        at least 1.

    Raises
    ------
    InputError
        If a stroke has another shape, a coordinate is not finite, there are more than 20,000 points, or the width is
        out of range.

    Examples
    --------
    >>> import inksight
    >>> str(inksight.read(Strokes([[(40, 20), (120, 20), (70, 160)]])))
    '7'
    """

    lines: Sequence[ArrayLike]
    width: float | None = None

    def __post_init__(self) -> None:
        check(isinstance(self.lines, Sequence), "lines", type(self.lines).__name__, "a list of strokes")
        checked = [_checked_points(line, number) for number, line in enumerate(self.lines)]
        count = sum(len(line) for line in checked)
        check(count <= MAX_POINTS, "number of points", count, f"at most {MAX_POINTS:,}")
        check(self.width is None or is_between(self.width, 1e-3, 1e4), "width", self.width, "0.001 to 10,000 pixels")
        object.__setattr__(self, "lines", tuple(line for line in checked if len(line)))


def rasterize(strokes: Strokes) -> NDArray[np.float64]:
    """Return the brightness of strokes drawn with a round black pen, antialiased, on white paper.

    The darkness of a pixel depends on the distance of its center from the nearest segment: it falls linearly from 1 at
    half a pixel less than the radius of the pen to 0 at half a pixel more.

    Parameters
    ----------
    strokes : Strokes

    Returns
    -------
    (height, width) float64, 0..1
        The writing and a white margin, at the scale of the strokes or scaled down to 256 pixels a side. A white sheet
        if there are no strokes.

    Examples
    --------
    >>> sheet = rasterize(Strokes([[(5, 5), (5, 25)]], width=3))
    >>> sheet.shape, int((1 - sheet).sum()), 3 * 20 + round(3.14 * 1.5**2)  # ink and the area of the line
    ((38, 18), 67, 67)
    """
    lines = [np.asarray(line) for line in strokes.lines]
    if not lines:
        return np.ones((MAX_SIDE, MAX_SIDE))
    all_points = np.concatenate(lines)
    low, high = all_points.min(axis=0), all_points.max(axis=0)
    extent = float((high - low).max())
    width = strokes.width if strokes.width is not None else max(PEN_WIDTH * extent, 1.0)
    margin = width + 1 + MARGIN * extent
    ratio = min(MAX_SIDE / (extent + 2 * margin), 1.0)
    pixels_x, pixels_y = (int(np.ceil(length)) for length in ((high - low) + 2 * margin) * ratio)
    ink, radius = np.zeros((pixels_y, pixels_x)), width * ratio / 2
    for line in lines:
        points = (line - low + margin) * ratio
        for start, end in zip(points, points[1:] if len(points) > 1 else points, strict=False):
            _draw_segment(ink, start, end, radius)
    return 1 - ink


def _draw_segment(
    ink: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64], radius: float
) -> None:
    """Draw one segment on `ink`, in place, within its bounding box."""
    first = np.maximum(np.floor(np.minimum(start, end) - radius - 1), 0).astype(int)
    last = np.ceil(np.maximum(start, end) + radius + 1).astype(int)
    box = ink[first[1] : last[1], first[0] : last[0]]
    x = np.arange(box.shape[1]) + first[0] + 0.5 - start[0]
    y = (np.arange(box.shape[0]) + first[1] + 0.5 - start[1])[:, None]
    dx, dy = end - start
    # The nearest point of the segment, as a share of its length from start to end.
    share = np.clip((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    distance = np.sqrt((x - share * dx) ** 2 + (y - share * dy) ** 2)
    np.maximum(box, np.clip(radius - distance + 0.5, 0, 1), out=box)


def _checked_points(line: ArrayLike, number: int) -> NDArray[np.float64]:
    try:
        points = np.asarray(line, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"stroke {number} must be numbers (points, 2), got {line!r:.60}") from error
    if points.size == 0:
        return np.empty((0, 2))
    valid = points.ndim == 2 and points.shape[1] >= 2
    check(valid, f"shape of stroke {number}", points.shape, "(points, 2)", "give x and y of each point")
    points = points[:, :2]
    largest = float(np.abs(points).max())  # NaN if any coordinate is NaN
    check(largest <= 1e6, f"coordinates of stroke {number}", largest, "finite, up to a million pixels")
    return points
