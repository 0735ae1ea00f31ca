"""Over-segmentation: the ink of a page, divided into components that are digits or parts of digits.

Connected components that are wide enough for several digits are cut along minimum-cost vertical seams. Components close
above each other are put together, as the parts of a broken digit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count as count_from

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.imaging.foreground import MIN_CONTRAST
from inksight.imaging.preprocessing import MIN_SIZE
from inksight.reading.bars import find_bars
from inksight.reading.binarization import BinarizedPage
from inksight.reading.form_lines import find_form_lines
from inksight.reading.frames import cut_off_frames
from inksight.reading.joined_lines import cut_between_lines
from inksight.reading.shadow_edges import find_shadow_edges
from inksight.reading.thin_strokes import find_thin_strokes
from inksight.reading.underlines import cut_off_underlines

MAX_PAGE_COMPONENTS = 3000  # on a page: the ones with the most ink are kept
MAX_BORDER_SHARE = 0.4  # of a component's extent that lies on the page's border: with more, it is part of the table
MIN_STACK_OVERLAP = 0.6  # of the narrower one's width that the parts of a broken digit share

# In heights of the page's digits:
MIN_COMPONENT_SIZE = 0.12  # smaller components are no parts of digits
MIN_DOT_SIZE = 0.06  # smaller components are dirt
MAX_DASH_WIDTH = 1.0  # what looks like an underline and is shorter may be a dash
MAX_SIGN_SIZE = 0.45  # of a dot or a comma
MAX_SIGN_LEVEL = 0.25  # of its middle, above the lower edge of a digit
MIN_SIGNED_HEIGHT = 0.8  # lower ink may lack a part, which is no sign
MAX_DASH_GAP = 1.5  # between a dash and a digit
WHOLE_DIGIT_HEIGHT = 0.5  # components at least this high may be digits; lower ones are parts of digits
MIN_CUT_OFF_HEIGHT = 0.2  # what touches the picture's edge and is at least this high may be a part of a digit
MAX_HEIGHT = 3.0  # higher components are not writing
MAX_PART_GAP = 0.25  # between the parts of a digit
MAX_STACK_HEIGHT = 1.5  # of a digit put together from parts
MAX_UNCUT_WIDTH = 0.55  # wider components may be several digits
MIN_CUT_WIDTH = 0.1  # of what is left on either side of a seam
MIN_SEAM_DISTANCE = 0.2  # between seams
MAX_SEAM_INK = 0.35  # of ink that a seam crosses

MAX_DOTS = 2  # times the number of digits: if there are more small components on a page, all are dirt
DASH_LEVEL = 0.2  # of a digit's height: a dash beside it is at least so far from its top and its bottom

# Costs of a seam; a pixel of ink costs 1:
ROW_COST = 0.02  # of each row
SHIFT_COST = 0.01  # of each step to a neighbouring column


@dataclass(frozen=True)
class Component:
    """Ink that is a digit or a part of one, and is not divided further.

    Parameters
    ----------
    labels : tuple of int
        Labels of its pixels in the page's label map.
    box : (left, top, right, bottom)
        In pixels of the page.
    region : int
        Label of the ink that it was cut from; the components cut from the same ink share it.
    whole : bool
        Whether it is high enough to be a digit by itself.
    small : bool
        Whether it is too small to be a part of a digit, so that it is a dot or dirt.
    crossing : float
        Ink on the seam between it and the component on its left, in stroke widths; 0 if it was not cut there.
    """

    labels: tuple[int, ...]
    box: tuple[int, int, int, int]
    region: int
    whole: bool
    crossing: float = 0.0
    small: bool = False


def find_components(
    page: BinarizedPage,
) -> tuple[NDArray[np.int32], list[list[Component]], float, list[Component]]:
    """Divide the ink of a page into components, without dirt, form lines and the table.

    Returns
    -------
    (height, width) int32
        Label map: the label of each pixel's component; 0 is paper.
    list of lists of Component
        The components of each connected region of ink, from left to right.
    float
        Height of the page's digits, in pixels.
    list of Component
        What may be a digit by its size, but touches the edge of the page too much.
    """
    regions, count = ndimage.label(page.ink_mask, np.ones((3, 3)))
    boxes = _bounding_boxes(regions)
    height = _median_height(boxes[:, 3] - boxes[:, 1], np.bincount(regions.ravel())[1:].astype(np.float64))
    thin = find_thin_strokes(page.pale_mask, regions, boxes, height)
    if thin.any():
        regions, count = ndimage.label(page.ink_mask | thin, np.ones((3, 3)))
        boxes = _bounding_boxes(regions)
    if cut_off_frames(regions, boxes):
        boxes = _bounding_boxes(regions)
    if cut_off_underlines(regions, boxes):
        boxes = _bounding_boxes(regions)
    count = len(boxes)
    if cuts := cut_between_lines(regions, boxes):
        count += cuts
        boxes = _bounding_boxes(regions)
    size = boxes[:, 2:] - boxes[:, :2]
    mass = np.bincount(regions.ravel(), minlength=count + 1)[1:].astype(np.float64)
    is_writing = _pixels_on_border(regions, count, page.page_mask) < MAX_BORDER_SHARE * size.max(axis=1)
    is_line = find_form_lines(regions, boxes, mass)
    is_line |= find_bars(page.contrast > max(page.noise, MIN_CONTRAST / 2), regions, boxes)
    paper = page.page_mask & (~page.ink_mask | (regions > 0))  # an underline that was cut off is dark
    is_shadow = find_shadow_edges(page.darkness, regions, boxes, paper)
    is_writing &= ~is_shadow
    height = _median_height(size[is_writing & ~is_line, 1], mass[is_writing & ~is_line])
    extent = size.max(axis=1)
    is_writing &= (extent >= max(MIN_DOT_SIZE * height, 2)) & (size[:, 1] <= MAX_HEIGHT * height)
    is_line[is_line & is_writing] = ~_may_be_dashes(boxes[is_line & is_writing], boxes[is_writing & ~is_line], height)
    is_writing &= ~is_line
    is_small = is_writing & (extent < MIN_COMPONENT_SIZE * height)
    if is_small.sum() > MAX_DOTS * (is_writing & (size[:, 1] >= WHOLE_DIGIT_HEIGHT * height)).sum():
        is_writing &= ~is_small
    kept = np.flatnonzero(is_writing)
    if height < MIN_SIZE or not kept.size:
        return regions, [], height, []
    kept = kept[np.argsort(-mass[kept], kind="stable")[:MAX_PAGE_COMPONENTS]]
    is_writing[:] = False
    is_writing[kept] = True
    least = np.where(touch_edge(boxes, regions.shape), MIN_CUT_OFF_HEIGHT, WHOLE_DIGIT_HEIGHT) * height
    like_digit = ~is_writing & ~is_line & ~is_shadow & (size[:, 1] >= least)
    like_digit &= (size[:, 1] <= MAX_STACK_HEIGHT * height) & (size[:, 0] <= MAX_STACK_HEIGHT * height)
    dropped = [Component((i + 1,), tuple(boxes[i].tolist()), i + 1, True) for i in np.flatnonzero(like_digit).tolist()]
    groups = [
        [Component((i + 1,), tuple(boxes[i].tolist()), i + 1, False, small=True)] for i in kept[is_small[kept]].tolist()
    ]
    kept, new_labels = kept[~is_small[kept]], count_from(int(regions.max()) + 1)
    for stack in stack_boxes(boxes[kept], height):
        members = kept[stack]
        box = (*boxes[members, :2].min(axis=0).tolist(), *boxes[members, 2:].max(axis=0).tolist())
        labels = tuple(int(i) + 1 for i in members)
        whole = box[3] - box[1] >= WHOLE_DIGIT_HEIGHT * height
        if whole and box[2] - box[0] > MAX_UNCUT_WIDTH * height:
            groups.append(_cut(regions, labels, box, height, new_labels))
        else:
            groups.append([Component(labels, box, labels[0], whole)])
    return regions, groups, height, dropped


def touch_edge(boxes: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which boxes (n, 4) touch the edge of a picture, whose height and width are given, (n,) bool."""
    inside = (boxes[:, :2] > 0).all(axis=1) & (boxes[:, 2:] < shape[::-1]).all(axis=1)
    return np.logical_not(inside)


def bounding_box(components: list[Component]) -> tuple[int, int, int, int]:
    """Return the bounding box of some components: left, top, right, bottom."""
    left, top, right, bottom = zip(*(component.box for component in components), strict=True)
    return min(left), min(top), max(right), max(bottom)


def ink_of(labels: Sequence[int], regions: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which pixels of a label map have one of a few labels; for these, `numpy.isin` is several times slower."""
    ink: NDArray[np.bool_] = regions == labels[0]
    for label in labels[1:]:
        ink |= regions == label
    return ink


def _bounding_boxes(regions: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return left, top, right and bottom of each region of a label map, (n, 4)."""
    found = [(across.start, down.start, across.stop, down.stop) for down, across in ndimage.find_objects(regions)]
    return np.array(found, np.int64).reshape(-1, 4)


def _pixels_on_border(regions: NDArray[np.int32], count: int, page_mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of pixels that each region has on the border of the page or of the picture, (count,)."""
    padded = np.pad(page_mask, 1)
    rows = padded[:-2] & padded[1:-1] & padded[2:]  # shifts take a tenth of the time of SciPy's erosion
    border = page_mask & ~(rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:])
    return np.bincount(regions[border], minlength=count + 1)[1:]


def _median_height(heights: NDArray[np.int64], mass: NDArray[np.float64]) -> float:
    """Return the median of heights, weighted by mass."""
    if not len(heights):
        return 0.0
    order = np.argsort(heights, kind="stable")
    cumulative = np.cumsum(mass[order])
    return float(heights[order][np.searchsorted(cumulative, cumulative[-1] / 2)])


def _may_be_dashes(lines: NDArray[np.int64], others: NDArray[np.int64], height: float) -> NDArray[np.bool_]:
    """Return which form lines may be dashes, (n,) bool: short ones beside a digit, at half its height."""
    digits = others[others[:, 3] - others[:, 1] >= WHOLE_DIGIT_HEIGHT * height]
    left, top, right, bottom = (lines[:, [side]] for side in range(4))
    gap = np.maximum(digits[:, 0] - right, left - digits[:, 2]) / height
    level = (digits[:, 3] - (top + bottom) / 2) / (digits[:, 3] - digits[:, 1])
    beside = (gap <= MAX_DASH_GAP) & (np.abs(level - 0.5) <= 0.5 - DASH_LEVEL)
    is_short = ((right - left <= MAX_DASH_WIDTH * height) & (right - left > bottom - top))[:, 0]
    result: NDArray[np.bool_] = is_short & (beside & (gap >= 0)).any(axis=1) & ~(beside & (gap < 0)).any(axis=1)
    return result


def stack_boxes(boxes: NDArray[np.int64], height: float) -> list[list[int]]:
    """Group the boxes of broken digits: close above each other, or one within the other."""
    stacks: list[list[int]] = []
    stack_boxes = np.empty_like(boxes)
    for i in np.argsort(boxes[:, 1] - boxes[:, 3], kind="stable").tolist():  # the highest first
        box, others = boxes[i], stack_boxes[: len(stacks)]
        low, high = np.minimum(others, box), np.maximum(others, box)
        overlap = (low[:, 2] - high[:, 0]) / np.minimum(box[2] - box[0], others[:, 2] - others[:, 0])
        near = (high[:, 1] - low[:, 3] <= MAX_PART_GAP * height) & (high[:, 3] - low[:, 1] <= MAX_STACK_HEIGHT * height)
        near &= ~_may_be_sign_below(box, others, height)
        overlap = np.where(near, overlap, 0)
        best = int(overlap.argmax()) if stacks else 0
        if stacks and overlap[best] >= MIN_STACK_OVERLAP:
            stacks[best].append(i)
            stack_boxes[best] = [*low[best, :2], *high[best, 2:]]
        else:
            stack_boxes[len(stacks)] = box
            stacks.append([i])
    return stacks


def _may_be_sign_below(box: NDArray[np.int64], others: NDArray[np.int64], height: float) -> NDArray[np.bool_]:
    """Return beside which boxes of whole digits a box is at the place of a dot or a comma, (n,) bool."""
    low = max(box[2] - box[0], box[3] - box[1]) <= MAX_SIGN_SIZE * height
    is_digit = others[:, 3] - others[:, 1] >= MIN_SIGNED_HEIGHT * height
    result: NDArray[np.bool_] = low & is_digit & ((box[1] + box[3]) / 2 >= others[:, 3] - MAX_SIGN_LEVEL * height)
    return result


def _cut(
    regions: NDArray[np.int32],
    labels: tuple[int, ...],
    box: tuple[int, ...],
    height: float,
    new_labels: Iterator[int],
) -> list[Component]:
    """Cut connected ink along its seams and give the parts new labels in the label map `regions`."""
    left, top, right, bottom = box
    window = regions[top:bottom, left:right]
    ink = ink_of(labels, window)
    seams = _find_seams(ink, height)
    if not seams:
        return [Component(labels, (left, top, right, bottom), labels[0], True)]
    stroke = _stroke_width(ink)
    rows = np.arange(bottom - top)
    part_of = np.zeros(window.shape, np.int32)  # number of seams on the left of each pixel
    for seam in seams:
        part_of += np.arange(right - left) >= seam[:, None]
    components = []
    for number in range(len(seams) + 1):
        own = ink & (part_of == number)
        if not own.any():
            continue
        label = next(new_labels)
        window[own] = label
        y, x = rows[own.any(axis=1)], np.flatnonzero(own.any(axis=0))
        part_box = (left + int(x[0]), top + int(y[0]), left + int(x[-1]) + 1, top + int(y[-1]) + 1)
        part_width, part_height = part_box[2] - part_box[0], part_box[3] - part_box[1]
        if max(part_width, part_height) < MIN_COMPONENT_SIZE * height:
            continue
        crossing = ink[rows, np.minimum(seams[number - 1], right - left - 1)].sum() / stroke if number else 0.0
        whole = part_height >= WHOLE_DIGIT_HEIGHT * height
        components.append(Component((label,), part_box, labels[0], whole, crossing))
    return components


def _stroke_width(ink: NDArray[np.bool_]) -> float:
    """Return the mean width of strokes, in pixels: twice their area, divided by the length of their outline."""
    padded = np.pad(ink, 1).astype(np.int8)
    # An outline that follows pixel edges is longer than a smooth one, by 4 / pi on average over all directions.
    outline = np.pi / 4 * sum(int(np.abs(np.diff(padded, axis=axis)).sum()) for axis in (0, 1))
    return 2 * float(ink.sum()) / max(outline, 1.0)


def _find_seams(ink: NDArray[np.bool_], height: float) -> list[NDArray[np.int64]]:
    """Return vertical seams through little ink, from left to right: for each, its column in each row, (rows,).

    A seam runs from the top row to the bottom row and moves by at most one column per row. Dynamic programming finds
    the seam of minimum cost to each column of the bottom row. The cheapest seams with enough distance are chosen.
    """
    rows, columns = ink.shape
    pixel_cost = ink + ROW_COST
    cost = pixel_cost[0]  # of the best seam to each column of the row
    previous = np.zeros((rows, columns), np.int64)  # column of that seam in the row above
    all_columns = np.arange(columns)
    from_left, from_right = np.full((2, columns), np.inf)
    for row in range(1, rows):
        from_left[1:], from_right[:-1] = cost[:-1] + SHIFT_COST, cost[1:] + SHIFT_COST
        best = np.minimum(from_left, from_right)
        previous[row] = all_columns + np.where(cost <= best, 0, np.where(from_left < from_right, -1, 1))
        cost = np.minimum(cost, best) + pixel_cost[row]
    seams = np.empty((rows, columns), np.int64)  # one for each column of the bottom row
    seams[-1] = all_columns
    for row in range(rows - 1, 0, -1):
        seams[row - 1] = previous[row, seams[row]]
    middle, margin = seams.mean(axis=0), MIN_CUT_WIDTH * height
    max_cost = MAX_SEAM_INK * height + ROW_COST * rows + SHIFT_COST * columns
    chosen: list[int] = []
    for end in np.argsort(cost, kind="stable").tolist():
        if cost[end] > max_cost:
            break
        column, distance = middle[end], MIN_SEAM_DISTANCE * height
        if margin <= column <= columns - margin and all(abs(column - middle[other]) >= distance for other in chosen):
            chosen.append(end)
    return [seams[:, end] for end in sorted(chosen, key=lambda end: float(middle[end]))]
