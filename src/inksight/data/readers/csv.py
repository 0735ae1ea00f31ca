"""CSV: one image per row as decimal numbers, in the layout of Kaggle's Digit Recognizer or a similar one.

The parser is written here because it was the fastest of those measured (`benchmarks/csv_readers.py`), needs only NumPy,
and reports the row of an invalid value. NumPy's own parser reads what the fast one does not: decimals and text.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import Readable, check_memory, open_unpacked
from inksight.config import DIGITS
from inksight.data.readers.class_names import parse_labels
from inksight.data.readers.csv_layout import Layout, detect
from inksight.data.readers.pixels import PIXELS, PixelBuffer
from inksight.data.readers.raw import Raw
from inksight.errors import DamagedFileError, InputError

COLUMNS = ("label", *(f"pixel{i}" for i in range(PIXELS)))
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COMMA, _NEWLINE, _ZERO = b",\n0"
_READ = 1 << 19  # bytes: text read at once
_BLOCK = 1 << 18  # bytes: text parsed at once, so that it and the arrays made from it fit the L2 cache
_BLANK_LINES = re.compile(rb"\n{2,}")
_NUMBER = re.compile(r"[ \t]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
_SAMPLE = 100  # rows from which the layout is found


def read(path: Path, memory_limit: int, label: str | None = None) -> Raw:
    r"""Read a CSV file with one image per row.

    Parameters
    ----------
    path : Path
        Plain or compressed text in UTF-8 or UTF-16. Columns are separated by commas, semicolons, tabs or vertical bars;
        `inksight.data.readers.csv_layout.detect` finds the pixels and the label among them. Pixels are whole numbers
        from 0 to 255, also written with decimals, or numbers from 0 to 1; labels are digits or names.
    memory_limit : int
        Largest number of bytes of text.
    label : str, optional
        The column of the labels; see `inksight.data.readers.csv_layout.detect`.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28); labels None if there is no such column.

    Raises
    ------
    InputError
        If the layout is unknown or ambiguous, a row has another number of columns, a value is out of range, or there
        are no rows. Messages count the rows below the header from 1, without blank ones.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "one.csv"
    ...     size = path.write_text(",".join(COLUMNS) + "\n7" + ",255" * 784)
    ...     raw = read(path, 20_000)
    >>> raw.images.shape, raw.labels
    ((1, 28, 28), array([7]))
    """
    with open_unpacked(path) as stream:
        return parse(path, stream, memory_limit, label)


def parse(path: Path, stream: Readable, memory_limit: int, label: str | None = None) -> Raw:
    """Return the digits in a stream of text; `path` is for messages. See `read`."""

    def where(row: int) -> str:
        return f"{str(path)!r}, data row {row + 1}"

    layout: Layout | None = None
    pixels, labels = PixelBuffer(where), [np.empty(0, np.uint8)]
    for text in _blocks_of_rows(path, stream, memory_limit):
        has_header = False
        if layout is None:
            if not (sample := _sample(text)):
                continue
            layout = detect(path, sample, label)
            has_header = layout.has_header
        text = _normalized(text, layout)
        start = text.find(b"\n") + 1 if has_header else 0
        for table, texts in _parse_rows(path, text, start, len(pixels), layout):
            pixels.append(table)
            labels.append(texts)
    if layout is None:
        raise InputError(f"{str(path)!r} contains only blank lines: give a file with at least one image")
    if not len(pixels):
        raise InputError(f"{str(path)!r} has a header but no rows: give a file with at least one image")
    if layout.label is None:
        return Raw(pixels.images(), None)
    return Raw(pixels.images(), *_to_labels(np.concatenate(labels), where))


def write(path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> None:
    """Write images, shape (n, 28, 28), and labels 0 to 999, if any, in the layout that `read` reads."""
    numbers = images.reshape(len(images), -1)
    if labels is not None:
        numbers = np.column_stack([labels, numbers])
    # Each number with its separator takes four bytes; the zero bytes that pad short numbers are then removed.
    words = [np.array([f"{number}{end}" for number in range(1000)], "S4").view(np.uint32) for end in ",\n"]
    with path.open("wb") as file:
        file.write(",".join(COLUMNS[-numbers.shape[1] :]).encode() + b"\n")
        for start in range(0, len(numbers), 1000):
            block = numbers[start : start + 1000]
            padded = np.column_stack([words[0][block[:, :-1]], words[1][block[:, -1]]]).view(np.uint8)
            file.write(padded[padded != 0].tobytes())


def _blocks_of_rows(path: Path, stream: Readable, memory_limit: int) -> Iterator[bytearray]:
    """Yield the text as UTF-8 in blocks of complete lines that end in a line feed; the first and last are not blank.

    The text is never in memory as a whole: megabytes without a row are yielded in parts, because they are invalid.
    """
    rest, is_first = bytearray(), True
    for chunk in _chunks(path, stream, memory_limit):
        rest += chunk
        if is_first and rest.startswith(b"\n"):
            rest = rest.lstrip(b"\n")
        filled = len(rest)
        while filled and rest[filled - 1] in b"\n":  # no text may follow the line feeds at the end
            filled -= 1
        end = rest.rfind(b"\n", 0, filled) + 1
        if len(rest) - end > 2 * _READ:  # a line that is too long, or too many blank ones
            end = len(rest)
        if end:
            yield rest[:end]
            del rest[:end]
            is_first = False
    if last := rest.rstrip(b"\n"):
        yield last + b"\n"


def _chunks(path: Path, stream: Readable, memory_limit: int) -> Iterator[bytes]:
    """Yield the text in pieces as UTF-8 without byte order mark, with line feeds for the line ends of other systems."""
    chunk, size = stream.read(_READ), 0
    decoder = codecs.getincrementaldecoder("utf-16")() if chunk.startswith(_UTF16) else None
    chunk = chunk.removeprefix(codecs.BOM_UTF8)
    only_returns = b"\r" in chunk and b"\n" not in chunk  # the line ends of old Macintosh systems
    held = b""  # a carriage return at the end of a chunk, which a line feed may follow
    while chunk:
        size += len(chunk)
        check_memory(path, size, memory_limit, "at least ")
        if decoder is not None:
            try:
                chunk = decoder.decode(chunk).encode()
            except UnicodeError as error:
                raise DamagedFileError(f"{str(path)!r} is not UTF-16 text: {error}; save it as UTF-8") from error
        if held or b"\r" in chunk:
            chunk = held + chunk
            held = chunk[-1:] if chunk.endswith(b"\r") and not only_returns else b""
            chunk = chunk[: len(chunk) - len(held)]
            chunk = chunk.replace(b"\r", b"\n") if only_returns else chunk.replace(b"\r\n", b"\n")
            if b"\r" in chunk:
                raise InputError(f"{str(path)!r} has a carriage return within a line; end all lines in the same way")
        yield _BLANK_LINES.sub(b"\n", chunk) if b"\n\n" in chunk else chunk
        chunk = stream.read(_READ)
    yield held.replace(b"\r", b"\n")
    if decoder is not None and decoder.getstate()[0]:
        raise DamagedFileError(f"{str(path)!r} is not UTF-16 text: it is truncated; download or create it again")


def _sample(text: bytearray) -> list[str]:
    """Return the first complete lines of a text that are not blank."""
    lines = bytes(text[:_BLOCK]).split(b"\n")
    return [line.decode("utf-8", "replace") for line in (lines[:-1] or lines)[:_SAMPLE] if line.strip()]


def _normalized(text: bytearray, layout: Layout) -> bytearray:
    """Return text with commas between its fields, decimal points, no quotes and no comma at the end of a line."""
    if layout.delimiter != "," or b'"' in text:
        # Where commas do not separate fields, they are decimal commas.
        table = bytes.maketrans(f"{layout.delimiter},".encode(), b",." if layout.delimiter != "," else b",,")
        text = text.translate(table, b'"')
    return text.replace(b",\n", b"\n") if layout.ends_in_delimiter else text


def _parse_rows(
    path: Path, text: bytearray, start: int, rows: int, layout: Layout
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Parse `text` from byte `start`, after `rows` rows, and yield pixels (n, 784) and labels, numbers or texts."""
    first = layout.pixels[0]
    contiguous = layout.pixels == tuple(range(first, first + PIXELS))
    pixels = slice(first, first + PIXELS) if contiguous else list(layout.pixels)
    label = layout.label or 0
    while start < len(text):
        # A valid row is shorter than a block, so a block without a newline is part of an invalid row.
        stop = text.rfind(b"\n", start, start + _BLOCK) + 1 or text.find(b"\n", start) + 1 or len(text)
        table = None
        if stop - start <= _BLOCK:
            table = _parse_block(np.frombuffer(text, np.uint8, stop - start, start), len(layout.names))
        if table is not None:
            yield table[:, pixels], table[:, label]
            rows += len(table)
        else:
            numbers, texts = _parse_decimals(path, text[start:stop], rows, layout)
            yield numbers, texts
            rows += len(numbers)
        start = stop


def _parse_block(block: NDArray[np.uint8], columns: int) -> NDArray[np.uint8] | None:
    """Return the numbers in complete rows of text, or None if a row is invalid."""
    digits = block - np.uint8(_ZERO)  # wraps around: bytes other than digits become more than 9
    ends = np.flatnonzero(digits > 9)  # positions of the separators
    if ends.size % columns:
        return None
    separators = block[ends].reshape(-1, columns)
    if (separators[:, :-1] != _COMMA).any() or (separators[:, -1] != _NEWLINE).any():
        return None
    widths = np.diff(ends, prepend=-1) - 1
    if widths.min() < 1 or widths.max() > 3:
        return None
    values = digits[ends - 1].astype(np.uint16)
    tens = np.flatnonzero(widths >= 2)  # most pixels are 0, so only the longer numbers are indexed
    values[tens] += digits[ends[tens] - 2] * np.uint16(10)
    hundreds = tens[widths[tens] == 3]
    values[hundreds] += digits[ends[hundreds] - 3] * np.uint16(100)
    if values.max() > 255:
        return None
    return values.astype(np.uint8).reshape(-1, columns)


def _parse_decimals(
    path: Path, block: bytearray, rows: int, layout: Layout
) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Return the pixels and the texts of the labels in rows that `_parse_block` rejects; `rows` precede them."""
    lines = [line for line in block.decode("utf-8", "replace").split("\n") if line.strip()]
    label = 0 if layout.label is None else layout.label
    commas = len(layout.names) - 1
    try:
        if any(line.count(",") != commas for line in lines):
            _raise_for_invalid_row(path, lines, rows, layout)
        pixels = np.loadtxt(lines, np.float32, comments=None, delimiter=",", usecols=layout.pixels, ndmin=2)
        labels = np.loadtxt(lines, np.str_, comments=None, delimiter=",", usecols=[label], ndmin=1)
    except ValueError:
        _raise_for_invalid_row(path, lines, rows, layout)
    if not ((pixels >= 0) & (pixels <= 255)).all():  # also false for NaN
        _raise_for_invalid_row(path, lines, rows, layout)
    return pixels, np.char.strip(labels)


def _raise_for_invalid_row(path: Path, lines: Sequence[str], rows: int, layout: Layout) -> NoReturn:
    """Raise `InputError` for the first invalid row of `lines`, which follow `rows` valid rows."""
    for row, line in enumerate(lines, rows + 1):
        where = f"{str(path)!r}, data row {row}"
        fields = line.split(",")
        if len(fields) != len(layout.names):
            raise InputError(
                f"{where}: must have {len(layout.names)} columns like the first row, got {len(fields)}; "
                "correct or remove the row"
            )
        for column in layout.pixels:
            if not _NUMBER.fullmatch(fields[column]) or not 0 <= float(fields[column]) <= 255:
                raise InputError(
                    f"{where}: {layout.names[column]} must be a number from 0 to 255, got {fields[column][:20]!r}; "
                    "correct or remove the row"
                )
    raise AssertionError("the block was rejected although every row is valid")  # pragma: no cover


def _to_labels(labels: NDArray[Any], where: Callable[[int], str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if labels.dtype == np.uint8 and labels.max() < len(DIGITS):
        return labels.astype(np.int64), DIGITS
    return parse_labels([str(label) for label in labels], where)
