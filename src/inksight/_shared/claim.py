"""Claims on files and folders, so that a second process that writes the same one is warned or refused."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inksight._shared.progress import say
from inksight.errors import InputError

if sys.platform != "win32":  # which has no advisory locks
    import fcntl


@contextmanager
def claimed(path: str | os.PathLike[str], warn: bool = True, alone: bool = False) -> Iterator[None]:
    """Hold a claim on a file or a folder while the block runs; warn on standard error if another process holds one.

    The claim is an advisory lock of a hidden file, beside a file or in a folder. The system releases it when the
    process ends, however it ends. Where there are no such locks, nothing is claimed.

    Parameters
    ----------
    path : path-like
        A file, which need not exist, or a folder.
    warn : bool
        Whether to print the warning.
    alone : bool
        Whether to raise an error instead, where two processes would spoil each other's work.

    Raises
    ------
    InputError
        With `alone`, if another process holds a claim.
    """
    target = Path(path)
    hidden = target / ".inksight.lock" if target.is_dir() else target.with_name(f".{target.name[:200]}.inksight.lock")
    descriptor = None
    try:
        descriptor = lock(hidden)
    except BlockingIOError:
        if alone:
            raise InputError(
                f"another process is using {str(path)!r}: wait until it has ended, or give another name"
            ) from None
        say(f"inksight: warning: another process is writing {str(path)!r}, and each replaces what the other "
            "writes: stop one of them, or give another name", warn)  # fmt: skip
    except OSError:
        pass  # a file system without locks
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                hidden.unlink()
            with suppress(OSError):  # the lock ends all the same
                os.close(descriptor)


def lock(path: Path) -> int | None:
    """Lock a file, which is created if it does not exist, until the descriptor returned is closed or the process ends.

    Return None on systems without advisory locks.

    Raises
    ------
    BlockingIOError
        If another process has locked it.
    OSError
        If it cannot be opened, is a link, or the file system has no locks.
    """
    if sys.platform == "win32":
        return None
    while True:
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)  # NONBLOCK: a FIFO
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
