"""Lines that are connected to digits, such as frames and underlines, are erased from a label map."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]


def erase_connected(
    regions: NDArray[np.int32],
    boxes: NDArray[np.int64],
    candidates: Iterable[int],
    find: Callable[[Mask], Mask | None],
) -> int:
    """Erase what `find` finds in the ink of some components; change the label map in place.

    Parameters
    ----------
    regions : (height, width) int32
        Label of each pixel's component, from 1 to n; 0 is paper. Parts that are cut off get labels from n + 1.
    boxes : (n, 4) int64
        Left, top, right and bottom of each component, in pixels.
    candidates : iterable of int
        Numbers of the components, from 0.
    find : callable
        Returns the pixels to erase of the ink of a component, (height, width) bool, or None.

    Returns
    -------
    int
        Number of components of which something was erased.

    Examples
    --------
    >>> regions = np.ones((3, 5), np.int32)
    >>> erase_connected(regions, np.array([[0, 0, 5, 3]]), [0], lambda ink: ink & (np.arange(5) == 2))
    1
    >>> regions[0].tolist()
    [1, 1, 0, 2, 2]
    """
    erased, added = 0, 0
    for i in candidates:
        left, top, right, bottom = boxes[i]
        window = regions[top:bottom, left:right]
        ink = window == i + 1
        lines = find(ink)
        if lines is None:
            continue
        erased += 1
        window[lines] = 0
        parts, count = ndimage.label(ink & ~lines, np.ones((3, 3)))
        for part in range(2, count + 1):
            added += 1
            window[parts == part] = len(boxes) + added
    return erased
