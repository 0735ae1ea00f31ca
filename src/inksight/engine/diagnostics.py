"""A report of what computes on this machine, and why."""

import os
from importlib.metadata import PackageNotFoundError, version

from inksight.engine import library as native
from inksight.engine.choice import shortfall, training_engine
from inksight.engine.interface import ABI


def examine() -> dict[str, str | int | None]:
    """Return the engine's build, the choice for training and for prediction, and the reason, by name.

    Where there is no engine, what only the engine has is None.
    """
    path = native.library_path()
    if problem := native.problem() or shortfall():
        why = problem
    elif wanted := native.wanted_engine():
        why = f"INKSIGHT_ENGINE is {wanted}"
    elif os.environ.get("INKSIGHT_ISA"):
        why = "INKSIGHT_ISA asks for it"
    else:
        why = "the fastest that this processor and this build support"
    return {
        "training": training_engine(),
        "prediction": native.engine() or "numpy",
        "why": why,
        "library": None if path is None else str(path),
        "compiler": native.compiler(),
        "instruction sets": ", ".join(native.available()) or None,
        "threads": native.threads() or None,
        "peak": f"{native.peak():.0f} GFLOP/s of multiply-adds" if native.library() else None,
        "interface": ABI if native.library() else None,
        "jax": _version("jax"),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
