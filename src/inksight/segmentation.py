"""`segment`: a page -> its digits, line by line, each as `inksight.preparation` has a single one.

Ink that hangs together is a digit, or a part of one, or several. So it is first cut wherever it might have to be, and
of all ways to put neighbouring pieces together again the network's probabilities choose the best (LeCun, Bottou, Bengio
and Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE, 1998, section V).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.forms import form_lines
from inksight.lines import in_lines
from inksight.paper import Paper, look
from inksight.preparation import LEAST, Grey, Prepared, between, fit, in_blocks, strongest

Probabilities = Callable[[NDArray[np.uint8]], NDArray[np.floating]]

PAGE = 2000  # pixels: larger pages are made smaller, by whole numbers of pixels
MOST = 3000  # pieces of ink on a page: the largest are looked at

# Of the height of the page's digits:
DIRT = 0.12  # smaller pieces are dirt
WHOLE = 0.5  # higher pieces may be digits by themselves; others are parts of one
NEAR = 0.25  # parts of a digit are not farther from one another
PART = 1.0  # what is farther from all that may be a digit is dirt
LOWEST = 0.4  # a digit is not lower
STACKED = 0.6  # of the narrower one's width that two pieces over one another have in common, to be parts of one digit
HIGHEST = 1.5  # what is put together is not higher
HUGE = 3.0  # higher pieces are no writing
WIDE = 0.55  # wider pieces may be several digits
WIDEST = 1.6  # a digit is not wider
NARROW = 0.1  # nothing narrower is cut off
STEP = 0.2  # cuts are not closer to one another
CROSSING = 0.35  # ink, that a cut goes through at most
BORDER = 0.4  # of its own extent, along the picture's border: what has more is a table, or the like, beside the paper

# Log-odds that a stretch is one digit, and no more and no less; weights that read the most lines of composed photos of
# training digits, found by random search:
SURE = 25.0  # a unit of the logarithm of the network's probability
ASPECT = -12.0  # a unit of the logarithm of its width to the height of the page's digits, or its own if that is more
BIAS = 1.5

# In units of log-probability:
CUT = 0.4  # what the network's judgement must gain from cutting ink that hangs together,
THROUGH = 6.0  # and for every height of a digit that the cut goes through ink
JOIN = 7.0  # what it must gain from joining two pieces each high enough to be a digit
LEFT_OUT = 4.0  # what it must gain from leaving out a part as high as a digit; less for lower ones
TOGETHER = 5  # neighbouring pieces that are tried as one digit, at most


@dataclass(frozen=True)
class Piece:
    """Ink that is never parted.

    Parameters
    ----------
    names : tuple of int
        Of its pixels' regions in the page's map.
    box : (left, top, right, bottom)
        In pixels of the page.
    region : int
        What it was cut from; pieces of one region hang together.
    whole : bool
        Whether it may be a digit by itself.
    crossing : float
        Pixels of ink on the cut that parts it from the piece on its left; 0 if nothing was cut.
    """

    names: tuple[int, ...]
    box: tuple[int, int, int, int]
    region: int
    whole: bool
    crossing: float = 0.0


def segment(grey: Grey, probabilities: Probabilities, *, invert: bool | None = None) -> list[list[Prepared]]:
    """Find the digits on a page.

    Parameters
    ----------
    grey : (height, width) float64, 0..1
        Brightness of the page, upright.
    probabilities : function
        Of images (n, 28, 28) uint8 to the probability of each class, (n, classes).
    invert : bool, optional
        True: the ink is lighter than the paper; False: darker. Found out if not given.

    Returns
    -------
    list of lists of Prepared
        The digits line by line, top to bottom, in each line left to right; boxes in pixels of the page handed in.

    Examples
    --------
    >>> import inksight
    >>> page = np.ones((100, 300))
    >>> page[20:80, 50:58] = page[30:90, 200:210] = 0
    >>> lines = segment(page, inksight.load_model("best").probabilities)
    >>> [[digit.box for digit in line] for line in lines]
    [[(50, 20, 8, 60), (200, 30, 10, 60)]]
    """
    block = -(-max(grey.shape) // PAGE)
    small = in_blocks(grey, block)
    paper = look(small, invert)
    regions, pieces, height = _pieces(paper)
    chains = [_Chain(line, height) for line in _lines(pieces, height)]
    cuts = [_cut_out(paper, regions, part) for chain in chains for part in chain.candidates()]
    if not cuts:
        return []
    judged = probabilities(np.stack([fit(ink) for ink, _ in cuts]))
    found, start = [], 0
    for chain in chains:
        best = chain.best(judged[start : start + len(chain.spans)])
        found.append([_prepared(*cuts[start + i], small, block, grey.shape, paper.dark) for i in best])
        start += len(chain.spans)
    return [line for line in found if line]


def _pieces(paper: Paper) -> tuple[NDArray[np.int32], list[list[Piece]], float]:
    """Return the map of regions, the pieces of ink by what hung together, and the height of the page's digits.

    Dirt is left out.
    """
    regions, count = ndimage.label(paper.mask, np.ones((3, 3)))
    boxes = np.array(
        [(across.start, down.start, across.stop, down.stop) for down, across in ndimage.find_objects(regions)]
    ).reshape(-1, 4)
    size = boxes[:, 2:] - boxes[:, :2]
    mass = np.bincount(regions.ravel(), minlength=count + 1)[1:].astype(np.float64)
    writing = _along_the_border(regions, count) < BORDER * size.max(axis=1)
    writing &= ~form_lines(regions, boxes, mass)
    height = _usual_height(size[writing, 1], mass[writing])
    kept = np.flatnonzero(writing & (size.max(axis=1) >= max(DIRT * height, 2)) & (size[:, 1] <= HUGE * height))
    if height < LEAST or not kept.size:
        return regions, [], height
    kept = kept[np.argsort(-mass[kept], kind="stable")[:MOST]]
    groups = _stacked(boxes[kept], height)
    pieces = []
    for group in groups:
        members = kept[group]
        box = (*boxes[members, :2].min(axis=0).tolist(), *boxes[members, 2:].max(axis=0).tolist())
        names = tuple(int(i) + 1 for i in members)
        whole = box[3] - box[1] >= WHOLE * height
        if whole and box[2] - box[0] > WIDE * height:
            pieces.append(_cut(regions, names, box, height))
        else:
            pieces.append([Piece(names, box, names[0], whole)])
    return regions, pieces, height


def _along_the_border(regions: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Return how many pixels each region has along the picture's border."""
    border = np.concatenate([regions[0], regions[-1], regions[1:-1, 0], regions[1:-1, -1]])
    return np.bincount(border, minlength=count + 1)[1:]


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
    around = np.empty_like(boxes)  # of each group
    for i in np.argsort(boxes[:, 1] - boxes[:, 3], kind="stable").tolist():  # the highest first
        one, others = boxes[i], around[: len(groups)]
        low, high = np.minimum(others, one), np.maximum(others, one)
        common = (low[:, 2] - high[:, 0]) / np.minimum(one[2] - one[0], others[:, 2] - others[:, 0])
        near = (high[:, 1] - low[:, 3] <= NEAR * height) & (high[:, 3] - low[:, 1] <= HIGHEST * height)
        common = np.where(near, common, 0)
        home = int(common.argmax()) if groups else 0
        if groups and common[home] >= STACKED:
            groups[home].append(i)
            around[home] = [*low[home, :2], *high[home, 2:]]
        else:
            around[len(groups)] = one
            groups.append([i])
    return groups


def _cut(regions: NDArray[np.int32], names: tuple[int, ...], box: tuple[int, ...], height: float) -> list[Piece]:
    """Cut a piece of ink from top to bottom wherever little ink is in the way, and give the parts names in the map."""
    left, top, right, bottom = box
    part = regions[top:bottom, left:right]
    ink = np.isin(part, names)
    seams = _seams(ink, height)
    whole = [Piece(names, (left, top, right, bottom), names[0], True)]
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
        crossing = float(ink[rows, np.minimum(seams[number - 1], right - left - 1)].sum()) if number else 0.0
        pieces.append(Piece((name,), place, names[0], place[3] - place[1] >= WHOLE * height, crossing))
    return pieces


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


def _lines(groups: list[list[Piece]], height: float) -> list[list[Piece]]:
    """Return the pieces in reading order; low ones go into the line of what is near, or are dirt.

    What hangs together is in one line, however it was cut.
    """
    boxes = np.array([_around(group) for group in groups], np.float64).reshape(-1, 4)
    boxes[:, 2:] -= boxes[:, :2]
    whole = boxes[:, 3] >= WHOLE * height
    numbers = np.flatnonzero(whole)
    lines = [[int(numbers[i]) for i in line] for line in in_lines(boxes[numbers])]
    if not lines:
        return []
    home = {i: line for line in lines for i in line}
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    for i in np.flatnonzero(~whole):
        gap = np.maximum(np.abs(centres[numbers] - centres[i]) - (boxes[numbers, 2:] + boxes[i, 2:]) / 2, 0)
        away = np.hypot(*gap.T)
        if away.min() <= PART * height:
            home[int(numbers[away.argmin()])].append(int(i))
    return [
        sorted((piece for i in line for piece in groups[i]), key=lambda one: one.box[0] + one.box[2]) for line in lines
    ]


class _Chain:
    """A line's pieces, and the stretches of them that may be digits."""

    def __init__(self, pieces: list[Piece], height: float) -> None:
        self.pieces, self.height = pieces, height
        self.spans = [
            (first, last)
            for first in range(len(pieces))
            for last in range(first + 1, min(first + TOGETHER, len(pieces)) + 1)
            if self._may_be_one(pieces[first:last])
        ]

    def _may_be_one(self, pieces: list[Piece]) -> bool:
        left, top, right, bottom = _around(pieces)
        wide, tall = right - left, bottom - top
        near = all(b.box[0] - a.box[2] <= NEAR * self.height for a, b in pairwise(pieces))
        fits = LOWEST <= tall / self.height <= (HUGE if len(pieces) == 1 else HIGHEST)
        return near and fits and (wide <= WIDEST * self.height or len(pieces) == 1)

    def candidates(self) -> list[list[Piece]]:
        return [self.pieces[first:last] for first, last in self.spans]

    def best(self, judged: NDArray[np.floating]) -> list[int]:
        """Return the numbers of the stretches that are the most probable together, and leave nothing big out."""
        count = len(self.pieces)
        score = np.full(count + 1, -np.inf)
        score[0] = 0.0
        came: list[tuple[int, int]] = [(0, -1)] * (count + 1)
        ending: dict[int, list[int]] = {}
        for number, (_, last) in enumerate(self.spans):
            ending.setdefault(last, []).append(number)
        alone = self._log_probability_of_one(judged)
        for last in range(1, count + 1):
            score[last] = score[last - 1] - LEFT_OUT * self._extent(last - 1)
            came[last] = (last - 1, -1)
            for number in ending.get(last, ()):
                first = self.spans[number][0]
                value = score[first] + alone[number] - self._price(first, last)
                if value > score[last]:
                    score[last], came[last] = value, (first, number)
        chosen, at = [], count
        while at:
            at, number = came[at]
            if number >= 0:
                chosen.append(number)
        return chosen[::-1]

    def _extent(self, number: int) -> float:
        """Return how much is left out with a piece, in heights of a digit: of ink that hangs together, a digit."""
        piece = self.pieces[number]
        if any(other.region == piece.region for other in self.pieces if other is not piece):
            return 1.0
        return max(piece.box[3] - piece.box[1], piece.box[2] - piece.box[0]) / self.height

    def _log_probability_of_one(self, judged: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return for each stretch the logarithm of the probability that it is one digit."""
        around = np.array([_around(pieces) for pieces in self.candidates()], np.float64).reshape(-1, 4)
        wide, tall = around[:, 2] - around[:, 0], around[:, 3] - around[:, 1]
        odds = (
            SURE * np.log(np.maximum(judged.max(axis=1), 1e-6))
            + ASPECT * np.log(wide / np.maximum(tall, self.height))
            + BIAS
        )
        result: NDArray[np.float64] = -np.logaddexp(0, -odds)
        return result

    def _price(self, first: int, last: int) -> float:
        """Return what it costs to take a stretch for a digit: cuts at its start, joints within."""
        pieces = self.pieces
        price = 0.0
        if first > 0 and pieces[first - 1].region == pieces[first].region:
            price = CUT + THROUGH * pieces[first].crossing / self.height
        for a, b in pairwise(pieces[first:last]):
            if a.region != b.region and a.whole and b.whole:
                price += JOIN
        return price


def _around(pieces: list[Piece]) -> tuple[int, int, int, int]:
    boxes = np.array([piece.box for piece in pieces])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    return int(left), int(top), int(right), int(bottom)


def _cut_out(paper: Paper, regions: NDArray[np.int32], pieces: list[Piece]) -> tuple[Grey, tuple[int, int, int, int]]:
    """Return the ink of some pieces alone, and its box, (left, top, right, bottom)."""
    left, top, right, bottom = _around(pieces)
    left, top = max(left - 1, 0), max(top - 1, 0)
    right, bottom = min(right + 1, regions.shape[1]), min(bottom + 1, regions.shape[0])
    place = (slice(top, bottom), slice(left, right))
    own = np.isin(regions[place], [name for piece in pieces for name in piece.names])
    edge = ndimage.binary_dilation(own, np.ones((3, 3))) & (own | (regions[place] == 0))
    contrast = paper.contrast[place]
    ink = between(np.where(edge, contrast, 0.0), paper.low, strongest(contrast[own]))
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    first, last, start, end = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return ink[first:last, start:end], (left + start, top + first, left + end, top + last)


def _prepared(
    ink: Grey, box: tuple[int, int, int, int], page: Grey, block: int, shape: tuple[int, ...], dark: bool
) -> Prepared:
    left, top, right, bottom = box
    wide, tall = min(right * block, shape[1]) - left * block, min(bottom * block, shape[0]) - top * block
    return Prepared(fit(ink), page[top:bottom, left:right], ink, (left * block, top * block, wide, tall), dark)
