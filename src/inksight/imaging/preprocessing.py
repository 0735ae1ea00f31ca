"""`prepare`: a picture of one digit to a 28x28 image like those of MNIST, with its intermediate steps.

The steps are plain double-precision arithmetic, rounded once at the end, so that other languages can reproduce them;
`tests/imaging/vectors/prepare.json` holds pictures with their steps. This module is the definition. The native engine,
if it is available, computes the same steps many times faster.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check
from inksight.config import IMAGE_SIZE
from inksight.engine import library as native
from inksight.engine.interface import PROBLEMS, Constants
from inksight.engine.preprocessor import Preprocessor
from inksight.imaging.foreground import (
    MIN_CONTRAST,
    MIN_INK,
    NOISE_REACH,
    SPECK_SHARE,
    WEAK_INK,
    extract_foreground,
)
from inksight.imaging.framing import BOX_SIZE, CENTER, center_in_frame
from inksight.imaging.grayscale import Picture, to_grayscale
from inksight.imaging.illumination import MIN_BACKGROUND, SLOPE_RIDGE, flatten_illumination, polarity_score
from inksight.imaging.resampling import ROUNDING_OFFSET, Grayscale, downscale

WORKING_SIZE = 96  # pixels: larger pictures are scaled down to this first
ILLUMINATION_GRID = 32  # cells a side, at most, in which illumination and polarity are judged
MIN_SIZE = 5  # pixels: a digit is at least this high or wide
POLARITY_THRESHOLD = 0.8  # of `polarity_score`: below it the polarity is ambiguous


@dataclass(frozen=True, eq=False, repr=False)
class Prepared(Display):
    """A prepared picture: the image that a network reads, and the steps that led to it.

    Parameters
    ----------
    image : (28, 28) uint8
        High = ink; all 0 if there is a problem.
    grayscale : (height, width) float64, 0..1
        Brightness, upright, scaled down if the picture was large.
    ink : (height, width) float64, 0..1
        The digit's ink without illumination, paper and specks.
    box : (left, top, width, height)
        Bounding box of the digit, in pixels of the original picture, upright; zeros if there is no digit.
    dark : bool
        Whether the ink is darker than the paper.
    problem : str
        Why there is nothing to read: ``blank``, ``faint`` or ``small``; otherwise empty.
    polarity_ambiguous : bool
        Whether the polarity is uncertain: ink and paper may be swapped, as when a thick digit fills its picture.
    """

    image: NDArray[np.uint8]
    grayscale: Grayscale
    ink: Grayscale
    box: tuple[int, int, int, int]
    dark: bool
    problem: str = ""
    polarity_ambiguous: bool = False

    def __repr__(self) -> str:
        height, width = self.grayscale.shape
        finding = self.problem or f"{'dark' if self.dark else 'light'} ink in a box of {self.box[2]}x{self.box[3]}"
        return f"Prepared({width}x{height}, {finding})"


def prepare(picture: Picture, *, invert: bool | None = None) -> Prepared:
    """Convert a picture of one digit to the form that MNIST's digits have.

    The digit is scaled to fit 20x20 pixels, with its aspect ratio kept and its edges antialiased, and placed with its
    center of mass in the middle of 28x28.

    Parameters
    ----------
    picture : path, bytes, file object, PIL image, array, or Strokes
        Arrays are grayscale (height, width), RGB or RGBA (height, width, 3 or 4), of uint8, uint16 or floats 0..1.
    invert : bool, optional
        True: the ink is lighter than the paper; False: darker. Detected by default.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If `picture` is not a picture, is damaged or too large, or contains values that are not finite.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of the
    IEEE, 1998, describe how MNIST's digits were made.

    Examples
    --------
    >>> paper = np.full((60, 50), 255, np.uint8)
    >>> paper[10:50, 20:26] = 30
    >>> prepared = prepare(paper)
    >>> prepared.box, prepared.image.max(), prepared.image[14].argmax()
    ((20, 10, 6, 40), np.uint8(255), np.int64(13))
    """
    check(invert in (None, True, False), "invert", invert, "true, false or None")
    return prepare_grayscale(to_grayscale(picture), invert=invert)


def prepare_grayscale(picture: ArrayLike, *, invert: bool | None = None) -> Prepared:
    """Convert brightness (height, width), float64, 0..1, as `prepare` does."""
    original = np.asarray(picture, np.float64)
    return prepare_with_engine(original, invert) if native.computes() else prepare_with_numpy(original, invert)


def prepare_with_engine(original: Grayscale, invert: bool | None = None) -> Prepared:
    """Return the result of `prepare_with_numpy`, computed by the native engine."""
    image, grayscale, ink, found = _preprocessor()(original, invert)
    box = (found.box_left, found.box_top, found.box_width, found.box_height)
    problem, ambiguous = PROBLEMS[found.problem], bool(found.polarity_ambiguous)
    return Prepared(image, grayscale, ink, box, bool(found.dark), problem, ambiguous)


@lru_cache(maxsize=1)
def _preprocessor() -> Preprocessor:
    return Preprocessor(engine_constants())


def engine_constants() -> Constants:
    """Return the constants of the steps, as the engine takes them."""
    return Constants(
        side=IMAGE_SIZE, box_size=BOX_SIZE, center=CENTER, working_size=WORKING_SIZE, min_size=MIN_SIZE,
        illumination_grid=ILLUMINATION_GRID, min_background=MIN_BACKGROUND, min_contrast=MIN_CONTRAST,
        speck_share=SPECK_SHARE, weak_ink=WEAK_INK, min_ink=MIN_INK, slope_ridge=SLOPE_RIDGE,
        polarity_threshold=POLARITY_THRESHOLD, noise_reach=NOISE_REACH, rounding_offset=ROUNDING_OFFSET,
    )  # fmt: skip


def prepare_with_numpy(original: Grayscale, invert: bool | None = None) -> Prepared:
    """Convert brightness step by step with NumPy: the definition of `prepare`."""
    grayscale, pixel = downscale(original, WORKING_SIZE)
    coarse, _ = downscale(grayscale, ILLUMINATION_GRID)
    score = polarity_score(coarse) if invert is None else 1.0 if invert else -1.0
    dark = score <= 0
    contrast = flatten_illumination(grayscale, coarse) if dark else flatten_illumination(1 - grayscale, 1 - coarse)
    no_ink = np.zeros_like(grayscale)
    nothing = Prepared(np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8), grayscale, no_ink, (0, 0, 0, 0), dark)
    peak = float(contrast.max())
    if peak < MIN_CONTRAST / 2:
        return replace(nothing, problem="blank")
    ink = extract_foreground(contrast)
    if peak < MIN_CONTRAST or not ink.any():
        return replace(nothing, problem="faint")
    inner, box = bounding_box(ink, pixel, original.shape)
    if max(box[2:]) < MIN_SIZE:
        return replace(nothing, ink=ink, box=box, problem="small")
    ambiguous = abs(score) < POLARITY_THRESHOLD
    return Prepared(center_in_frame(ink[inner]), grayscale, ink, box, dark, polarity_ambiguous=ambiguous)


def bounding_box(
    ink: Grayscale, pixel: tuple[float, float], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[int, int, int, int]]:
    """Return the rows and columns that contain ink, and the same box in pixels of the original picture of `shape`."""
    slices, spans = [], []
    for axis, (size, length) in enumerate(zip(pixel, shape, strict=True)):
        positions = np.flatnonzero(ink.any(axis=1 - axis))
        first, last = int(positions[0]), int(positions[-1]) + 1
        slices.append(slice(first, last))
        spans.append((int(first * size), min(int(np.ceil(last * size)), length)))
    (top, bottom), (left, right) = spans
    return (slices[0], slices[1]), (left, top, right - left, bottom - top)
