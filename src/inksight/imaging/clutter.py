"""Clutter around a digit: frames and lines that touch the picture's edge, dots and commas, specks.

A line is straight, thin and parallel to an edge, and it reaches an edge. A stroke of a digit that is cropped tightly
does so, too. So a line that is connected to other ink is taken away only if it goes on beyond that ink in both
directions.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inksight.imaging.foreground import dilate
from inksight.imaging.framing import center_in_frame
from inksight.imaging.pale_digits import ink_inside, is_digit
from inksight.imaging.preprocessing import MIN_SIZE, Prepared, bounding_box
from inksight.imaging.resampling import Grayscale

Mask = NDArray[np.bool_]

INK = 0.2  # of full ink: paler pixels do not join strokes

MIN_ASPECT = 0.5  # shorter / longer side: a narrower picture is a crop of a digit, such as a 1, not a cell

# In sides of the picture:
MIN_MARGIN = 0.12  # digits at least this far from all edges have no frame around them
BAND = 0.22  # along each edge, in which frames are searched for
MAX_THICKNESS = 0.08  # of a line
MIN_LENGTH = 0.55  # of a line that is connected to other ink, or is alone on the picture
MAX_BEND = 0.02  # departure of a line from straightness, in addition to a pixel
MAX_INSET = 0.14  # between an end of a line and the picture's edge
MAX_DIGIT = 0.8  # of a digit that is not cropped tightly
MIN_OVERHANG = 0.06  # by which a line goes on beyond the ink that is connected to it
MIN_FRAMED_DIGIT = 0.15  # of the picture: lower ink at the edge of a picture with a frame is a piece of it
MAX_RESIDUE = 0.04  # of ink that is left along a line's lower side, where it is thicker than elsewhere

MAX_PALE_INK = 0.5  # of full ink: with no darker ink in a frame, what is in it is looked at again without the frame

# In heights of the digit:
MAX_DOT_SIZE = 0.3
MIN_DOT_GAP = 0.05  # between digit and dot
MAX_SPECK_SIZE = 0.15


def without_clutter(prepared: Prepared, shape: tuple[int, ...]) -> Prepared:
    """Return a prepared picture without the clutter around its digit.

    Parameters
    ----------
    prepared : Prepared
    shape : (height, width)
        Of the picture, in pixels.

    Returns
    -------
    Prepared
        The same object if there is no clutter. Its problem is ``blank`` if there is nothing else.

    Examples
    --------
    >>> from inksight import prepare
    >>> cell = np.full((90, 90), 220, np.uint8)
    >>> cell[3:6] = cell[:, 84:87] = cell[25:70, 42:48] = 20
    >>> prepare(cell).box, without_clutter(prepare(cell), cell.shape).box
    ((0, 0, 90, 90), (42, 25, 6, 45))
    """
    if prepared.problem or min(shape) < MIN_ASPECT * max(shape) or not _may_be_cluttered(prepared.ink > 0):
        return prepared
    ink = prepared.ink.copy()
    frame = np.zeros(ink.shape, bool)
    while _erase_lines(ink, frame):  # a frame may be double
        pass
    _erase_pieces(ink, bool(frame.any()))
    if frame.any() and not (ink > MAX_PALE_INK).any():
        pale, contrast = ink_inside(prepared, frame)
        _erase_pieces(pale, True)
        ink = pale if is_digit(pale, contrast) else ink
    if np.array_equal(ink, prepared.ink):
        return prepared
    if not (ink > INK).any():
        return replace(prepared, image=np.zeros_like(prepared.image), ink=ink, box=(0, 0, 0, 0), problem="blank")
    pixel = shape[0] / ink.shape[0], shape[1] / ink.shape[1]
    inner, box = bounding_box(ink, pixel, shape)
    if max(box[2:]) < MIN_SIZE:
        return replace(prepared, image=np.zeros_like(prepared.image), ink=ink, box=box, problem="small")
    return replace(prepared, image=center_in_frame(ink[inner]), ink=ink, box=box)


def _may_be_cluttered(ink: Mask) -> bool:
    """Return whether ink is near an edge, or an empty column divides it. Most digits are told apart here, quickly."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    margin = min(rows[0], columns[0], ink.shape[0] - 1 - rows[-1], ink.shape[1] - 1 - columns[-1])
    return bool(margin < MIN_MARGIN * max(ink.shape)) or len(columns) <= columns[-1] - columns[0]


def _erase_lines(ink: Grayscale, frame: Mask) -> bool:
    """Erase lines along the edges, and all ink between them and the edges, in place; return whether there are any.

    What is erased is marked in `frame`.
    """
    mask = ink > INK
    turned = [np.rot90(mask, turns) for turns in range(4)]  # the edge is the upper one
    lines = [_find_line(each, THIN) or _find_line(each, THICK) for each in turned]
    rest = mask.copy()
    for turns, line in enumerate(lines):
        if line:
            np.rot90(rest, turns)[line.region] = False
    found = False
    for turns, line in enumerate(lines):
        if line and not _is_stroke(line, np.rot90(rest, turns)):
            np.rot90(ink, turns)[line.region] = 0
            np.rot90(frame, turns)[line.region] = True
            found = True
    return found


class _Kind(NamedTuple):
    """A kind of lines: at most so thick, at least so long and so far from the edge, on pictures of at least a side.

    All but the side, which is in pixels, are in sides of the picture.
    """

    max_thickness: float
    min_length: float
    min_inset: float
    min_side: int


THIN = _Kind(MAX_THICKNESS, MIN_LENGTH, 0.0, 0)
# With paper on both sides: along the very edge, it may be a stroke that is cropped tightly. On pictures of few pixels,
# the bar of a 7 is as straight.
THICK = _Kind(0.125, 0.8, 0.03, 50)


@dataclass(frozen=True)
class _Line:
    """A line along the upper edge of a mask (height, width).

    Parameters
    ----------
    region : (height, width) bool
        The line, and all between it and the edge.
    first, last : int
        Columns of its ends.
    """

    region: Mask
    first: int
    last: int


def _find_line(mask: Mask, kind: _Kind) -> _Line | None:
    """Find a straight line of a kind along the upper edge, whatever is connected to it."""
    height, width = mask.shape
    side, columns = max(height, width), np.arange(width)
    if side < kind.min_side:
        return None
    band = mask[: max(int(BAND * height), 2)]
    has_ink = band.any(axis=0)
    if np.count_nonzero(has_ink) < kind.min_length * width:  # as along most edges
        return None
    start = band.argmax(axis=0)  # row of the first ink of each column
    thickness = np.minimum.accumulate(mask | (np.arange(height)[:, None] < start), axis=0).sum(axis=0) - start
    thin = np.flatnonzero(has_ink & (thickness <= max(kind.max_thickness * side, 1)))
    if len(thin) < kind.min_length * width:
        return None
    middle = start + thickness / 2
    few = thin[:: max(len(thin) // 8, 1)]
    found = thin[:0]
    for one in few:  # of the lines through two columns, the one that most columns agree with
        for other in few[few >= one + width / 4]:
            level = middle[one] + (middle[other] - middle[one]) / (other - one) * (thin - one)
            near = thin[np.abs(middle[thin] - level) <= 1 + MAX_BEND * side]
            found = near if len(near) > len(found) else found
    if len(found) < kind.min_length * width or min(found[0], width - 1 - found[-1]) > MAX_INSET * width:
        return None
    if kind.min_inset and np.median(start[found]) <= max(kind.min_inset * side, 1):
        return None
    slope, offset = np.polyfit(found, middle[found], 1)
    bottom = slope * columns + offset + np.median(thickness[found]) / 2 + 1
    residue = start + thickness - bottom  # of a line that is thicker in some places
    bottom += np.where((residue <= MAX_RESIDUE * side) & (start < bottom), np.maximum(residue, 0), 0)
    return _Line(np.arange(height)[:, None] < bottom, int(found[0]), int(found[-1]))


def _is_stroke(line: _Line, rest: Mask) -> bool:
    """Return whether a line may be a stroke of the ink below it: it does not go on beyond that ink on both sides."""
    from scipy import ndimage

    labels, _ = ndimage.label(rest, np.ones((3, 3)))
    beside = dilate(line.region, 2)
    extents = [max(part.stop - part.start for part in box) for box in ndimage.find_objects(labels)]
    least = MAX_THICKNESS * max(rest.shape)  # smaller pieces are of the line itself
    touching = [label for label in np.unique(labels[beside & rest]).tolist() if extents[label - 1] > least]
    held = np.flatnonzero(np.isin(labels, touching).any(axis=0))
    overhang = MIN_OVERHANG * max(rest.shape)
    return bool(held.size) and min(held[0] - line.first, line.last - held[-1]) < overhang


def _erase_pieces(ink: Grayscale, has_frame: bool) -> None:
    """Erase what is not connected to the digit: pieces of frames, dots behind it, and specks, in place."""
    from scipy import ndimage

    height, width = ink.shape
    labels, count = ndimage.label(ink > 0, np.ones((3, 3)))
    boxes = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(labels)]
    mass = np.bincount(labels.ravel(), ink.ravel(), minlength=count + 1)[1:]
    touches = [min(box[:2]) <= 1 or box[2] >= width - 1 or box[3] >= height - 1 for box in boxes]
    if count == 1 and not touches[0]:  # as on most pictures
        return
    rows, columns = int(BAND * height), int(BAND * width)
    inside = np.unique(labels[rows : height - rows, columns : width - columns])
    along_edge = [
        i + 1 not in inside
        and touches[i]
        and mass[i] <= MAX_THICKNESS * max(ink.shape) * (box[2] - box[0] + box[3] - box[1])
        for i, box in enumerate(boxes)
    ]
    digits = [
        i for i, box in enumerate(boxes)
        if not (along_edge[i] and (_is_long(box, ink.shape) or (has_frame and _is_tiny(box, ink.shape))))
    ]  # fmt: skip
    if not digits:
        ink[:] = 0
        return
    main = max(digits, key=lambda i: mass[i])
    for i, box in enumerate(boxes):
        is_piece = along_edge[i] and _is_apart(box, boxes[main], ink.shape)
        if i != main and (is_piece or _is_dot(box, boxes[main])):
            ink[labels == i + 1] = 0


Box = tuple[int, int, int, int]  # left, top, right, bottom


def _is_long(box: Box, shape: tuple[int, ...]) -> bool:
    """Return whether ink is as long as the frame of a picture."""
    return any(box[axis + 2] - box[axis] >= MIN_LENGTH * shape[1 - axis] for axis in (0, 1))


def _is_tiny(box: Box, shape: tuple[int, ...]) -> bool:
    """Return whether ink is too small for a digit in a frame."""
    return max(box[2] - box[0], box[3] - box[1]) < MIN_FRAMED_DIGIT * max(shape)


def _is_apart(box: Box, digit: Box, shape: tuple[int, ...]) -> bool:
    """Return whether ink along an edge is not a part of the digit: a digit that is cropped tightly may be broken."""
    is_tight = any(digit[axis + 2] - digit[axis] > MAX_DIGIT * shape[1 - axis] for axis in (0, 1))
    for axis in (0, 1):
        start, stop = box[axis], box[axis + 2]
        overlap = min(stop, digit[axis + 2]) - max(start, digit[axis])
        goes_beyond = start < digit[axis] and stop > digit[axis + 2] and _is_long(box, shape)
        if goes_beyond or (not is_tight and overlap < 0.5 * (stop - start)):
            return True
    return False


def _is_dot(box: Box, digit: Box) -> bool:
    """Return whether ink is a dot or a comma on the right of the digit's foot, or a speck apart from it."""
    left, top, right, bottom = box
    height = digit[3] - digit[1]
    size = max(right - left, bottom - top)
    across, down = max(left - digit[2], digit[0] - right), max(top - digit[3], digit[1] - bottom)
    gap = max(across, down)
    behind = left - digit[2] >= max(MIN_DOT_GAP * height, 1) and (top + bottom) / 2 > digit[1] + 0.55 * height
    return (behind and size <= MAX_DOT_SIZE * height) or (gap >= 0.1 * height and size <= MAX_SPECK_SIZE * height)
