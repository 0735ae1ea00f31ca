"""Processes of tests, found in /proc."""

from pathlib import Path


def workers_of(number):
    """Return the numbers of the worker processes that a process has started and that still run, in ascending order."""
    threads = Path(f"/proc/{number}/task").iterdir()
    children = [int(child) for thread in threads for child in _read(thread / "children").split()]
    return sorted(child for child in children if runs(child) and "popen_loky" in _read(f"/proc/{child}/cmdline"))


def runs(number):
    """Return whether a process exists and is not one that has ended and only waits for its parent."""
    status = _read(f"/proc/{number}/status")
    return bool(status) and "\nState:\tZ" not in status


def _read(path):
    """Return the text of a file in /proc, empty if its process or thread has ended meanwhile."""
    try:
        return Path(path).read_text()
    except (ProcessLookupError, FileNotFoundError):
        return ""
