"""A faster start for commands that train."""

import gc
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inksight.data.dataset import Dataset


def load_while_importing_jax(source: str) -> "Dataset":
    """Load digits, and import JAX and all else that training needs; MNIST is unpacked in a thread of its own."""
    from concurrent.futures import ThreadPoolExecutor

    from inksight.data.loading import load

    with ThreadPoolExecutor(1) as beside:
        # Only MNIST: reading any other source sets Python's warning filters, which all threads share.
        loading = beside.submit(load, source) if source == "mnist" else None
        # What JAX brings stays: looking through it for garbage, now and later, would take a tenth of a second.
        gc.disable()
        try:
            importlib.import_module("inksight.training.fit")
            gc.freeze()
        finally:
            gc.enable()
        return loading.result() if loading else load(source)
