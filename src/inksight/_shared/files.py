"""File writes that leave no part of a file behind: atomic ones, and tables that keep their rows if interrupted."""

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from inksight._shared.claim import lock
from inksight._shared.temporary import sweep, temporary_folder, temporary_path
from inksight.errors import InputError

# Names of the process's own open files: writing to them must not replace the file behind them.
_DESCRIPTORS = ("/dev/fd/", "/dev/std", "/proc/")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class _Target:
    """Where an output goes: to a file, which is replaced, or to a stream, such as a device, which is written to."""

    path: Path  # of the file itself, with links resolved; of a stream, as given
    status: os.stat_result | None  # None if it does not exist
    is_stream: bool

    def create(self, path: Path) -> None:
        """Create `path`, or empty it, with the mode and owner that it will have in place of this file."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666 if self.status is None else 0o600))
        if self.status is not None:
            with suppress(PermissionError):  # only root may give a file to another user
                os.chown(path, self.status.st_uid, self.status.st_gid)
            path.chmod(stat.S_IMODE(self.status.st_mode))


def as_path(path: object) -> Path:
    """Return a path given as a string or a path-like object; raise `InputError` for anything else."""
    name = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(name, str):
        raise InputError(f"path must be a string or a path-like object, got {path!r:.200}")
    return Path(name)


def is_file(path: Path) -> bool:
    """Return whether a path is that of a file; unlike ``Path.is_file``, also for names that are too long."""
    return os.path.isfile(path)  # noqa: PTH113


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary file and rename it to `path` when the block ends without an error.

    A reader of `path` sees the old file or the new one, never a part of it. This holds after a power failure, too, and
    when the block has ended, the new file is on the disk. The mode of an existing file is kept, and a link stays a link
    to the file that is replaced. A device, a FIFO or ``/dev/stdout`` is not replaced: the content is
    copied to it at the end.

    Parameters
    ----------
    path : path-like
        The file to create or replace. Its folder must exist.

    Yields
    ------
    Path
        An empty file with the same suffix, in the same folder unless `path` is a device or a FIFO. Write the content
        there. If the block raises, that file is removed and `path` is left unchanged.

    Raises
    ------
    InputError
        If the folder does not exist, `path` is a folder, or the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "note.txt"
    ...     with replacing(path) as temporary:
    ...         size = temporary.write_text("complete")
    ...     path.read_text()
    'complete'
    """
    with _errors_named(path):
        target = _find_target(path)
        if target.is_stream:
            import shutil  # would slow down `inksight --help`

            with temporary_folder() as folder:
                temporary = folder / f"output{target.path.suffix}"
                temporary.touch()
                yield temporary
                with temporary.open("rb") as written, target.path.open("ab") as stream:
                    shutil.copyfileobj(written, stream)
            return
        # The suffix comes last because libraries choose the format by it, or append one that is missing.
        temporary = temporary_path(target.path.parent, target.path.suffix)
        try:
            target.create(temporary)
            yield temporary
            _move(temporary, target.path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def growing(path: str | os.PathLike[str]) -> Iterator[IO[str]]:
    """Yield a text file of which every complete line is kept, even if the block raises or the process is killed.

    The lines are written to `part_of(path)`, which is renamed to `path` when the block ends without an error. If the
    block raises, the part is left there unless it is empty. Devices, FIFOs, links and modes are treated as by
    `replacing`.

    Raises
    ------
    InputError
        As in `replacing`; also if another process is writing the part, or something else than a file has its name.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     try:
    ...         with growing(Path(folder) / "rows.csv") as file:
    ...             size = file.write("first\\n")
    ...             raise KeyboardInterrupt
    ...     except KeyboardInterrupt:
    ...         [(path.name, path.read_text()) for path in Path(folder).iterdir()]
    [('rows.csv.part', 'first\\n')]
    """
    with _errors_named(path):
        target = _find_target(path)
        part = target.path if target.is_stream else part_of(path)
        descriptor = None if target.is_stream else _lock_part(part, path)
        with ExitStack() as at_the_end:
            if descriptor is not None:
                at_the_end.callback(os.close, descriptor)
            if not target.is_stream:
                at_the_end.callback(_remove_if_empty, part)
                target.create(part)
            with part.open("a", buffering=1, encoding="utf-8", errors="backslashreplace", newline="") as file:
                yield file
            if not target.is_stream:
                _move(part, target.path)


def _remove_if_empty(part: Path) -> None:
    if part.exists() and not part.stat().st_size:
        part.unlink()


def _move(written: Path, path: Path) -> None:
    """Rename a file that has been written, so that no crash leaves an incomplete file under the new name."""
    # A system may write the name to the disk before the content: it must not get the chance.
    _sync(written, os.O_RDWR)  # Windows writes nothing through a descriptor that only reads
    written.replace(path)
    if sys.platform != "win32":  # where folders cannot be opened
        try:
            _sync(path.parent, os.O_RDONLY)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a file system that cannot do this for folders
                raise


def _sync(path: Path, flags: int) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock_part(part: Path, path: str | os.PathLike[str]) -> int | None:
    """Lock the part of a file and return its descriptor; return None where there are no locks."""
    if os.path.lexists(part) and not stat.S_ISREG(part.lstat().st_mode):  # following a link would empty another file
        raise InputError(
            f"cannot write {os.fspath(path)!r}: {str(part)!r} is not a file; move it, or give another name"
        )
    try:
        return lock(part)
    except BlockingIOError:
        raise InputError(
            f"cannot write {os.fspath(path)!r}: another process is writing {str(part)!r}; stop it, or give another name"
        ) from None
    except OSError:  # no locks; or it cannot be written, which creating it will tell
        return None


def part_of(path: str | os.PathLike[str]) -> Path:
    """Return the name of the file in which `growing` keeps the lines of an unfinished file."""
    resolved = Path(os.path.realpath(path))
    return resolved.with_name(f"{resolved.name}.part")


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise the error that `replacing` would raise. Call it before long work that ends in a file.

    It also removes temporary files that killed processes left in the same folder.
    """
    with _errors_named(path):
        if (target := _find_target(path)).is_stream:  # opening a FIFO would wait for its reader
            return
    sweep(target.path.parent)
    with suppress(_TrialWriteDone), replacing(path):
        raise _TrialWriteDone


class _TrialWriteDone(Exception):
    """Leaves `replacing` without creating the file."""


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Return whether `path` is a device, a FIFO or the like, which is written once and not replaced."""
    return _find_target(path).is_stream


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Create a folder and its parents if they do not exist; remove what killed processes left in it.

    Raises
    ------
    InputError
        If that fails.
    """
    folder = as_path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make folder {os.fspath(path)!r}: {error.strerror or error}; give another path"
        ) from error
    sweep(folder)
    return folder


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically. Raises the same errors as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`, atomically. Raises the same errors as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def as_utf8(value: object) -> str:
    """Return `str(value)` as text that can be encoded as UTF-8, whatever bytes a file name consists of.

    Examples
    --------
    >>> print(as_utf8("caf" + chr(0xDCE9) + ".png"))
    caf\\udce9.png
    """
    return str(value).encode("utf-8", "backslashreplace").decode()


def display_name(value: object) -> str:
    """Return `str(value)` as one line to print, with control characters escaped, which terminals would obey.

    Examples
    --------
    >>> print(display_name("two\\nlines" + chr(0xDCE9) + ".png"))
    two\\nlines\\udce9.png
    """
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), as_utf8(value))


def _find_target(path: str | os.PathLike[str]) -> _Target:
    """Return where an output goes. Raise `InputError`, or the system's error, if nothing can be written there."""
    given = as_path(path)
    try:
        status = given.stat()
    except (FileNotFoundError, NotADirectoryError):
        status = None
    except ValueError as error:  # a null character
        raise InputError(f"cannot write {str(given)!r}: {error}; give another name") from error
    if status is not None:
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"cannot write {str(given)!r}: it is a folder; give the name of a file in it")
        if stat.S_ISSOCK(status.st_mode):
            raise InputError(f"cannot write {str(given)!r}: it is a socket; give the name of a file")
        if not os.access(given, os.W_OK):
            raise InputError(f"cannot write {str(given)!r}: it is write-protected; give another name")
        if not stat.S_ISREG(status.st_mode) or str(given.absolute()).startswith(_DESCRIPTORS):
            return _Target(given, status, is_stream=True)
    resolved = Path(os.path.realpath(given))
    if not resolved.parent.is_dir():
        folder = str(resolved.parent if given.is_symlink() else given.parent)
        raise InputError(f"cannot write {str(given)!r}: folder {folder!r} does not exist; create it first")
    return _Target(resolved, status, is_stream=False)


@contextmanager
def _errors_named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Convert the errors of the operating system to an `InputError` with the name of the output."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {os.fspath(path)!r}: {error.strerror or error}") from error
