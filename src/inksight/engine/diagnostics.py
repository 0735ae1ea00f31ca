"""A report of what computes on this machine, and why."""

import os

import jax

from inksight.engine import library as native
from inksight.engine.ops import engine, shortfall


def examine() -> dict[str, str | int | None]:
    """Return the engine's build, the choice for training and for prediction, and the reason, by name.

    Where there is no engine, what only the engine has is None.
    """
    path, backend = native.library_path(), jax.default_backend()
    if problem := native.problem() or shortfall():
        why = problem
    elif os.environ.get("INKSIGHT_ENGINE") == "xla":
        why = "INKSIGHT_ENGINE asks for XLA"
    elif backend != "cpu":
        why = f"JAX trains on {backend}"
    elif os.environ.get("INKSIGHT_ISA"):
        why = "INKSIGHT_ISA asks for it"
    else:
        why = "the fastest that this processor and this build support"
    return {
        "training": engine(),
        "prediction": native.engine() or "xla",
        "why": why,
        "library": None if path is None else str(path),
        "instruction sets": ", ".join(native.available()) or None,
        "threads": native.threads() or None,
        "peak": f"{native.peak():.0f} GFLOP/s of multiply-adds" if native.library() else None,
        "jax": f"{jax.__version__} on {backend}",
    }
