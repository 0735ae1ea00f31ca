"""One bank on the engine's kernels, for tests."""

import math
from ctypes import byref

import numpy as np

from inksight.engine import library as native
from inksight.engine.interface import Block

LANES = 16  # images in a lane group


def aligned(shape):
    """Return an array of float32 whose address suits every vector type."""
    memory = np.empty(4 * math.prod(shape) + 64, np.uint8)
    start = -native.address(memory) % 64
    return memory[start : start + 4 * math.prod(shape)].view(np.float32).reshape(shape)


def to_lanes(x):
    """Convert (n, height, width, channels) to the engine's layout. Images of zeros fill the last group."""
    images = np.pad(x, ((0, -len(x) % LANES), (0, 0), (0, 0), (0, 0)))
    images = images.reshape(-1, LANES, *x.shape[1:]).transpose(0, 4, 2, 3, 1)
    result = aligned(images.shape)
    result[:] = images
    return result


def from_lanes(x, n):
    """Convert the engine's layout to (n, height, width, channels)."""
    images = x.transpose(0, 4, 2, 3, 1)
    return images.reshape(-1, *images.shape[2:])[:n]


def apply(x, w, b, pool, leak, dy=None, *, needs_dx=True):
    """Return a bank's output for x (n, height, width, channels) and, with dy, the gradients of x, w and b.

    dy has the shape of the output, or is (n, 1, 1, filters): one value for each feature map.
    """
    n, height, width, channels = x.shape
    kernel, filters = w.shape[0], w.shape[-1]
    out = [(side - kernel + 1) // pool for side in (height, width)]
    inputs = [to_lanes(x), *(np.ascontiguousarray(a, np.float32) for a in (w, b))]
    groups = len(inputs[0])
    y = aligned((groups, filters, *out, LANES))
    gradients = [aligned(array.shape) for array in inputs]
    per_position = dy is not None and dy.shape[1:3] == tuple(out)
    dy = None if dy is None else to_lanes(dy)
    x_, w_, b_, y_, dx_, dw_, db_ = map(native.address, [*inputs, y, *gradients])
    block = Block(
        channels, height, width, filters, kernel, pool, groups, per_position, leak, x_, w_, b_, y_,
        None if dy is None else native.address(dy), dx_ if needs_dx else None, dw_, db_,
    )  # fmt: skip
    library = native.library()
    assert library is not None
    assert library.inksight_apply(byref(block))
    result = from_lanes(y, n)
    return result if dy is None else (result, (from_lanes(gradients[0], n), *gradients[1:]))
