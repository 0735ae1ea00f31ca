"""Claims on files and folders, so that a second process that writes the same one can be warned about."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inksight._shared.progress import say

if sys.platform != "win32":  # which has no advisory locks
    import fcntl


@contextmanager
def claimed(path: str | os.PathLike[str], warn: bool = True) -> Iterator[None]:
    """Hold a claim on a file or a folder while the block runs; warn on standard error if another process holds one.

    The claim is an advisory lock of a hidden file, beside a file or in a folder. The system releases it when the
    process ends, however it ends. Where there are no such locks, nothing is claimed.

    Parameters
    ----------
    path : path-like
        A file, which need not exist, or a folder.
    warn : bool
        Whether to print the warning.
    """
    target = Path(path)
    lock = target / ".lock" if target.is_dir() else target.with_name(f".{target.name[:200]}.lock")
    descriptor = None
    try:
        descriptor = _lock(lock)
    except BlockingIOError:
        say(f"inksight: warning: another process is writing {str(path)!r}, and each replaces what the other "
            "writes: stop one of them, or give another name", warn)  # fmt: skip
    except OSError:
        pass  # a file system without locks
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                lock.unlink()
            os.close(descriptor)


def _lock(path: Path) -> int | None:
    """Return the descriptor of a file that is locked and exists; raise `BlockingIOError` if another process has it."""
    if sys.platform == "win32":
        return None
    while True:
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the process that had it has just removed the file: another one must be locked
