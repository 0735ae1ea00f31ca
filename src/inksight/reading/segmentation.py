"""`segment`: a page -> its digits, line by line, each as `inksight.imaging.preprocessing` has a single one.

Ink that hangs together is a digit, or a part of one, or several. So it is first cut wherever it might have to be, and
of all ways to put neighbouring pieces together again the network's probabilities choose the best (LeCun, Bottou, Bengio
and Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE, 1998, section V).
"""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.imaging.foreground import normalize_contrast, upper_decile
from inksight.imaging.framing import center_in_frame
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale, block_mean
from inksight.reading.binarization import Paper, look
from inksight.reading.components import HIGHEST, HUGE, NEAR, WHOLE, Piece, around, find_pieces
from inksight.reading.text_lines import in_lines

Probabilities = Callable[[NDArray[np.uint8]], NDArray[np.floating]]

PAGE = 2000  # pixels: larger pages are made smaller, by whole numbers of pixels

# Of the height of the page's digits:
PART = 1.0  # what is farther from all that may be a digit is dirt
LOWEST = 0.4  # a digit is not lower
WIDEST = 1.6  # a digit is not wider

# Log-odds that a stretch is one digit, and no more and no less; weights that read the most lines of composed photos of
# training digits new to the network, found by random search:
SURE = 3.7  # a unit of the logarithm of the network's probability
ASPECT = -1.6  # a unit of the logarithm of its width to the height of the page's digits, or its own if that is more
BIAS = 4.9

# In units of log-probability:
CUT = 3.6  # what the network's judgement must gain from cutting ink that hangs together,
THROUGH = 16.4  # and for every stroke that the cut goes through
JOIN = 0.3  # what it must gain from joining two pieces each high enough to be a digit
LEFT_OUT = 40.0  # what it must gain from leaving out a part as high as a digit; less for lower ones
TOGETHER = 5  # neighbouring pieces that are tried as one digit, at most


def segment(grey: Grayscale, probabilities: Probabilities, *, invert: bool | None = None) -> list[list[Prepared]]:
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
    small = block_mean(grey, block)
    paper = look(small, invert)
    regions, pieces, height = find_pieces(paper)
    chains = [_Chain(line, height) for line in _lines(pieces, height)]
    cuts = [_cut_out(paper, regions, part) for chain in chains for part in chain.candidates()]
    if not cuts:
        return []
    judged = probabilities(np.stack([center_in_frame(ink) for ink, _ in cuts]))
    found, start = [], 0
    for chain in chains:
        best = chain.best(judged[start : start + len(chain.spans)])
        found.append([_prepared(*cuts[start + i], small, block, grey.shape, paper.dark) for i in best])
        start += len(chain.spans)
    return [line for line in found if line]


def _lines(groups: list[list[Piece]], height: float) -> list[list[Piece]]:
    """Return the pieces in reading order; low ones go into the line of what is near, or are dirt.

    What hangs together is in one line, however it was cut.
    """
    boxes = np.array([around(group) for group in groups], np.float64).reshape(-1, 4)
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
        self.parts = Counter(piece.region for piece in pieces)
        self.spans = [
            (first, last)
            for first in range(len(pieces))
            for last in range(first + 1, min(first + TOGETHER, len(pieces)) + 1)
            if self._may_be_one(pieces[first:last])
        ]

    def _may_be_one(self, pieces: list[Piece]) -> bool:
        left, top, right, bottom = around(pieces)
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
        if self.parts[piece.region] > 1:
            return 1.0
        return max(piece.box[3] - piece.box[1], piece.box[2] - piece.box[0]) / self.height

    def _log_probability_of_one(self, judged: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return for each stretch the logarithm of the probability that it is one digit."""
        boxes = np.array([around(pieces) for pieces in self.candidates()], np.float64).reshape(-1, 4)
        wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
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
            price = CUT + THROUGH * pieces[first].crossing
        for a, b in pairwise(pieces[first:last]):
            if a.region != b.region and a.whole and b.whole:
                price += JOIN
        return price


def _cut_out(
    paper: Paper, regions: NDArray[np.int32], pieces: list[Piece]
) -> tuple[Grayscale, tuple[int, int, int, int]]:
    """Return the ink of some pieces alone, and its box, (left, top, right, bottom)."""
    left, top, right, bottom = around(pieces)
    left, top = max(left - 1, 0), max(top - 1, 0)
    right, bottom = min(right + 1, regions.shape[1]), min(bottom + 1, regions.shape[0])
    place = (slice(top, bottom), slice(left, right))
    own = np.isin(regions[place], [name for piece in pieces for name in piece.names])
    edge = ndimage.binary_dilation(own, np.ones((3, 3))) & (own | (regions[place] == 0))
    contrast = paper.contrast[place]
    ink = normalize_contrast(np.where(edge, contrast, 0.0), paper.low, upper_decile(contrast[own]))
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    first, last, start, end = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return ink[first:last, start:end], (left + start, top + first, left + end, top + last)


def _prepared(
    ink: Grayscale, box: tuple[int, int, int, int], page: Grayscale, block: int, shape: tuple[int, ...], dark: bool
) -> Prepared:
    left, top, right, bottom = box
    wide, tall = min(right * block, shape[1]) - left * block, min(bottom * block, shape[0]) - top * block
    # A copy: the page shall not be kept for the sake of its digits.
    return Prepared(
        center_in_frame(ink), page[top:bottom, left:right].copy(), ink, (left * block, top * block, wide, tall), dark
    )
