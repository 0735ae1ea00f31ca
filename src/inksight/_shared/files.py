"""Atomic file writes: a reader sees the old file or the new one, never a part of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inksight.errors import InputError


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
    """Yield a temporary file name and rename the file to `path` when the block ends without an error.

    Parameters
    ----------
    path : path-like
        The file to create or replace. Its folder must exist.

    Yields
    ------
    Path
        The name of a file that does not exist yet, in the same folder and with the same suffix. Write the content
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
    target = as_path(path)
    temporary = None
    try:
        if target.is_dir():
            raise InputError(f"cannot write {str(target)!r}: it is a folder; give the name of a file in it")
        if not target.parent.is_dir():
            folder = str(target.parent)
            raise InputError(f"cannot write {str(target)!r}: folder {folder!r} does not exist; create it first")
        # The suffix comes last because libraries choose the format by it, or append one that is missing.
        temporary = target.with_name(f".{target.stem[:40]}-{os.urandom(4).hex()}{target.suffix}")
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {str(target)!r}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise the error that `replacing` would raise. Call it before long work that ends in a file."""
    with suppress(_TrialWriteDone), replacing(path) as temporary:
        temporary.touch()
        raise _TrialWriteDone


class _TrialWriteDone(Exception):
    """Leaves `replacing` without creating the file."""


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Create a folder and its parents if they do not exist. Raise `InputError` if that fails."""
    folder = as_path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make folder {os.fspath(path)!r}: {error.strerror or error}; give another path"
        ) from error
    return folder


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically. Raises the same errors as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`, atomically. Raises the same errors as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def display_name(value: object) -> str:
    """Return `str(value)` as text that can be encoded as UTF-8, whatever bytes a file name consists of.

    Examples
    --------
    >>> print(display_name("caf" + chr(0xDCE9) + ".png"))
    caf\\udce9.png
    """
    return str(value).encode("utf-8", "backslashreplace").decode()
