"""Processes of tests, found in /proc."""

from pathlib import Path


def workers_of(number):
    """Return the numbers of the worker processes that a process has started and that still run, in ascending order."""
    children = [
        child
        for thread in Path(f"/proc/{number}/task").iterdir()
        for child in map(int, (thread / "children").read_text().split())
    ]
    return sorted(child for child in children if runs(child) and "popen_loky" in _command(child))


def runs(number):
    """Return whether a process exists and is not one that has ended and only waits for its parent."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def _command(number):
    return Path(f"/proc/{number}/cmdline").read_text()
