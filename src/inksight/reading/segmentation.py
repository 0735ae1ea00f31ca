"""`segment`: the digits of a page, line by line.

Connected components are over-segmented: cut wherever two digits may touch. Of all ways to join neighbouring components
again, the classifier's probabilities choose the best (LeCun, Bottou, Bengio and Haffner, "Gradient-based learning
applied to document recognition", Proceedings of the IEEE, 1998, section V).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight.config import DIGITS
from inksight.imaging.foreground import MIN_CONTRAST, dilate, normalize_contrast, upper_decile
from inksight.imaging.framing import center_in_frame
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale, block_mean, resample
from inksight.reading.binarization import BinarizedPage, binarize
from inksight.reading.components import WHOLE_DIGIT_HEIGHT, Component, bounding_box, find_components, ink_of, touch_edge
from inksight.reading.constrained_search import best_fit, probability_that_holds
from inksight.reading.constraints import Constraint
from inksight.reading.detection import MAX_PAGE_SIZE
from inksight.reading.lattice import Arc, SegmentationLattice, best_path
from inksight.reading.line import Line, Sign
from inksight.reading.punctuation import find_signs
from inksight.reading.text_lines import group_into_lines

Classifier = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
Box = tuple[int, int, int, int]  # left, top, right, bottom

MIN_PAGE_SIZE = 400  # pixels: smaller pages are enlarged, by whole factors, because blur would break their thin strokes
MAX_MISFIT = 25.0  # of log-probability: a reading that fits a constraint at a higher cost does not fit
MIN_LEFT_OUT_HEIGHT = 0.7  # of a line's digits: what is left out and at least this high is reported as rejected
MAX_DROPPED_GAP = 1.0  # heights of a digit: to what stands in its line and may be another one
MAX_SIGN_GAP, MAX_SIGN_HEIGHT = 0.5, 0.6  # heights of a digit: of a comma that hangs from its line
MAX_SATELLITE_GAP = 1.0  # heights of a digit: a low component farther than this from every digit is dirt


def segment(
    grayscale: Grayscale,
    classifier: Classifier,
    *,
    invert: bool | None = None,
    colors: Image.Image | None = None,
    constraint: Constraint | None = None,
) -> list[Line]:
    """Find the digits on a page.

    Parameters
    ----------
    grayscale : (height, width) float64, 0..1
        Brightness of the page, upright.
    classifier : callable
        Maps images (n, 28, 28) uint8 to class probabilities (n, classes).
    invert : bool, optional
        True: the ink is lighter than the paper; False: darker. Detected by default.
    colors : PIL image, optional
        The same page in color (RGB).
    constraint : Constraint, optional
        What each line may read, if the classes are the digits 0 to 9.

    Returns
    -------
    list of Line
        Lines from top to bottom, with their digits and signs from left to right; boxes in pixels of the original page.

    Examples
    --------
    >>> import inksight
    >>> page = np.ones((100, 300))
    >>> page[20:80, 50:58] = page[30:90, 200:210] = 0
    >>> lines = segment(page, inksight.load_model("best").probabilities)
    >>> [[digit.box for digit in line] for line in lines]
    [[(50, 20, 8, 60), (200, 30, 10, 60)]]
    """
    longer = max(grayscale.shape)
    block, zoom = -(-longer // MAX_PAGE_SIZE), max(MIN_PAGE_SIZE // longer, 1)
    scaled = block_mean(grayscale, block)
    if zoom > 1:
        scaled = resample(grayscale, *(zoom * length for length in grayscale.shape))
    if colors is not None:
        colors = colors.reduce(block) if zoom == 1 else colors.resize(scaled.shape[::-1], Image.Resampling.BILINEAR)
    page = binarize(scaled, invert, colors)
    regions, groups, height, dropped = find_components(page)
    expected = constraint is not None and constraint.reads_signs
    lattices = []
    for line in _text_lines(groups, height):
        components, signs = line, find_signs(line, height, regions, expected=expected)
        if any(component.small for component in line):
            of_signs = {i for sign in signs for i in range(sign.first, sign.last)}
            components = [component for i, component in enumerate(line) if not component.small or i in of_signs]
            signs = find_signs(components, height, regions, expected=expected)
        lattices.append(SegmentationLattice(components, height, signs))
    crops = [_crop(page, regions, part) for lattice in lattices for part in lattice.candidates()]
    if not crops:
        return []
    probabilities = classifier(np.stack([center_in_frame(ink) for ink, _ in crops]))
    lines: list[Line] = []
    start = 0
    for lattice in lattices:
        end = start + len(lattice.stretches)
        path, names, confidence = _search(lattice, probabilities[start:end], constraint)
        digits = [(*crops[start + arc.stretch], "") for arc in path if arc.stretch >= 0]
        rest, beside = _rest(lattice, path), _beside(dropped, lattice, path, regions.shape)
        # The caller knows of no digits beside those of a reading that fits.
        missed = [] if names else _as_high_as_digits(rest, lattice, path) + beside
        rest += beside
        left_out = [(*_crop(page, regions, [part]), "not a digit") for part in missed]
        explained = _explained(lattice, regions, rest)
        if constraint is None or not constraint.reads_signs:  # a slash is as high as a digit
            explained *= math.prod(arc.sign.probability for arc in path if arc.sign and arc.sign.symbol == "/")
        if left_out:
            digits = sorted(digits + left_out, key=lambda digit: digit[1][0])
        found: list[Sign] = []
        for number, arc in enumerate(path):
            if sign := arc.sign:
                box = bounding_box(lattice.components[sign.first : sign.last])
                place = sum(before.stretch >= 0 for before in path[:number])
                place += sum(other[0] < box[0] for _, other, _ in left_out)
                original_box = _original_box(box, block, zoom, grayscale.shape)
                found.append(Sign(sign.symbol, original_box, len(lines), place, sign.probability))
        if digits:
            prepared = [_prepared(*digit, scaled, block, zoom, grayscale.shape, page.dark) for digit in digits]
            lines.append(Line(prepared, tuple(found), names, confidence, explained))
        start = end
    return lines


def _search(
    lattice: SegmentationLattice, probabilities: NDArray[np.floating], constraint: Constraint | None
) -> tuple[list[Arc], tuple[str, ...], float | None]:
    """Return the best path through a line, and for one that fits a constraint its classes and its confidence."""
    arcs = lattice.arcs(probabilities)
    path, score = best_path(arcs)
    if constraint is None:
        return path, (), None
    fit = best_fit(arcs, probabilities, DIGITS, constraint)
    if fit is None or score - fit.score > MAX_MISFIT:
        return path, (), 0.0
    return fit.path, fit.names, fit.confidence * probability_that_holds(score - fit.score)


def _text_lines(groups: list[list[Component]], height: float) -> list[list[Component]]:
    """Return the components line by line; parts of connected ink stay in one line.

    A component too low to be a digit joins the line of the nearest digit, or is dropped as dirt.
    """
    boxes = np.array([bounding_box(group) for group in groups], np.float64).reshape(-1, 4)
    boxes[:, 2:] -= boxes[:, :2]
    whole = boxes[:, 3] >= WHOLE_DIGIT_HEIGHT * height
    numbers = np.flatnonzero(whole)
    lines = [[int(numbers[i]) for i in line] for line in group_into_lines(boxes[numbers])]
    if not lines:
        return []
    lines = _with_commas(lines, boxes)
    line_of = {i: line for line in lines for i in line}
    centers = boxes[:, :2] + boxes[:, 2:] / 2
    for i in np.flatnonzero(~whole):
        gap = np.maximum(np.abs(centers[numbers] - centers[i]) - (boxes[numbers, 2:] + boxes[i, 2:]) / 2, 0)
        distance = np.hypot(*gap.T)
        if distance.min() <= MAX_SATELLITE_GAP * height:
            line_of[int(numbers[distance.argmin()])].append(int(i))
    return [sorted((part for i in line for part in groups[i]), key=lambda c: c.box[0] + c.box[2]) for line in lines]


def _with_commas(lines: list[list[int]], boxes: NDArray[np.float64]) -> list[list[int]]:
    """Return lines of boxes, where one that is alone in its line and may be a comma joins the line that it hangs from.

    It is low beside a digit, whose lower edge lies between its top and its bottom.
    """
    joined = [list(line) for line in lines]
    for line in lines:
        if len(line) > 1:
            continue
        left, top, width, height = boxes[line[0]]
        baseline = boxes[:, 1] + boxes[:, 3]
        gap = np.maximum(boxes[:, 0] - left - width, left - boxes[:, 0] - boxes[:, 2])
        holds = (gap <= MAX_SIGN_GAP * boxes[:, 3]) & (top < baseline) & (baseline < top + height)
        holds &= (height <= MAX_SIGN_HEIGHT * boxes[:, 3]) & (width < height)
        home = [other for other in joined if holds[other].any()]
        if home:
            joined.remove(line)
            home[0].append(line[0])
    return joined


def _rest(lattice: SegmentationLattice, path: list[Arc]) -> list[Component]:
    """Return the components of a line that are in nothing that is read, without dots and dirt."""
    spans = [lattice.stretches[arc.stretch] for arc in path if arc.stretch >= 0]
    spans += [(arc.sign.first, arc.sign.last) for arc in path if arc.sign]
    used = {i for first, last in spans for i in range(first, last)}
    return [part for i, part in enumerate(lattice.components) if i not in used and not part.small]


def _boxes_of_digits(lattice: SegmentationLattice, path: list[Arc]) -> NDArray[np.int64]:
    """Return left, top, right and bottom of each digit that is read on a line, (n, 4)."""
    spans = [lattice.stretches[arc.stretch] for arc in path if arc.stretch >= 0]
    return np.array([bounding_box(lattice.components[first:last]) for first, last in spans]).reshape(-1, 4)


def _as_high_as_digits(rest: list[Component], lattice: SegmentationLattice, path: list[Arc]) -> list[Component]:
    """Return what is as high as a line's digits among what is not read.

    It must not vanish: a reader would take the digits around it for the whole number.
    """
    boxes = _boxes_of_digits(lattice, path)
    least = MIN_LEFT_OUT_HEIGHT * float(np.median(boxes[:, 3] - boxes[:, 1])) if len(boxes) else np.inf
    return [part for part in rest if part.whole and part.box[3] - part.box[1] >= least]


def _beside(
    dropped: list[Component], lattice: SegmentationLattice, path: list[Arc], shape: tuple[int, ...]
) -> list[Component]:
    """Return what was dropped before but stands in a line of digits: as high as they are, or cut off by the edge.

    What is left of a digit at the right or left edge of the picture, whose `shape` is given, is put together.
    """
    digits, found = _boxes_of_digits(lattice, path), list[Component]()
    if not len(digits):
        return found
    height = np.median(digits[:, 3] - digits[:, 1])
    is_cut_off = touch_edge(np.array([part.box for part in dropped], np.int64).reshape(-1, 4), shape)
    for part, cut_off in zip(dropped, is_cut_off.tolist(), strict=True):
        left, top, right, bottom = part.box
        if bottom - top < MIN_LEFT_OUT_HEIGHT * height and not cut_off:
            continue
        gap = np.maximum(digits[:, 0] - right, left - digits[:, 2])
        near = digits[(gap >= 0) & (gap <= MAX_DROPPED_GAP * max(height, lattice.height))]
        overlap = np.minimum(near[:, 3], bottom) - np.maximum(near[:, 1], top)
        if (overlap >= MIN_LEFT_OUT_HEIGHT * (bottom - top)).any():
            found.append(part)
    for end, edge in ((0, 0), (2, shape[1])):  # of a box, left and right
        parts = [part for part in found if part.box[end] == edge]
        if len(parts) > 1:
            labels = tuple(label for part in parts for label in part.labels)
            whole = Component(labels, bounding_box(parts), labels[0], True)
            found = [part for part in found if part not in parts] + [whole]
    return found


def _explained(lattice: SegmentationLattice, regions: NDArray[np.int32], rest: list[Component]) -> float:
    """Return the share of a line's ink that is not in the rest of its components."""

    def mass(components: list[Component]) -> int:
        left, top, right, bottom = bounding_box(components)
        labels = [label for component in components for label in component.labels]
        return int(np.isin(regions[top:bottom, left:right], labels).sum())

    return 1 - mass(rest) / mass(list(dict.fromkeys([*lattice.components, *rest]))) if rest else 1.0


def _crop(page: BinarizedPage, regions: NDArray[np.int32], components: list[Component]) -> tuple[Grayscale, Box]:
    """Return the ink of some components alone, and its box."""
    left, top, right, bottom = bounding_box(components)
    left, top = max(left - 1, 0), max(top - 1, 0)
    right, bottom = min(right + 1, regions.shape[1]), min(bottom + 1, regions.shape[0])
    window = (slice(top, bottom), slice(left, right))
    own = ink_of([label for component in components for label in component.labels], regions[window])
    edge = dilate(own) & (own | (regions[window] == 0))
    contrast = page.contrast[window]
    full = max(upper_decile(contrast[own]), MIN_CONTRAST)  # of the blurred edge alone of a ruled line, it is 0
    ink = normalize_contrast(np.where(edge, contrast, 0.0), page.noise, full)
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    first, last, start, end = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return ink[first:last, start:end], (left + start, top + first, left + end, top + last)


def _prepared(
    ink: Grayscale,
    box: Box,
    problem: str,
    page: Grayscale,
    block: int,
    zoom: int,
    original_shape: tuple[int, ...],
    dark: bool,
) -> Prepared:
    """Return a digit whose box in pixels of the `page`, and then in those of the original, is given."""
    left, top, right, bottom = box
    crop = page[top:bottom, left:right].copy()  # a copy, so that a digit does not keep its whole page in memory
    return Prepared(center_in_frame(ink), crop, ink, _original_box(box, block, zoom, original_shape), dark, problem)


def _original_box(box: Box, block: int, zoom: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, width and height in pixels of the original page, whose `shape` is given."""
    left, top, right, bottom = box
    x, y = left * block // zoom, top * block // zoom
    return x, y, min(-(-right * block // zoom), shape[1]) - x, min(-(-bottom * block // zoom), shape[0]) - y
