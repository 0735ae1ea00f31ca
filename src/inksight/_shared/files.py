"""Writing files so that a reader never meets half of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inksight.errors import InputError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file beside `path` and rename it into place once it is whole.

    Parameters
    ----------
    path : path-like
        The file to make or replace; its folder must exist.

    Yields
    ------
    Path
        A name beside `path`, with the same suffix, that does not exist yet: write there.
        If the block raises, the file is removed and `path` stays as it was.

    Raises
    ------
    InputError
        If the folder is missing, `path` is a folder, or either cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "note.txt"
    ...     with replacing(path) as beside:
    ...         size = beside.write_text("whole")
    ...     path.read_text()
    'whole'
    """
    target = Path(path)
    beside = None
    try:
        if target.is_dir():
            raise InputError(f"cannot write {str(target)!r}: it is a folder; give the name of a file in it")
        if not target.parent.is_dir():
            folder = str(target.parent)
            raise InputError(f"cannot write {str(target)!r}: folder {folder!r} does not exist; make it first")
        # The suffix stays last because libraries choose a format, or append one, by it.
        beside = target.with_name(f".{target.stem[:40]}-{os.urandom(4).hex()}{target.suffix}")
        yield beside
        beside.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {str(target)!r}: {error.strerror or error}") from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise what `replacing` would, before any work is done whose result it would lose."""
    with suppress(_NotNeeded), replacing(path) as beside:
        beside.touch()
        raise _NotNeeded


class _NotNeeded(Exception):
    """Ends a trial write without leaving a file."""


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder, and those above it, unless it is there; an `InputError` if that can't be."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make folder {os.fspath(path)!r}: {error.strerror or error}") from error
    return folder


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all; errors as `replacing` raises them."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`, whole or not at all; errors as `replacing` raises them."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def shown(value: object) -> str:
    """Return a text that any terminal, file and page takes, whatever bytes a file's name is made of.

    Examples
    --------
    >>> print(shown("caf" + chr(0xDCE9) + ".png"))
    caf\\udce9.png
    """
    return str(value).encode("utf-8", "backslashreplace").decode()
