"""The native engine's library: where it is installed, what this machine supports, and why it may be unusable."""

import ctypes
import os
import sysconfig
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.errors import InputError

ABI = 1  # number: the C interface that this package calls, INKSIGHT_ABI in native/api/inksight.h
NAMES = ("libinksight.so", "libinksight.dylib")
ISAS = ("avx512", "avx2", "portable")  # the fastest first


@cache
def library() -> ctypes.CDLL | None:
    """Load the engine's library once. Return None if it was not built or is unusable: see `problem`.

    Raises
    ------
    InputError
        If ``INKSIGHT_ISA`` names an unknown instruction set, or one that this machine lacks.
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
    if _abi(loaded) != ABI:
        return None
    loaded.inksight_isa.restype = ctypes.c_char_p
    loaded.inksight_threads.restype = ctypes.c_int
    loaded.inksight_peak.restype = ctypes.c_double
    if wanted and not loaded.inksight_use(wanted.encode()):
        raise InputError(f"INKSIGHT_ISA is {wanted!r}, which this processor or this build lacks: unset it")
    return loaded


def problem() -> str | None:
    """Return one line that says why the engine is missing and what to do, or None if it is usable."""
    if library() is not None:
        return None
    path = library_path()
    if path is None:
        return "the native engine was not built: install a C++ compiler, then inksight again"
    try:
        abi = _abi(ctypes.CDLL(str(path)))
    except OSError:
        return f"{path} was built for another machine: install inksight again"
    return f"{path} has interface {abi}, but this inksight needs {ABI}: install inksight again to rebuild the engine"


def _abi(loaded: ctypes.CDLL) -> int:
    """Return the version of a library's C interface; 0 for libraries from before it was numbered."""
    return int(loaded.inksight_abi()) if hasattr(loaded, "inksight_abi") else 0


def library_path() -> Path | None:
    """Return the path of the engine's library, or None if it is not installed."""
    if override := os.environ.get("INKSIGHT_LIBRARY"):  # a build with other options, such as sanitizers
        return Path(override)
    # An editable install leaves the sources in place and puts the library into the site packages.
    folders = (Path(__file__).parents[1], Path(sysconfig.get_path("platlib")) / "inksight")
    return next((folder / name for folder in folders for name in NAMES if (folder / name).is_file()), None)


def computes() -> bool:
    """Return whether the engine is usable and ``INKSIGHT_ENGINE`` does not ask for XLA."""
    wanted = os.environ.get("INKSIGHT_ENGINE", "")
    check(wanted in ("", "native", "xla"), "INKSIGHT_ENGINE", wanted, "native or xla, or unset")
    return wanted != "xla" and library() is not None


def preprocesses() -> bool:
    """Return whether the engine preprocesses pictures."""
    return computes() and hasattr(library(), "inksight_preprocess")


def address(array: NDArray[np.generic]) -> int:
    """Return the address of an array's data. Faster than ``array.ctypes``, which matters for single images."""
    return int(array.__array_interface__["data"][0])


def engine() -> str | None:
    """Return ``native-avx512``, ``native-avx2`` or ``native`` (portable), or None if XLA computes."""
    if not computes():
        return None
    return "native" if isa() == "portable" else f"native-{isa()}"


def isa() -> str | None:
    """Return the instruction set in use, one of `ISAS`, or None without the engine."""
    loaded = library()
    return None if loaded is None else loaded.inksight_isa().decode()


def use(name: str) -> bool:
    """Switch to another instruction set of `ISAS`. Return False, and change nothing, if this machine lacks it."""
    loaded = library()
    return loaded is not None and bool(loaded.inksight_use(name.encode()))


def threads() -> int:
    """Return the engine's number of threads: ``INKSIGHT_THREADS``, or the cores that the process may use."""
    loaded = library()
    return 0 if loaded is None else int(loaded.inksight_threads())


def peak() -> float:
    """Measure the machine's limit in GFLOP/s: multiply-adds on registers, on all threads together."""
    loaded = library()
    return float("nan") if loaded is None else 2e-9 * float(loaded.inksight_peak())


def available() -> list[str]:
    """Return the instruction sets that this processor and this build support, the fastest first."""
    current = isa()
    names = [name for name in ISAS if use(name)]
    if current:
        use(current)
    return names
