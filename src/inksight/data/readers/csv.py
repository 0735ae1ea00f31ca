"""CSV in the layout of Kaggle's Digit Recognizer: a header, then one image per row as decimal numbers.

The parser is written here because it was the fastest of those measured (`benchmarks/csv_readers.py`), needs only NumPy,
and reports the row of an invalid value.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import Readable, check_memory, open_plain_or_gzip
from inksight.config import DIGITS, IMAGE_SIZE
from inksight.data.readers.raw import Raw
from inksight.errors import InputError

COLUMNS = ("label", *(f"pixel{i}" for i in range(IMAGE_SIZE * IMAGE_SIZE)))
_ALLOWED = "label,pixel0,...,pixel783 (785 columns) or, without labels, pixel0,...,pixel783 (784 columns)"
_BOM = b"\xef\xbb\xbf"
_COMMA, _NEWLINE, _ZERO = b",\n0"
_READ = 1 << 19  # bytes: text read at once
_BLOCK = 1 << 18  # bytes: text parsed at once, so that it and the arrays made from it fit the L2 cache


def read(path: Path, memory_limit: int) -> Raw:
    r"""Read a CSV file with the header ``label,pixel0,...,pixel783`` or ``pixel0,...,pixel783``.

    Parameters
    ----------
    path : Path
        Plain or gzipped. Lines may end in CRLF, the text may start with a byte order mark, and the last newline may be
        missing.
    memory_limit : int
        Largest number of bytes of text.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), unchanged; labels None if the file has no such column.

    Raises
    ------
    InputError
        If the header differs, a row has another number of columns, a value is not an integer from 0 to 255, a label is
        not from 0 to 9, or there are no rows. Messages count the rows below the header from 1.

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
    pixels, labels, columns = bytearray(), [np.empty(0, np.int64)], COLUMNS
    with open_plain_or_gzip(path) as stream:
        for number, text in enumerate(_blocks_of_rows(path, stream, memory_limit)):
            start = 0
            if not number:
                header, _, _ = text.partition(b"\n")
                columns = _checked_columns(path, header.removeprefix(_BOM))
                start = len(header) + 1
            for table in _parse(path, text, start, columns, len(pixels) // IMAGE_SIZE**2):
                pixels += table[:, -(IMAGE_SIZE**2) :].tobytes()
                labels.append(table[:, 0].astype(np.int64))
    if not pixels:
        raise InputError(f"{str(path)!r} has a header but no rows: give a file with at least one image")
    images = np.frombuffer(pixels, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    if len(columns) == IMAGE_SIZE**2:
        return Raw(images, None)
    all_labels = np.concatenate(labels)
    invalid = np.flatnonzero(all_labels >= len(DIGITS))
    if invalid.size:
        row = int(invalid[0])
        raise InputError(
            f"{str(path)!r}, data row {row + 1}: label must be 0 to 9, got {all_labels[row]}; correct or remove the row"
        )
    return Raw(images, all_labels)


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


def _checked_columns(path: Path, header: bytearray) -> tuple[str, ...]:
    """Check the header and return the names of the columns."""
    names = header.decode("utf-8", "replace").split(",")
    columns = COLUMNS[-len(names) :]
    if len(names) not in (len(COLUMNS), len(COLUMNS) - 1):
        raise InputError(
            f"{str(path)!r}: the header must be {_ALLOWED}, got {len(names)}, the first {names[0][:20]!r}; "
            "add or correct the header"
        )
    for number, (name, expected) in enumerate(zip(names, columns, strict=True), 1):
        if name != expected:
            raise InputError(
                f"{str(path)!r}: column {number} of the header must be {expected!r}, got {name[:20]!r}; "
                f"the first line must be {_ALLOWED}: correct it"
            )
    return columns


def _blocks_of_rows(path: Path, stream: Readable, memory_limit: int) -> Iterator[bytearray]:
    """Yield the text in blocks of complete lines that end in a line feed, without blank lines at the end.

    The text is never in memory as a whole: megabytes without a row are yielded in parts, because they are invalid.
    """
    rest, size = bytearray(), 0
    while chunk := stream.read(_READ):
        size += len(chunk)
        check_memory(path, size, memory_limit, "at least ")
        rest += chunk
        filled = len(rest)
        while filled and rest[filled - 1] in b"\r\n":  # no text may follow the line feeds at the end
            filled -= 1
        end = rest.rfind(b"\n", 0, filled) + 1
        if len(rest) - end > 2 * _READ:  # a line that is too long, or too many blank ones
            end = len(rest)
        if end:
            yield _with_line_feeds(rest[:end])
            del rest[:end]
    if last := rest.rstrip(b"\r\n"):
        yield _with_line_feeds(last) + b"\n"


def _with_line_feeds(text: bytearray) -> bytearray:
    return text.replace(b"\r\n", b"\n") if b"\r" in text else text


def _parse(path: Path, text: bytearray, start: int, columns: tuple[str, ...], rows: int) -> Iterator[NDArray[np.uint8]]:
    """Parse `text` from byte `start`, after `rows` rows, and yield arrays (rows, columns)."""
    while start < len(text):
        # A valid row is shorter than a block, so a block without a newline is part of an invalid row.
        stop = text.rfind(b"\n", start, start + _BLOCK) + 1 or text.find(b"\n", start) + 1 or len(text)
        table = None
        if stop - start <= _BLOCK:
            table = _parse_block(np.frombuffer(text, np.uint8, stop - start, start), len(columns))
        if table is None:
            _raise_for_invalid_row(path, text[start:stop], rows, columns)
        yield table
        rows += len(table)
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


def _raise_for_invalid_row(path: Path, block: bytearray, rows: int, columns: tuple[str, ...]) -> NoReturn:
    """Raise `InputError` for the first invalid row of `block`, which follows `rows` valid rows."""
    for row, line in enumerate(block.split(b"\n"), rows + 1):
        where = f"{str(path)!r}, data row {row}"
        if (count := line.count(b",") + 1) != len(columns):
            raise InputError(
                f"{where}: must have {len(columns)} columns like the header, got {count}; correct or remove the row"
            )
        for name, field in zip(columns, line.split(b","), strict=True):
            if not re.fullmatch(rb"\d{1,3}", field) or int(field) > 255:
                got = field[:20].decode("utf-8", "replace")
                largest = len(DIGITS) - 1 if name == "label" else 255
                raise InputError(
                    f"{where}: {name} must be a whole number from 0 to {largest}, got {got!r}; "
                    "correct or remove the row"
                )
    raise AssertionError("the block was rejected although every row is valid")  # pragma: no cover
