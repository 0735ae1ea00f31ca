"""Functions that worker processes call in tests, and what jobs leave behind."""

import os
import signal
import time

from inksight.engine import library
from inksight.errors import InputError
from inksight.scale.shard import read_shard


def die_at(fatal, number):
    """Return the square of a number, but let the process die at one."""
    if not isinstance(fatal, int):
        raise InputError(f"not a number: {fatal!r}")
    if number == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def threads_of_engine(text):
    """Return the number of the engine's threads; print something, as libraries do."""
    os.write(1, text.encode())
    os.write(2, text.encode())
    return library.threads()


def write_number(folder, _task):
    """Leave a file named after this process, and take long."""
    (folder / str(os.getpid())).touch()
    time.sleep(600)


def die_always(*_arguments):
    """Let the process die."""
    os.kill(os.getpid(), signal.SIGKILL)


def read_shard_slowly(*arguments):
    """Read a shard in half a second or more, so that there is time to take its machine away."""
    time.sleep(0.5)
    return read_shard(*arguments)


def parts(folder):
    """Return the bytes of the parts in a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*.parquet"))}
