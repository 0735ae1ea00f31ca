"""The native engine's library: where it is installed, what this machine supports, and why it may be unusable."""

import ctypes
import os
import re
import sysconfig
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.engine.interface import declare
from inksight.errors import InputError

NAMES = ("libinksight.so", "libinksight.dylib", "libinksight.dll")
ISAS = ("avx512", "avx2", "neon", "portable")  # the fastest first
MAX_THREADS = 1024


def library() -> ctypes.CDLL | None:
    """Return the engine's library, loaded once, or None if it was not built or is unusable: see `problem`.

    Raises
    ------
    InputError
        If ``INKSIGHT_ISA`` names an unknown instruction set, or one that this machine lacks, or ``INKSIGHT_THREADS`` is
        not a number of threads.
    """
    return load()[0]


def problem() -> str | None:
    """Return one line that says why the engine is missing and what to do, or None if it is usable."""
    return load()[1]


@cache
def load() -> tuple[ctypes.CDLL | None, str | None]:
    """Return the library, or None and what `problem` says."""
    isa, threads = os.environ.get("INKSIGHT_ISA", ""), os.environ.get("INKSIGHT_THREADS", "")
    check(isa in ("", *ISAS), "INKSIGHT_ISA", isa, f"one of {', '.join(ISAS)}, or unset")
    is_number = re.fullmatch("[0-9]{1,4}", threads) is not None and 1 <= int(threads) <= MAX_THREADS
    check(not threads or is_number, "INKSIGHT_THREADS", threads, f"a whole number from 1 to {MAX_THREADS}, or unset")
    path = library_path()
    if path is None:
        return None, "the native engine was not built: install a C++ compiler, then inksight again"
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError:
        if not path.is_file():
            return None, f"{path} does not exist: correct INKSIGHT_LIBRARY, or unset it"
        return None, f"{path} was built for another machine: install inksight again"
    if difference := declare(loaded):
        return None, f"{path} has {difference}: install inksight again to rebuild the engine"
    if isa and not loaded.inksight_use(isa.encode()):
        raise InputError(f"INKSIGHT_ISA is {isa!r}, which this processor or this build lacks: unset it")
    loaded.inksight_choose_threads(int(threads or 0))
    return loaded, None


def library_path() -> Path | None:
    """Return the path of the engine's library, or None if it is not installed."""
    if override := os.environ.get("INKSIGHT_LIBRARY"):  # a build with other options, such as sanitizers
        return Path(override)
    # An editable install leaves the sources in place and puts the library into the site packages.
    folders = (Path(__file__).parents[1], Path(sysconfig.get_path("platlib")) / "inksight")
    return next((folder / name for folder in folders for name in NAMES if (folder / name).is_file()), None)


def wanted_engine() -> str:
    """Return ``INKSIGHT_ENGINE``: empty, ``native``, ``jax`` (for training) or ``numpy`` (predicts, cannot train)."""
    wanted = os.environ.get("INKSIGHT_ENGINE", "")
    check(wanted in ("", "native", "jax", "numpy"), "INKSIGHT_ENGINE", wanted, "native, jax or numpy, or unset")
    return wanted


def computes() -> bool:
    """Return whether the engine predicts and preprocesses: it is usable, and nothing else was asked for."""
    return wanted_engine() != "numpy" and library() is not None


def address(array: NDArray[np.generic]) -> int:
    """Return the address of an array's data. Faster than ``array.ctypes``, which matters for single images."""
    return int(array.__array_interface__["data"][0])


def engine() -> str | None:
    """Return ``native-avx512``, ``native-avx2``, ``native-neon`` or ``native`` (portable); None if NumPy computes."""
    if not computes():
        return None
    return "native" if isa() == "portable" else f"native-{isa()}"


def compiler() -> str | None:
    """Return the name and the version of the compiler that built the engine, or None without the engine."""
    loaded = library()
    return None if loaded is None else loaded.inksight_compiler().decode()


def isa() -> str | None:
    """Return the instruction set in use, one of `ISAS`, or None without the engine."""
    loaded = library()
    return None if loaded is None else loaded.inksight_isa().decode()


def use(name: str) -> bool:
    """Switch to another instruction set of `ISAS`. Return False, and change nothing, if this machine lacks it."""
    loaded = library()
    return loaded is not None and bool(loaded.inksight_use(name.encode()))


def threads() -> int:
    """Return the engine's number of threads: ``INKSIGHT_THREADS``, or the cores that the process may use.

    The threads start with the first work that needs them. A forked process starts its own. Without the engine, the
    number is 0.
    """
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
