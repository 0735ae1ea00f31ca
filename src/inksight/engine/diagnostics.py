"""What computes on this machine, and why."""

import os

import jax

from inksight.engine import library as native
from inksight.engine.ops import engine


def examine() -> dict[str, str | int | None]:
    """Return what was built, what was chosen for training and for prediction, and why; names of facts and facts."""
    path, backend = native.library_path(), jax.default_backend()
    if path is None:
        why = "the native engine was not built: install a C++ compiler, then inksight again"
    elif native.library() is None:
        why = f"{path} was built for another machine: install inksight again"
    elif os.environ.get("INKSIGHT_ENGINE") == "xla":
        why = "INKSIGHT_ENGINE asks for XLA"
    elif backend != "cpu":
        why = f"JAX trains on {backend}"
    elif os.environ.get("INKSIGHT_ISA"):
        why = "INKSIGHT_ISA asks for it"
    else:
        why = "the best that this processor and this build have"
    return {
        "training": engine(),
        "prediction": native.engine() or "xla",
        "why": why,
        "library": None if path is None else str(path),
        "instruction sets": ", ".join(native.available()) or None,
        "threads": native.threads(),
        "peak": f"{native.peak():.0f} GFLOP/s of multiply-adds" if native.library() else None,
        "jax": f"{jax.__version__} on {backend}",
    }
