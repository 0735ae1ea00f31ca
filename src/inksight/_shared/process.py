"""Worker processes: their start, the cores they may use, and how they ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from inksight.errors import InksightError


def start_worker(
    module: str, *arguments: str, threads: int, stdout: int | None = None, stderr: int | IO[bytes] = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Run a module of this package in a new interpreter, with a pipe to its standard input.

    The process inherits nothing of its parent's memory, and a script that starts it needs no
    ``if __name__ == "__main__"``.

    Parameters
    ----------
    module : str
        Name of the module.
    *arguments : str
        Its arguments.
    threads : int
        Threads of the engine (``INKSIGHT_THREADS``).
    stdout, stderr : int or file
        As for `subprocess.Popen`.

    Raises
    ------
    InksightError
        If the system has too few resources for another process.
    """
    # The process has the same module path. Its own session shields it from the terminal's Ctrl-C: the caller stops it.
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    environment = os.environ | {"INKSIGHT_THREADS": str(threads), "PYTHONPATH": path}
    if threads == 1:  # for JAX, too, should it train
        flags = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
        environment["XLA_FLAGS"] = flags.strip()
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE, stdout=stdout or subprocess.DEVNULL, stderr=stderr,
            env=environment, start_new_session=True,
        )  # fmt: skip
    except OSError as error:  # too many processes or open files, or too little memory
        raise InksightError(f"cannot start a process: {error.strerror}; use fewer workers") from error


def describe_end(code: int) -> str:
    """Return what the exit code of a process means.

    Examples
    --------
    >>> describe_end(-9), describe_end(3)
    ('was ended by SIGKILL', 'exited with code 3')
    """
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
