"""Reading untrusted files: bounded memory, and one `InputError` for any damage."""

import bz2
import errno
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Protocol

from inksight.errors import (
    DamagedFileError,
    InksightError,
    InputError,
    MissingFileError,
    TooLargeError,
    UnsupportedFileError,
)

GZIP, BZIP2 = b"\x1f\x8b", b"BZh"  # the first bytes of every file of these kinds
_GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
_BZIP2_ERRORS = (EOFError, OSError, ValueError)
FREE_UNPACKED = 64 << 20  # bytes: what any packed file may become
MAX_RATIO = 30  # unpacked bytes per packed byte, in addition; digits have about ten
_NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
_CHUNK = 1 << 20  # bytes: requested from a stream at once


class Readable(Protocol):
    """A binary stream: a file, an unpacked gzip file or a member of a zip archive."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, or none at the end of the stream."""
        ...


def check_is_file(path: Path, advice: str) -> None:
    """Raise `UnsupportedFileError` that says what `path` is instead of a file; do nothing if it does not exist.

    Opening a FIFO would wait for a writer, and a device may have no end.
    """
    exists = os.path.exists(path)  # noqa: PTH110 - unlike `Path.exists`, also for names that are too long
    if not exists and os.path.islink(path):  # noqa: PTH114
        raise MissingFileError(
            f"{str(path)!r} is a link to a file that does not exist, {str(path.readlink())!r}: {advice}"
        )
    if exists and not path.is_file():
        kind = next(kind for kind, is_kind in _KINDS.items() if is_kind(path))
        raise UnsupportedFileError(f"{str(path)!r} is {kind}, not a file: {advice}")


def unreadable(path: str | os.PathLike[str], error: OSError | ValueError) -> InputError:
    """Return the error of a file that cannot be opened or read: `MissingFileError` if no file can have its name."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    missing = isinstance(error, ValueError) or error.errno in _NO_SUCH_FILE  # the former for a null character
    kind = MissingFileError if missing else InputError
    return kind(f"cannot read {os.fspath(path)!r:.200}: {reason}; check its name and permissions")


_KINDS: dict[str, Callable[[Path], bool]] = {
    "a folder": Path.is_dir,
    "a FIFO": Path.is_fifo,
    "a socket": Path.is_socket,
    "a device": lambda path: True,
}


@contextmanager
def damage_as_input_error(
    path: str | Path, kind: str, errors: type[Exception] | tuple[type[Exception], ...] = Exception
) -> Iterator[None]:
    """Convert the errors of a library that reads a damaged file to a `DamagedFileError`.

    Parameters
    ----------
    path : str or Path
        The file, for the message.
    kind : str
        The expected kind of file with its article, for the message: ``a picture``.
    errors : exception type or tuple of exception types
        The exceptions to convert. By default all, because decoders raise almost any exception on damaged bytes.
    """
    try:
        yield
    except (InksightError, MemoryError):
        raise
    except errors as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise DamagedFileError(
            f"{str(path)!r} is damaged or is not {kind} ({reason}): download or create it again"
        ) from error


@contextmanager
def open_unpacked(path: Path) -> Iterator[Readable]:
    """Open `path` for reading bytes. A gzip or bzip2 file, known by its first bytes, is unpacked while it is read."""
    check_is_file(path, "give a file")
    with path.open("rb") as file:
        head = file.peek(3)[:3]
        if head.startswith(GZIP):
            with damage_as_input_error(path, "a gzip file", _GZIP_ERRORS), gzip.GzipFile(fileobj=file) as unpacked:
                yield _Unpacked(path, unpacked)
        elif head == BZIP2:
            with damage_as_input_error(path, "a bzip2 file", _BZIP2_ERRORS), bz2.BZ2File(file) as unpacked:
                yield _Unpacked(path, unpacked)
        else:
            yield file


class _Unpacked:
    """A compressed file that raises `TooLargeError` as soon as it has unpacked to too much."""

    def __init__(self, path: Path, stream: Readable) -> None:
        self.path, self.stream, self.packed, self.unpacked = path, stream, path.stat().st_size, 0

    def read(self, size: int, /) -> bytes:
        chunk = self.stream.read(size)
        self.unpacked += len(chunk)
        check_ratio(self.path, self.unpacked, self.packed)
        return chunk


def check_ratio(path: Path, unpacked: int, packed: int) -> None:
    """Raise `TooLargeError` if `packed` bytes become so many that they are hardly digits but a decompression bomb."""
    if unpacked > FREE_UNPACKED + MAX_RATIO * packed:
        raise TooLargeError(
            f"{str(path)!r} unpacks to more than {MAX_RATIO} times its size, {packed:,} bytes: check that it is the "
            "right file, or unpack it first"
        )


def read_bounded(stream: Readable, limit: int) -> bytearray:
    """Read up to `limit` bytes, fewer only at the end of `stream`.

    The bytes are read in chunks: a request for 4 GB at once would allocate 4 GB even if the stream has ten bytes.

    Examples
    --------
    >>> import io
    >>> read_bounded(io.BytesIO(b"digits"), 3)
    bytearray(b'dig')
    """
    content = bytearray()
    while len(content) < limit and (chunk := stream.read(min(_CHUNK, limit - len(content)))):
        content += chunk
    return content


def read_unpacked(path: Path, memory_limit: int) -> bytearray:
    """Return all bytes of a plain or gzipped file. Raise `TooLargeError` if they are more than `memory_limit`."""
    with open_unpacked(path) as stream:
        content = read_bounded(stream, memory_limit + 1)
    check_memory(path, len(content), memory_limit, "at least ")
    return content


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text. Raise `InputError` for text that is not JSON, and for what Python adds to JSON.

    Duplicate keys are an error, because other programs may read another one of them; so are NaN and Infinity.

    Examples
    --------
    >>> parse_json('{"epochs": 3, "epochs": 4}')
    Traceback (most recent call last):
    inksight.errors.InputError: JSON object must have each name once, got 'epochs' twice
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (RecursionError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(f"not JSON ({error})") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"JSON object must have each name once, got {twice!r} twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise InputError(f"JSON must hold finite numbers, got {name}")


def check_memory(path: Path, needed: int, memory_limit: int, qualifier: str = "") -> None:
    """Raise `TooLargeError` if `needed` is more than `memory_limit`, both in bytes."""
    if needed > memory_limit:
        raise TooLargeError(
            f"{str(path)!r} needs {qualifier}{needed:,} bytes of memory, {memory_limit:,} are allowed: "
            "check that it is the right file, or raise memory_limit"
        )
