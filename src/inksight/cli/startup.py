"""Faster start of the commands that train: data is loaded while JAX is imported."""

import gc
import importlib
from typing import TYPE_CHECKING

from inksight.cli.options import load_arguments

if TYPE_CHECKING:
    from inksight.data.dataset import Dataset


def load_while_importing_jax(source: str) -> "Dataset":
    """Load a source of digits and import all modules that training needs, JAX among them.

    The source is loaded in a thread meanwhile.
    """
    from concurrent.futures import ThreadPoolExecutor

    from inksight.data.loading import load

    arguments = load_arguments()  # here, because other threads have no current command
    with ThreadPoolExecutor(1) as executor:
        dataset = executor.submit(load, source, **arguments)
        # JAX's objects live until the end: searching them for garbage, now or later, would take a tenth of a second.
        gc.disable()
        try:
            importlib.import_module("inksight.training.fitting")
            gc.freeze()
        finally:
            gc.enable()
        return dataset.result()
