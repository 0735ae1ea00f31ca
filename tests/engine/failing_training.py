"""Runs the operations of a training through XLA while the engine's allocations fail, and stores their results.

Usage: failing_training.py FILE MODE. MODE is `none`, `one` (one allocation fails) or `all` (and all after it).
`test_memory.py` runs it with the allocator of `failing_allocations.cpp`.
"""

import ctypes
import itertools
import re
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import reference
from jax import Array

from inksight.engine import library as native
from inksight.engine.ops import lanes

SIZES = (1, 16, 256)


def operations(rows: Array, images: Array, lattice: Array, first: Array, second: Array) -> dict[str, Array]:
    """Return the gradients of two banks on warped images, and the orthogonalized gradient of the second."""

    def loss(first: Array, second: Array) -> Array:
        x = lanes.warp(images, rows, lattice, jnp.float32(0.1), jnp.float32(0.3))
        x = lanes.conv_block(x, first, jnp.zeros(first.shape[3]), 2, 0.1)
        _, means = lanes.averaged_conv_block(x, second, jnp.zeros(second.shape[3]), 1, 0.1, len(rows))
        return jnp.square(means).sum()

    gradients = jax.grad(loss, (0, 1))(first, second)
    flat = gradients[1].reshape(-1, second.shape[3])
    return {
        "first": gradients[0],
        "second": gradients[1],
        "orthogonal": lanes.orthogonalized(flat, 5, (3.0, -3.0, 1.0)),
    }


def main(path: str, mode: str) -> None:
    """Store the results, and print how many calls ended in an error."""
    library, allocator = native.library(), ctypes.CDLL(None)
    assert library is not None
    assert lanes.register()
    engine = ctypes.cast(library.inksight_abi, ctypes.c_void_p)
    random = np.random.default_rng(0)
    results: dict[str, Any] = {}
    errors = 0
    for n in SIZES:
        filters = 4 + n // 32  # more memory at each size, also for what does not depend on the number of images
        images = random.integers(0, 256, size=(9, 28, 28), dtype=np.uint8)
        rows = random.integers(0, 9, size=n).astype(np.int32)
        lattice = (reference.IDENTITY_LATTICE + random.normal(size=(n, 2, 5, 5))).astype(np.float32)
        kernels = [random.normal(size=s).astype(np.float32) for s in ((5, 5, 1, filters), (3, 3, filters, 2 * filters))]
        arguments = [jax.device_put(x) for x in (rows, images, lattice, *kernels)]
        compiled = jax.jit(operations).lower(*arguments).compile()
        # First the first allocation fails. After that what could not be allocated comes first, so a later one fails.
        # Two are needed to start a thread, so that a third must fail in turn to make any progress.
        for k in itertools.chain([1], itertools.cycle((2, 3))):
            if mode != "none":
                allocator.fail_allocation(k, mode == "all", engine)
            try:
                found = jax.block_until_ready(compiled(*arguments))
            except jax.errors.JaxRuntimeError as error:
                assert re.match("RESOURCE_EXHAUSTED: .*out of memory", str(error)), error  # noqa: PT017
                errors += 1
            if mode == "none" or not allocator.allow_allocations():
                break
        results |= {f"{name}{n}": np.asarray(value) for name, value in found.items()}
    np.savez(path, **results)
    print(errors)


if __name__ == "__main__":
    main(*sys.argv[1:])
