"""Reading files nobody vouches for: unpacked on the fly, never more than allowed, one line when damaged."""

import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from inksight.errors import InksightError, InputError

GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


class Readable(Protocol):
    """What the streams of files, gzip and zip members have in common."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


@contextmanager
def damage_as_input_error(
    path: Path,
    kind: str,
    errors: type[Exception] | tuple[type[Exception], ...] = Exception,
    *,
    warned: bool = True,
) -> Iterator[None]:
    """Turn what a library raises, or warns of, when it meets a damaged file into one `InputError`.

    Parameters
    ----------
    path : Path
        The file, for the message.
    kind : str
        What it was taken for, for the message.
    errors : exception type or tuple of them
        What to turn. Decoders raise nearly anything at damaged bytes, hence the default.
    warned : bool
        Turn warnings, too, which for this while changes the filters that all threads share.
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
        raise InputError(f"{str(path)!r} is damaged or no {kind} ({reason}): fetch or make it again") from error


@contextmanager
def opened(path: Path) -> Iterator[Readable]:
    """Open `path` for reading bytes; gzip, known by its first two bytes, is unpacked as it is read."""
    with path.open("rb") as file:
        if file.peek(2)[:2] != GZIP:
            yield file
            return
        errors = (EOFError, gzip.BadGzipFile, zlib.error)
        with damage_as_input_error(path, "gzip file", errors), gzip.GzipFile(fileobj=file) as unpacked:
            yield unpacked


def take(stream: Readable, most: int) -> bytearray:
    """Read up to `most` bytes, fewer only at the end of `stream`.

    Memory grows with what is there, not with what was promised: asking a stream for 4 GB at once would set
    them aside even if it holds ten bytes.

    Examples
    --------
    >>> import io
    >>> take(io.BytesIO(b"digits"), 3)
    bytearray(b'dig')
    """
    taken = bytearray()
    while len(taken) < most and (chunk := stream.read(min(_CHUNK, most - len(taken)))):
        taken += chunk
    return taken


def whole(path: Path, memory_limit: int) -> bytearray:
    """Return all bytes of `path`, unpacked; an `InputError` if they are more than `memory_limit`."""
    with opened(path) as stream:
        content = take(stream, memory_limit + 1)
    check_memory(path, len(content), memory_limit, "at least ")
    return content


def check_memory(path: Path, needed: int, memory_limit: int, about: str = "") -> None:
    """Raise `InputError` if `needed` bytes are more than `memory_limit`."""
    if needed > memory_limit:
        raise InputError(
            f"{str(path)!r} needs {about}{needed:,} bytes of memory, {memory_limit:,} are allowed: "
            "check that the file is what you think, or raise memory_limit"
        )
