"""Pale digits in dark frames: the contrast of a frame hides a digit that is much paler."""

import numpy as np
from numpy.typing import NDArray

from inksight.imaging.foreground import WEAK_INK, dilate, extract_foreground
from inksight.imaging.illumination import flatten_illumination
from inksight.imaging.preprocessing import ILLUMINATION_GRID, Prepared
from inksight.imaging.resampling import Grayscale, downscale

MARGIN = 2  # pixels around a frame in which it is blurred
MIN_SIZE = 0.25  # of the picture's side: height or width of a digit
MIN_CONTRAST = 0.1  # of the paper's brightness that ink removes: print that shows through the paper removes less
MIN_SHARE = 0.7  # of all ink: a digit has at least this much of it, the largest grain of the paper has not


def ink_inside(prepared: Prepared, frame: NDArray[np.bool_]) -> tuple[Grayscale, Grayscale]:
    """Return the ink and the contrast of a picture whose frame is replaced by the nearest paper.

    Parameters
    ----------
    prepared : Prepared
    frame : (height, width) bool
        The frame, and all between it and the edges.

    Returns
    -------
    ink, contrast : (height, width) float64, 0..1
    """
    from scipy import ndimage

    covered = dilate(frame, MARGIN)
    nearest = ndimage.distance_transform_edt(covered, return_distances=False, return_indices=True)
    inside = prepared.grayscale[tuple(nearest)]
    inside = inside if prepared.dark else 1 - inside
    contrast = flatten_illumination(inside, downscale(inside, ILLUMINATION_GRID)[0])
    ink = extract_foreground(contrast) if contrast.max() >= MIN_CONTRAST else np.zeros_like(contrast)
    return ink, contrast


def is_digit(ink: Grayscale, contrast: Grayscale) -> bool:
    """Return whether ink inside a frame is clear, in one piece and apart from the edges, unlike the paper's grain."""
    from scipy import ndimage

    labels, count = ndimage.label(ink > WEAK_INK, np.ones((3, 3)))
    if not count:
        return False
    mass = np.bincount(labels.ravel(), ink.ravel())[1:]
    main = int(mass.argmax())
    extents = list(zip(ndimage.find_objects(labels)[main], ink.shape, strict=True))
    is_inside = all(extent.start > 0 and extent.stop < length for extent, length in extents)
    is_large = any(extent.stop - extent.start >= MIN_SIZE * length for extent, length in extents)
    is_clear = bool(np.median(contrast[labels == main + 1]) >= MIN_CONTRAST)
    return is_inside and is_large and is_clear and bool(mass[main] >= MIN_SHARE * mass.sum())
