"""Temporary files and folders, named after their process so that a later one can remove what a killed one left."""

import os
import platform
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# A process number means something only on its own machine and in its own container, hence the host in the name.
_NAME = re.compile(r"\.?inksight-(?P<host>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}(\.[^/]*)?")


def temporary_path(folder: Path, suffix: str) -> Path:
    """Return a new hidden name in `folder` that `sweep` recognizes, ending in `suffix`."""
    return folder / f".{_unique_name()}{suffix}"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new folder for temporary files, and remove it at the end; remove those of killed processes first."""
    import shutil  # these two would slow down `inksight --help`
    import tempfile

    parent = Path(tempfile.gettempdir())
    sweep(parent)
    folder = parent / _unique_name()
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove the temporary files and folders in `folder` whose process has ended on this machine.

    Examples
    --------
    >>> with temporary_folder() as folder:
    ...     for name in (f".inksight-{_host()}-4194305-00000000.csv", "mine.csv"):  # no process has so high a number
    ...         size = (folder / name).write_text("")
    ...     sweep(folder)
    ...     [path.name for path in folder.iterdir()]
    ['mine.csv']
    """
    import shutil

    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            match = _NAME.fullmatch(entry.name)
            if match and match["host"] == _host() and not _is_running(int(match["process"])):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with suppress(OSError):  # another user's, or removed meanwhile
                        Path(entry.path).unlink()


def _unique_name() -> str:
    return f"inksight-{_host()}-{os.getpid()}-{os.urandom(4).hex()}"


def _host() -> str:
    """Return the digest of the machine's name and, since containers may share it, of the namespace of processes."""
    namespace = ""
    with suppress(OSError):  # not on Linux
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - it is not the path of a file
    return f"{zlib.crc32((platform.node() + namespace).encode()):08x}"


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it runs, for another user
        pass
    return True
