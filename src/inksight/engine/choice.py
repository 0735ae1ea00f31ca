"""The choice of the engine that trains: the native one, or JAX."""

from collections.abc import Mapping
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from inksight.config import Network, Recipe
from inksight.engine import library as native
from inksight.engine.trainer import Floats, StepTaker, Trainer
from inksight.errors import InksightError

INSTALL_JAX = "pip install 'inksight[jax]'"


def training_engine() -> str | None:
    """Return what trains: ``native-avx512``, ``native-avx2``, ``native`` (portable), ``jax``, or None if nothing can.

    JAX trains where ``INKSIGHT_ENGINE=jax`` asks for it, on the device that JAX chooses, and where the native engine is
    missing.
    """
    wanted = native.wanted_engine()
    if wanted != "jax" and (name := native.engine()):
        return name
    return "jax" if wanted in ("", "jax") and find_spec("jax") else None


def shortfall() -> str | None:
    """Return why training is slow or impossible and what to do; None if it runs as fast as it can, or as asked."""
    wanted, found = native.wanted_engine(), training_engine()
    if wanted == "numpy":
        return "INKSIGHT_ENGINE is numpy, which only predicts: unset it"
    if wanted == "jax":
        return None if found else f"INKSIGHT_ENGINE is jax, which is not installed: {INSTALL_JAX}"
    return native.problem()


def make_trainer(
    network: Network, recipe: Recipe, params: Mapping[str, Floats], mean: float, variance: float,
    images: NDArray[np.uint8],
) -> StepTaker:  # fmt: skip
    """Return a trainer on the engine that `training_engine` names; its parameters are those of `Trainer`.

    Raises
    ------
    InksightError
        If nothing here can train.
    """
    name = training_engine()
    if name is None:
        reason = shortfall() or ""
        if native.wanted_engine() in ("", "native"):
            reason = f"training needs an engine, and {reason}; or install JAX: {INSTALL_JAX}"
        raise InksightError(reason)
    if name != "jax":
        return Trainer(network, recipe, params, mean, variance, images)
    from inksight.engine.jax_trainer import JaxTrainer  # imports JAX

    return JaxTrainer(network, recipe, params, mean, variance, images)
