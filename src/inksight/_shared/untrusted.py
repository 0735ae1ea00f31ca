"""Reading untrusted files: bounded memory, and one `InputError` for any damage."""

import bz2
import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from inksight.errors import InksightError, InputError

GZIP, BZIP2 = b"\x1f\x8b", b"BZh"  # the first bytes of every file of these kinds
_GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
_BZIP2_ERRORS = (EOFError, OSError, ValueError)
_CHUNK = 1 << 20  # bytes: requested from a stream at once


class Readable(Protocol):
    """A binary stream: a file, an unpacked gzip file or a member of a zip archive."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, or none at the end of the stream."""
        ...


@contextmanager
def damage_as_input_error(
    path: Path,
    kind: str,
    errors: type[Exception] | tuple[type[Exception], ...] = Exception,
    *,
    warned: bool = True,
) -> Iterator[None]:
    """Convert the errors and warnings of a library that reads a damaged file to an `InputError`.

    Parameters
    ----------
    path : Path
        The file, for the message.
    kind : str
        The expected kind of file with its article, for the message: ``a picture``.
    errors : exception type or tuple of exception types
        The exceptions to convert. By default all, because decoders raise almost any exception on damaged bytes.
    warned : bool
        Whether to convert warnings, too. This changes the warning filters for all threads while the block runs.
    """
    try:
        with warnings.catch_warnings() if warned else nullcontext():
            if warned:
                warnings.simplefilter("error")
            yield
    except (InksightError, MemoryError):
        raise
    except errors as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(
            f"{str(path)!r} is damaged or is not {kind} ({reason}): download or create it again"
        ) from error


@contextmanager
def open_unpacked(path: Path) -> Iterator[Readable]:
    """Open `path` for reading bytes. A gzip or bzip2 file, known by its first bytes, is unpacked while it is read."""
    with path.open("rb") as file:
        head = file.peek(3)[:3]
        if head.startswith(GZIP):
            with damage_as_input_error(path, "a gzip file", _GZIP_ERRORS), gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        elif head == BZIP2:
            with damage_as_input_error(path, "a bzip2 file", _BZIP2_ERRORS), bz2.BZ2File(file) as unpacked:
                yield unpacked
        else:
            yield file


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
    """Return all bytes of a file, unpacked. Raise `InputError` if they are more than `memory_limit`."""
    with open_unpacked(path) as stream:
        content = read_bounded(stream, memory_limit + 1)
    check_memory(path, len(content), memory_limit, "at least ")
    return content


def check_memory(path: Path, needed: int, memory_limit: int, qualifier: str = "") -> None:
    """Raise `InputError` if `needed` is more than `memory_limit`, both in bytes."""
    if needed > memory_limit:
        raise InputError(
            f"{str(path)!r} needs {qualifier}{needed:,} bytes of memory, {memory_limit:,} are allowed: "
            "check that it is the right file, or raise memory_limit"
        )
