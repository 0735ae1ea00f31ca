"""The native engine: where its library lies, what it offers on this machine, and why it may be missing."""

import ctypes
import os
import sysconfig
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.errors import InputError

NAMES = ("libinksight.so", "libinksight.dylib")
ISAS = ("avx512", "avx2", "portable")


@cache
def library() -> ctypes.CDLL | None:
    """Return the engine's library, loaded once, or None where it was not built.

    Raises
    ------
    InputError
        If ``INKSIGHT_ISA`` names no instruction set the engine knows, or one this machine lacks.
    """
    wanted = os.environ.get("INKSIGHT_ISA", "")
    if wanted and wanted not in ISAS:
        raise InputError(f"INKSIGHT_ISA must be one of {', '.join(ISAS)}, or unset, got {wanted!r}")
    path = library_path()
    if path is None:
        return None
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError:  # built for another machine
        return None
    loaded.inksight_isa.restype = ctypes.c_char_p
    loaded.inksight_threads.restype = ctypes.c_int
    loaded.inksight_peak.restype = ctypes.c_double
    if wanted and not loaded.inksight_use(wanted.encode()):
        raise InputError(f"INKSIGHT_ISA is {wanted!r}, which this processor or this build lacks: unset it")
    return loaded


def library_path() -> Path | None:
    """Return where the engine's library was installed, or None."""
    if override := os.environ.get("INKSIGHT_LIBRARY"):  # a build with other options, such as sanitizers
        return Path(override)
    # An editable install keeps the sources where they are and puts what was compiled among the site packages.
    folders = (Path(__file__).parents[1], Path(sysconfig.get_path("platlib")) / "inksight")
    return next((folder / name for folder in folders for name in NAMES if (folder / name).is_file()), None)


def computes() -> bool:
    """Return whether the engine computes; ``INKSIGHT_ENGINE=xla`` in the environment asks for XLA."""
    wanted = os.environ.get("INKSIGHT_ENGINE", "")
    check(wanted in ("", "native", "xla"), "INKSIGHT_ENGINE", wanted, "native or xla, or unset")
    return wanted != "xla" and library() is not None


def prepares() -> bool:
    """Return whether the engine prepares pictures: it computes, and was not built before it could."""
    return computes() and hasattr(library(), "inksight_prepare")


def address(array: NDArray[np.generic]) -> int:
    """Return where an array lies, quicker than ``array.ctypes``, which one image would notice."""
    return int(array.__array_interface__["data"][0])


def engine() -> str | None:
    """Return ``native-avx512``, ``native-avx2`` or ``native`` (portable), or None if XLA is to compute."""
    if not computes():
        return None
    return "native" if isa() == "portable" else f"native-{isa()}"


def isa() -> str | None:
    """Return the instruction set in use, one of `ISAS`, or None without the engine."""
    loaded = library()
    return None if loaded is None else loaded.inksight_isa().decode()


def use(name: str) -> bool:
    """Switch to another instruction set of `ISAS`; False, and nothing changes, if this machine lacks it."""
    loaded = library()
    return loaded is not None and bool(loaded.inksight_use(name.encode()))


def threads() -> int:
    """Return how many threads the engine uses: ``INKSIGHT_THREADS``, or the cores the process may use."""
    loaded = library()
    return 0 if loaded is None else int(loaded.inksight_threads())


def peak() -> float:
    """Measure the machine's limit: multiply-adds on registers alone, by all threads together, in GFLOP/s."""
    loaded = library()
    return float("nan") if loaded is None else 2e-9 * float(loaded.inksight_peak())


def available() -> list[str]:
    """Return the instruction sets that both this processor and this build have, the best first."""
    now = isa()
    names = [name for name in ISAS if use(name)]
    if now:
        use(now)
    return names
