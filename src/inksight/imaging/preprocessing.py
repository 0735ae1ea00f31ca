"""`prepare`: any picture of one digit -> 28x28 the way MNIST's were made, with what led there kept for display.

The steps are plain arithmetic in double precision, rounded once at the end, so that the same ones can be taken
elsewhere (in a browser); `tests/vectors/prepare.json` holds pictures with their steps to check that by. What they are
is defined here; the native engine, where it is, takes the same ones many times as fast (`inksight.engine.preprocessor`).
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.display import Display
from inksight.config import SIDE, check
from inksight.engine import library as native
from inksight.engine.preprocessor import PROBLEMS, Constants, Preprocessor
from inksight.imaging.grayscale import Picture, brightness
from inksight.imaging.resampling import Grey, resample, round_half_up

BOX = 20  # pixels: the longer side of MNIST's digits
CENTRE = 14.0  # pixel, counted from 0: where MNIST's digits have their centre of mass, to half a pixel
WORKING = 96  # pixels: larger pictures are made as small first
LEAST = 5  # pixels: a digit is at least as high or wide
GRID = 32  # cells a side, at most, in which the light is judged
DARKEST = 0.2  # brightness: paper in deeper shade than this shows too little to be made up for
FAINT = 0.06  # share of the paper's brightness that ink takes away, below which there is none
SPECK = 0.03  # of the largest spot of ink: smaller ones are dirt
PALE = 0.2  # of full ink: paler pixels are ink only beside others that are not
EDGE = 0.02  # of full ink: paler pixels are paper
LEVEL = 5e-6  # of the pixels: so much counts for no slope, which paper along a single line leaves open
ROUGH = 1.5 * 2**12  # what is added to this and taken away again keeps 40 binary digits
PLAIN = 0.8  # of what `lean` says: below that, ink may be paper
REACH = 4.0  # quartiles of the paper's noise that ink must stand out by


@dataclass(frozen=True, eq=False, repr=False)
class Prepared(Display):
    """A picture on its way to what a network reads.

    Parameters
    ----------
    image : (28, 28) uint8
        High = ink; all 0 if there is a problem.
    grey : (height, width) float64, 0..1
        Brightness, upright, made smaller if it was large.
    ink : (height, width) float64, 0..1
        The digit's ink without light, paper and dirt.
    box : (left, top, width, height)
        Around the digit, in pixels of the picture handed in, upright; zeros if there is none.
    dark : bool
        Whether the ink is darker than the paper.
    problem : str
        Why there is nothing to read: ``blank``, ``faint`` or ``small``; else empty.
    contested : bool
        Whether ink and paper might as well be the other way round, as where a thick digit fills its picture.
    """

    image: NDArray[np.uint8]
    grey: Grey
    ink: Grey
    box: tuple[int, int, int, int]
    dark: bool
    problem: str = ""
    contested: bool = False

    def __repr__(self) -> str:
        height, width = self.grey.shape
        found = self.problem or f"{'dark' if self.dark else 'light'} ink in a box of {self.box[2]}x{self.box[3]}"
        return f"Prepared({width}x{height}, {found})"


def prepare(picture: Picture, *, invert: bool | None = None) -> Prepared:
    """Bring a picture of one digit to the form that MNIST's digits have.

    LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of the
    IEEE, 1998, describe it: fitted into a box of 20x20 with the proportions kept and edges smoothed, then placed with
    the centre of mass in the middle of 28x28.

    Parameters
    ----------
    picture : path, bytes, file object, PIL image, array, or Strokes
        Arrays are grey (height, width), RGB or RGBA (height, width, 3 or 4), of bytes, 16-bit numbers or floats 0..1.
    invert : bool, optional
        True: the ink is lighter than the paper; False: darker. Found out if not given.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If it is no picture, damaged, too large, or holds values that are not finite.

    Examples
    --------
    >>> paper = np.full((60, 50), 255, np.uint8)
    >>> paper[10:50, 20:26] = 30
    >>> found = prepare(paper)
    >>> found.box, found.image.max(), found.image[14].argmax()
    ((20, 10, 6, 40), np.uint8(255), np.int64(13))
    """
    check(invert in (None, True, False), "invert", invert, "true, false or None")
    return prepare_grey(brightness(picture), invert=invert)


def prepare_grey(picture: ArrayLike, *, invert: bool | None = None) -> Prepared:
    """`prepare` for brightness (height, width) that is float64, 0..1, already."""
    whole = np.asarray(picture, np.float64)
    return by_engine(whole, invert) if native.preprocesses() else by_steps(whole, invert)


def by_engine(whole: Grey, invert: bool | None = None) -> Prepared:
    """Return what `by_steps` does, from the native engine."""
    image, grey, ink, found = _preparer()(whole, invert)
    box = (found.box_left, found.box_top, found.box_width, found.box_height)
    return Prepared(image, grey, ink, box, bool(found.dark), PROBLEMS[found.problem], bool(found.polarity_ambiguous))


@lru_cache(maxsize=1)
def _preparer() -> Preprocessor:
    return Preprocessor(
        Constants(
            side=SIDE, box_size=BOX, center=CENTRE, working_size=WORKING, min_size=LEAST, illumination_grid=GRID,
            min_background=DARKEST, min_contrast=FAINT, speck_share=SPECK, weak_ink=PALE, min_ink=EDGE,
            slope_ridge=LEVEL, polarity_threshold=PLAIN, noise_reach=REACH, rounding_offset=ROUGH,
        )
    )  # fmt: skip


def by_steps(whole: Grey, invert: bool | None = None) -> Prepared:
    """Prepare brightness step by step: the definition."""
    grey, pixel = shrink(whole, WORKING)
    coarse, _ = shrink(grey, GRID)
    leaning = lean(coarse) if invert is None else 1.0 if invert else -1.0
    dark = leaning <= 0
    contrast = even(grey, coarse) if dark else even(1 - grey, 1 - coarse)
    nothing = Prepared(np.zeros((SIDE, SIDE), np.uint8), grey, np.zeros_like(grey), (0, 0, 0, 0), dark)
    peak = float(contrast.max())
    if peak < FAINT / 2:
        return replace(nothing, problem="blank")
    ink = only_ink(contrast)
    marked = ink > 0
    if peak < FAINT or not marked.any():
        return replace(nothing, problem="faint")
    spans, inner = [], []
    for axis, size in ((1, pixel[0]), (0, pixel[1])):
        places = np.flatnonzero(marked.any(axis=axis))
        first, last = int(places[0]), int(places[-1]) + 1
        inner.append(slice(first, last))
        spans.append((int(first * size), min(int(np.ceil(last * size)), whole.shape[1 - axis])))
    (top, bottom), (left, right) = spans
    box = (left, top, right - left, bottom - top)
    if max(box[2:]) < LEAST:
        return replace(nothing, ink=ink, box=box, problem="small")
    return Prepared(fit(ink[inner[0], inner[1]]), grey, ink, box, dark, contested=abs(leaning) < PLAIN)


def shrink(grey: Grey, most: int) -> tuple[Grey, tuple[float, float]]:
    """Return a picture with at most `most` pixels a side, and how high and wide its pixels are in those of before.

    A very large one is first taken in blocks, by their means, down to some four times as much. A last block that is
    not full is filled up with what lies at the edge.
    """
    block = max(max(grey.shape) // (4 * most), 1)
    grey = in_blocks(grey, block)
    ratio = most / max(grey.shape)
    if ratio >= 1:
        return grey, (block, block)
    height, width = (max(1, round_half_up(length * ratio)) for length in grey.shape)
    return resample(grey, height, width), (block * grey.shape[0] / height, block * grey.shape[1] / width)


def in_blocks(grey: Grey, block: int) -> Grey:
    """Return the means of blocks of so many pixels a side; the last ones filled up with what lies at the edge."""
    if block == 1:
        return grey
    filled = np.pad(grey, [(0, -length % block) for length in grey.shape], mode="edge")
    height, width = (length // block for length in filled.shape)
    means: Grey = filled.reshape(height, block, width, block).mean(axis=(1, 3))
    return means


def lean(coarse: Grey) -> float:
    """Say which way ink differs from the paper around it: -1, plainly darker, to 1, plainly lighter.

    Ink is the lesser part and stands out from the light's slope by much: so the third powers of the differences add up
    to its sign. A picture without differences gives 0.
    """
    cubes = (coarse.ravel() - slope_of_light(coarse, 1).ravel()) ** 3
    total = float(cubes.sum())
    return float(steady(total / np.abs(cubes).sum())) if abs(total) > 1e-9 * coarse.size else 0.0


def even(grey: Grey, coarse: Grey) -> Grey:
    """Return by what share each pixel is darker than the paper would be there, 0..1: in the shade, too.

    The paper's brightness is a slope of light, and on it that of the lightest places around, as a closing has it (the
    least of the greatest, in a window wider than a stroke). That is judged on the same picture, `coarse`, and
    interpolated between.
    """
    from scipy import ndimage  # here, because the engine does without, and most of a short start is imports

    slope = slope_of_light(coarse)
    window = max(3, round_half_up(max(coarse.shape) * 0.6)) | 1
    paper = ndimage.maximum_filter(coarse - slope, window, mode="nearest")
    paper = ndimage.minimum_filter(paper, window, mode="nearest") + slope
    whole = resample(paper, *grey.shape)
    return steady(np.clip((whole - grey) / np.maximum(whole, DARKEST), 0, 1))


def slope_of_light(grey: Grey, rounds: int = 4) -> Grey:
    """Return the plane through a picture's paper: by least squares, ever less of what lies below it counted."""
    parts, products = _planes(*grey.shape)
    values = grey.ravel()
    counted = np.ones(grey.size)
    level = np.diag([0.0, LEVEL, LEVEL]) * grey.size
    for left in reversed(range(rounds)):
        plane = np.linalg.solve((products @ counted).reshape(3, 3) + level, parts @ (counted * values)) @ parts
        if left:
            above = values - plane
            spread = np.sqrt((above * above) @ counted / counted.sum())
            counted = (above >= -0.5 * spread - 1e-9).astype(np.float64)
    return plane.reshape(grey.shape)


@lru_cache(maxsize=256)
def _planes(height: int, width: int) -> tuple[Grey, Grey]:
    """Return a level plane and one that rises by 1 from the middle to the edge, down and across, (3, pixels).

    And what each of them is times each, (9, pixels).
    """
    rows, columns = (np.linspace(-1, 1, length) if length > 1 else np.zeros(1) for length in (height, width))
    table: Grey = np.stack(np.broadcast_arrays(1.0, rows[:, None], columns)).reshape(3, -1)
    products = (table[:, None] * table).reshape(9, -1)
    for kept in (table, products):
        kept.flags.writeable = False
    return table, products


def only_ink(contrast: Grey) -> Grey:
    """Return the ink alone, its strokes' core at 1: without the paper's noise and without specks."""
    from scipy import ndimage

    threshold = otsu(contrast)
    ordered = np.sort(contrast, axis=None)
    below = int(np.searchsorted(ordered, threshold))  # so many are paper
    full = float(ordered[-max(1, (ordered.size - below) // 10)])  # as `strongest` has it
    low = min(noise_level(ordered[:below]) if below else 0.0, threshold)
    ink = between(contrast, low, full)
    spots, count = ndimage.label(ink > 0, np.ones((3, 3)))
    if count > 1:
        sizes = np.bincount(spots.ravel(), ink.ravel())
        ink = ink * (sizes >= SPECK * sizes.max())[spots]
    return ink


def noise_level(ordered: Grey) -> float:
    """Return the contrast up to which paper is paper: its noise goes so far.

    Its contrasts are given in order, at least those in the middle and at the first quarter.
    """
    # Below the lightest places around by so much, and by so much more or less.
    usual, less = float(ordered[ordered.size // 2]), float(ordered[ordered.size // 4])
    return usual + REACH * (usual - less)


def between(contrast: Grey, low: float, full: float) -> Grey:
    """Return ink from contrast: none at `low`, which is at most half of `full`, and 1 at `full`."""
    low = min(low, 0.5 * full)
    ink: Grey = np.clip((contrast - low) / (full - low), 0, 1)
    # Pale pixels are ink beside ink only: the edges of strokes, not the lines of the paper.
    return np.where(_spread(ink > PALE) & (ink > EDGE), ink, 0.0)


def _spread(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where a pixel or one of its eight neighbours is marked."""
    wide = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
    wide[1:-1, 1:-1] = mask
    tall = wide[:-2] | wide[1:-1] | wide[2:]
    return tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:]


def otsu(values: Grey) -> float:
    """Return the threshold, of 255 between 0 and the largest value, that parts the values best in two (Otsu, 1979)."""
    top = float(values.max())
    counts = np.bincount(np.minimum((values * (256 / top)).astype(np.int64), 255).ravel(), minlength=256)
    weight = np.cumsum(counts)[:-1].astype(np.float64)
    total = np.cumsum(counts * np.arange(256.0))
    both = weight * (values.size - weight)
    apart = (total[-1] * weight - total[:-1] * values.size) ** 2
    gain = np.divide(apart, both, out=np.zeros(255), where=both > 0)
    best = np.flatnonzero(gain == gain.max())  # several in a row where no value lies between: then their middle
    return (int(best[0] + best[-1]) // 2 + 1) * top / 256


def fit(ink: Grey) -> NDArray[np.uint8]:
    """Scale ink to a box of 20x20, and place it in 28x28 with its centre of mass in the middle."""
    height, width = ink.shape
    ratio = BOX / max(height, width)
    small = steady(resample(ink, max(1, round_half_up(height * ratio)), max(1, round_half_up(width * ratio))))
    # Thin strokes get paler when they are made smaller; MNIST's are full at their core.
    small = np.minimum(small / strongest(small[small > 0.5 * small.max()]), 1)
    mass = small.sum()
    canvas = np.zeros((SIDE, SIDE))
    place = []
    for axis, length in enumerate(small.shape):
        centre = float((small.sum(axis=1 - axis) * np.arange(length)).sum() / mass)
        # Rounded first: a tie shall not be decided by the last bits of the sums.
        place.append(min(max(round_half_up(round(CENTRE - centre, 6)), 0), SIDE - length))
    canvas[place[0] : place[0] + small.shape[0], place[1] : place[1] + small.shape[1]] = small
    return np.floor(canvas * 255 + 0.5).astype(np.uint8)


def strongest(values: Grey) -> float:
    """Return the value that a tenth of the values reach: the greatest but for outliers."""
    return float(np.sort(values, axis=None)[-max(1, values.size // 10)])


def steady(values: Grey | float) -> Grey:
    """Return values without their last bits, which depend on the order of sums and shall decide no tie."""
    kept: Grey = np.add(values, ROUGH) - ROUGH
    return kept
