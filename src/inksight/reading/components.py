"""A page's ink in pieces, each a digit or a part of one: what hangs together, cut wherever it might have to be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.imaging.preprocessing import MIN_SIZE
from inksight.reading.binarization import BinarizedPage
from inksight.reading.form_lines import find_form_lines

MOST = 3000  # pieces of ink on a page: the largest are looked at

# Of the height of the page's digits:
DIRT = 0.12  # smaller pieces are dirt
WHOLE_DIGIT_HEIGHT = 0.5  # higher pieces may be digits by themselves; others are parts of one
MAX_PART_GAP = 0.25  # parts of a digit are not farther from one another
STACKED = 0.6  # of the narrower one's width that two pieces over one another have in common, to be parts of one digit
MAX_STACK_HEIGHT = 1.5  # what is put together is not higher
MAX_HEIGHT = 3.0  # higher pieces are no writing
WIDE = 0.55  # wider pieces may be several digits
NARROW = 0.1  # nothing narrower is cut off
STEP = 0.2  # cuts are not closer to one another
CROSSING = 0.35  # ink, that a cut goes through at most
BORDER = 0.4  # of its own extent, along the picture's border: what has more is a table, or the like, beside the paper


@dataclass(frozen=True)
class Component:
    """Ink that is never parted.

    Parameters
    ----------
    labels : tuple of int
        Of its pixels' regions in the page's map.
    box : (left, top, right, bottom)
        In pixels of the page.
    region : int
        What it was cut from; pieces of one region hang together.
    whole : bool
        Whether it may be a digit by itself.
    crossing : float
        Ink on the cut that parts it from the piece on its left, in widths of a stroke; 0 if nothing was cut.
    """

    labels: tuple[int, ...]
    box: tuple[int, int, int, int]
    region: int
    whole: bool
    crossing: float = 0.0


def find_components(paper: BinarizedPage) -> tuple[NDArray[np.int32], list[list[Component]], float]:
    """Return the map of regions, the pieces of ink by what hung together, and the height of the page's digits.

    Dirt is left out.
    """
    regions, count = ndimage.label(paper.mask, np.ones((3, 3)))
    boxes = np.array(
        [(across.start, down.start, across.stop, down.stop) for down, across in ndimage.find_objects(regions)]
    ).reshape(-1, 4)
    size = boxes[:, 2:] - boxes[:, :2]
    mass = np.bincount(regions.ravel(), minlength=count + 1)[1:].astype(np.float64)
    writing = _along_the_border(regions, count, paper.page_mask) < BORDER * size.max(axis=1)
    writing &= ~find_form_lines(regions, boxes, mass)
    height = _usual_height(size[writing, 1], mass[writing])
    kept = np.flatnonzero(writing & (size.max(axis=1) >= max(DIRT * height, 2)) & (size[:, 1] <= MAX_HEIGHT * height))
    if height < MIN_SIZE or not kept.size:
        return regions, [], height
    kept = kept[np.argsort(-mass[kept], kind="stable")[:MOST]]
    groups = _stacked(boxes[kept], height)
    pieces = []
    for group in groups:
        members = kept[group]
        box = (*boxes[members, :2].min(axis=0).tolist(), *boxes[members, 2:].max(axis=0).tolist())
        names = tuple(int(i) + 1 for i in members)
        whole = box[3] - box[1] >= WHOLE_DIGIT_HEIGHT * height
        if whole and box[2] - box[0] > WIDE * height:
            pieces.append(_cut(regions, names, box, height))
        else:
            pieces.append([Component(names, box, names[0], whole)])
    return regions, pieces, height


def _along_the_border(regions: NDArray[np.int32], count: int, sheet: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many pixels each region has along the border of the sheet, or of the picture."""
    border = sheet & ~ndimage.binary_erosion(sheet, np.ones((3, 3)))
    return np.bincount(regions[border], minlength=count + 1)[1:]


def _usual_height(heights: NDArray[np.int64], mass: NDArray[np.float64]) -> float:
    """Return the median height, each piece counted by its ink."""
    if not len(heights):
        return 0.0
    order = np.argsort(heights, kind="stable")
    share = np.cumsum(mass[order])
    return float(heights[order][np.searchsorted(share, share[-1] / 2)])


def _stacked(boxes: NDArray[np.int64], height: float) -> list[list[int]]:
    """Put together what lies closely over or under one another, or one in another: a digit broken across."""
    groups: list[list[int]] = []
    outer = np.empty_like(boxes)  # of each group
    for i in np.argsort(boxes[:, 1] - boxes[:, 3], kind="stable").tolist():  # the highest first
        one, others = boxes[i], outer[: len(groups)]
        low, high = np.minimum(others, one), np.maximum(others, one)
        common = (low[:, 2] - high[:, 0]) / np.minimum(one[2] - one[0], others[:, 2] - others[:, 0])
        near = (high[:, 1] - low[:, 3] <= MAX_PART_GAP * height) & (high[:, 3] - low[:, 1] <= MAX_STACK_HEIGHT * height)
        common = np.where(near, common, 0)
        home = int(common.argmax()) if groups else 0
        if groups and common[home] >= STACKED:
            groups[home].append(i)
            outer[home] = [*low[home, :2], *high[home, 2:]]
        else:
            outer[len(groups)] = one
            groups.append([i])
    return groups


def _cut(regions: NDArray[np.int32], names: tuple[int, ...], box: tuple[int, ...], height: float) -> list[Component]:
    """Cut a piece of ink from top to bottom wherever little ink is in the way, and give the parts names in the map."""
    left, top, right, bottom = box
    part = regions[top:bottom, left:right]
    ink = np.isin(part, names)
    seams, stroke = _seams(ink, height), _stroke(ink)
    whole = [Component(names, (left, top, right, bottom), names[0], True)]
    if not seams:
        return whole
    rows = np.arange(bottom - top)
    side = np.zeros(part.shape, np.int32)
    for seam in seams:
        side += np.arange(right - left) >= seam[:, None]
    pieces, name = [], int(regions.max())
    for number in range(len(seams) + 1):
        own = ink & (side == number)
        if not own.any():
            continue
        name += 1
        part[own] = name
        y, x = rows[own.any(axis=1)], np.flatnonzero(own.any(axis=0))
        place = (left + int(x[0]), top + int(y[0]), left + int(x[-1]) + 1, top + int(y[-1]) + 1)
        if max(place[2] - place[0], place[3] - place[1]) < DIRT * height:
            continue
        crossing = ink[rows, np.minimum(seams[number - 1], right - left - 1)].sum() / stroke if number else 0.0
        pieces.append(Component((name,), place, names[0], place[3] - place[1] >= WHOLE_DIGIT_HEIGHT * height, crossing))
    return pieces


def _stroke(ink: NDArray[np.bool_]) -> float:
    """Return the width of the strokes of ink, in pixels: twice its area by the length of its outline."""
    padded = np.pad(ink, 1).astype(np.int8)
    # Steps along pixels are longer than the outline they follow, by 4 / pi for one that runs in all directions.
    outline = np.pi / 4 * sum(int(np.abs(np.diff(padded, axis=axis)).sum()) for axis in (0, 1))
    return 2 * float(ink.sum()) / max(outline, 1.0)


def _seams(ink: NDArray[np.bool_], height: float) -> list[NDArray[np.int64]]:
    """Return ways from top to bottom through little ink, (rows,) the column in each, left to right.

    Of all ways that move by a column a row at most the one that costs least, to each column of the last row.
    """
    rows, columns = ink.shape
    cost = ink + 0.02
    best = cost[0]
    back = np.zeros((rows, columns), np.int64)
    places = np.arange(columns)
    for row in range(1, rows):
        beside = np.stack([np.r_[np.inf, best[:-1]] + 0.01, best, np.r_[best[1:], np.inf] + 0.01])
        choice = np.where(beside[1] <= np.minimum(beside[0], beside[2]), 1, np.where(beside[0] < beside[2], 0, 2))
        back[row] = places + choice - 1
        best = beside[choice, places] + cost[row]
    ways = np.empty((rows, columns), np.int64)  # one a column of the last row
    ways[-1] = places
    for row in range(rows - 1, 0, -1):
        ways[row - 1] = back[row, ways[row]]
    middle, least = ways.mean(axis=0), NARROW * height
    chosen: list[int] = []
    for end in np.argsort(best, kind="stable").tolist():
        if best[end] > CROSSING * height + 0.02 * rows + 0.01 * columns:
            break
        at = middle[end]
        if least <= at <= columns - least and all(abs(at - middle[other]) >= STEP * height for other in chosen):
            chosen.append(end)
    return [ways[:, end] for end in sorted(chosen, key=lambda end: float(middle[end]))]


def bounding_box(pieces: list[Component]) -> tuple[int, int, int, int]:
    """Return the box around some pieces: left, top, right, bottom."""
    boxes = np.array([piece.box for piece in pieces])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    return int(left), int(top), int(right), int(bottom)
