"""Shadow edges: what looks like a stroke where a shadow, a hand or a table begins, but is dark on one of its sides."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight.imaging.resampling import Grayscale

MAX_CANDIDATES = 500  # connected components that are looked at: the largest
MIN_SIDE = 6  # pixels: smaller components are looked at in vain
NEAR, FAR = 2, 5  # pixels: the surroundings of a component that are compared with it
MAX_DARK_SHARE = 0.25  # of the surroundings that are as dark as the component: around ink, hardly any are


def find_shadow_edges(
    darkness: Grayscale, regions: NDArray[np.int32], boxes: NDArray[np.int64], page_mask: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which connected components are edges of shadows. Ink is darker than the paper on all sides.

    Parameters
    ----------
    darkness : (height, width) float64, 0..1
        How dark each pixel is, not relative to the paper around it.
    regions : (height, width) int32
        Label of each pixel's component, from 1; 0 is paper.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.
    page_mask : (height, width) bool
        Where the page is, without the table around it.

    Returns
    -------
    (n,) bool

    Examples
    --------
    >>> darkness, regions = np.full((40, 80), 0.1), np.zeros((40, 80), np.int32)
    >>> darkness[:, 60:] = 0.5  # a shadow
    >>> regions[5:35, 20:24], regions[5:35, 60:64] = 1, 2
    >>> darkness[regions == 1] = 0.8
    >>> boxes = np.array([[20, 5, 24, 35], [60, 5, 64, 35]])
    >>> find_shadow_edges(darkness, regions, boxes, np.ones((40, 80), bool))
    array([False,  True])
    """
    is_edge = np.zeros(len(boxes), bool)
    size = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
    for i in np.argsort(-size, kind="stable")[:MAX_CANDIDATES].tolist():
        if size[i] < MIN_SIDE:
            break
        left, top, right, bottom = boxes[i]
        window = (slice(max(top - FAR, 0), bottom + FAR), slice(max(left - FAR, 0), right + FAR))
        own = regions[window] == i + 1
        distance = ndimage.distance_transform_cdt(~own)
        around = (distance >= NEAR) & (distance <= FAR) & (regions[window] == 0) & page_mask[window]
        if around.any():
            values = darkness[window]
            is_edge[i] = (values[around] >= np.median(values[own])).mean() > MAX_DARK_SHARE
    return is_edge
