"""`Strokes`: what a pen wrote on a canvas, drawn as a picture in plain arithmetic, as a browser can too."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check, is_between
from inksight.errors import InputError

USUAL_WIDTH = 0.12  # of the longer side of what is written: about what MNIST's pens had
MARGIN = 0.25  # of that side, left white all round: paper is to be told from ink by there being more of it
LARGEST = 256  # pixels: what is larger is drawn smaller
MOST_POINTS = 20_000


@dataclass(frozen=True, eq=False)
class Strokes:
    """What was written on a canvas, of any size, in any place.

    Parameters
    ----------
    lines : sequence of array-like, (points, 2) or wider
        One a stroke: x to the right and y down, in pixels; further columns (time, pressure) are left alone. A stroke of
        one point is a dot.
    width : float, optional
        Of the pen, in pixels; about MNIST's, by the size of what is written, if not given.

    Raises
    ------
    InputError
        If a stroke has another shape, a coordinate is not finite, there are more than 20,000 points, or the pen has no
        width.

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
        checked = [_points(line, number) for number, line in enumerate(self.lines)]
        count = sum(len(line) for line in checked)
        check(count <= MOST_POINTS, "number of points", count, f"at most {MOST_POINTS:,}")
        check(self.width is None or is_between(self.width, 1e-3, 1e4), "width", self.width, "0.001 to 10,000 pixels")
        object.__setattr__(self, "lines", tuple(line for line in checked if len(line)))


def draw(strokes: Strokes) -> NDArray[np.float64]:
    """Return strokes as brightness: a round black pen, its edges smoothed, on white paper around what is written.

    A pixel is as dark as its centre lies within the pen's radius of the nearest segment, from half a pixel outside (not
    at all) to half a pixel inside (wholly).

    Parameters
    ----------
    strokes : Strokes

    Returns
    -------
    (height, width) float64, 0..1
        In the strokes' own pixels, up to 256 of them a side; without strokes a white sheet.

    Examples
    --------
    >>> sheet = draw(Strokes([[(5, 5), (5, 25)]], width=3))
    >>> sheet.shape, int((1 - sheet).sum()), 3 * 20 + round(3.14 * 1.5**2)  # the area of such a line
    ((38, 18), 67, 67)
    """
    lines = [np.asarray(line) for line in strokes.lines]
    if not lines:
        return np.ones((LARGEST, LARGEST))
    every = np.concatenate(lines)
    low, high = every.min(axis=0), every.max(axis=0)
    extent = float((high - low).max())
    width = strokes.width if strokes.width is not None else max(USUAL_WIDTH * extent, 1.0)
    margin = width + 1 + MARGIN * extent
    ratio = min(LARGEST / (extent + 2 * margin), 1.0)
    across, down = (int(np.ceil(length)) for length in ((high - low) + 2 * margin) * ratio)
    ink, radius = np.zeros((down, across)), width * ratio / 2
    for line in lines:
        points = (line - low + margin) * ratio
        for start, end in zip(points, points[1:] if len(points) > 1 else points, strict=False):
            _cover(ink, start, end, radius)
    return 1 - ink


def _cover(ink: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64], radius: float) -> None:
    """Draw one segment, on the pixels that it can reach."""
    first = np.maximum(np.floor(np.minimum(start, end) - radius - 1), 0).astype(int)
    last = np.ceil(np.maximum(start, end) + radius + 1).astype(int)
    part = ink[first[1] : last[1], first[0] : last[0]]
    x = np.arange(part.shape[1]) + first[0] + 0.5 - start[0]
    y = (np.arange(part.shape[0]) + first[1] + 0.5 - start[1])[:, None]
    dx, dy = end - start
    # The nearest place on the segment, as a share of the way from start to end.
    share = np.clip((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    distance = np.sqrt((x - share * dx) ** 2 + (y - share * dy) ** 2)
    np.maximum(part, np.clip(radius - distance + 0.5, 0, 1), out=part)


def _points(line: ArrayLike, number: int) -> NDArray[np.float64]:
    try:
        points = np.asarray(line, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"stroke {number} must be numbers (points, 2), got {line!r:.60}") from error
    if points.size == 0:
        return np.empty((0, 2))
    good = points.ndim == 2 and points.shape[1] >= 2
    check(good, f"shape of stroke {number}", points.shape, "(points, 2): x and y")
    points = points[:, :2]
    far = float(np.abs(points).max())  # NaN, if there is one, comes through
    check(far <= 1e6, f"coordinates of stroke {number}", far, "finite, up to a million pixels")
    return points
