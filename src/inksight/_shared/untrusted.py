"""Reading untrusted files: bounded memory, and one `InputError` for any damage."""

import gzip
import json
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn, Protocol

from inksight.errors import InksightError, InputError

GZIP = b"\x1f\x8b"  # the first two bytes of every gzip file
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
def open_plain_or_gzip(path: Path) -> Iterator[Readable]:
    """Open `path` for reading bytes. A gzip file, recognized by its first two bytes, is unpacked while it is read."""
    with path.open("rb") as file:
        if file.peek(2)[:2] != GZIP:
            yield file
            return
        errors = (EOFError, gzip.BadGzipFile, zlib.error)
        with damage_as_input_error(path, "a gzip file", errors), gzip.GzipFile(fileobj=file) as unpacked:
            yield unpacked


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
    """Return all bytes of a plain or gzipped file. Raise `InputError` if they are more than `memory_limit`."""
    with open_plain_or_gzip(path) as stream:
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
    """Raise `InputError` if `needed` is more than `memory_limit`, both in bytes."""
    if needed > memory_limit:
        raise InputError(
            f"{str(path)!r} needs {qualifier}{needed:,} bytes of memory, {memory_limit:,} are allowed: "
            "check that it is the right file, or raise memory_limit"
        )
