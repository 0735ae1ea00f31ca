"""CSV: one image per row as decimal numbers, in the layout of Kaggle's Digit Recognizer or a similar one.

The parser is written here because it was the fastest of those measured (`benchmarks/csv_readers.py`), needs only NumPy,
and reports the row of an invalid value. NumPy's own parser reads what the fast one does not: decimals and text.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import read_unpacked
from inksight.config import DIGITS
from inksight.data.readers.class_names import parse_labels
from inksight.data.readers.csv_layout import PIXELS, Layout, detect
from inksight.data.readers.raw import Raw, to_images
from inksight.errors import InputError

COLUMNS = ("label", *(f"pixel{i}" for i in range(PIXELS)))
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_COMMA, _NEWLINE, _ZERO = b",\n0"
_BLOCK = 1 << 18  # bytes: text parsed at once, so that it and the arrays made from it fit the L2 cache
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
        are no rows. Messages count the rows below the header from 1.

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
    return parse(path, normalized_lines(path, read_unpacked(path, memory_limit)), label)


def parse(path: Path, text: bytearray, label: str | None = None) -> Raw:
    """Return the digits in the text of a CSV file from `normalized_lines`; `path` is for messages. See `read`."""
    lines = bytes(text[:_BLOCK]).split(b"\n")
    sample = [line.decode("utf-8", "replace") for line in (lines[:-1] or lines)[:_SAMPLE] if line.strip()]
    if not sample:
        raise InputError(f"{str(path)!r} contains only blank lines: give a file with at least one image")
    layout = detect(path, sample, label)
    text, start = _normalized_fields(text, layout), 0
    if layout.has_header:
        start = text.find(b"\n") + 1
    if len(text) <= start:
        raise InputError(f"{str(path)!r} has a header but no rows: give a file with at least one image")
    images, labels = _parse(path, text, start, layout)
    if labels is None:
        return Raw(images, None)
    numbers, class_names = _to_labels(path, labels)
    return Raw(images, numbers, class_names)


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


def normalized_lines(path: Path, text: bytearray) -> bytearray:
    """Return text as UTF-8 without byte order mark, with lines that end in a newline, the first and last not blank."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if text.startswith(mark) and encoding == "utf-8":
            del text[: len(mark)]
        elif text.startswith(mark):
            try:
                text = bytearray(text.decode(encoding).encode())
            except UnicodeDecodeError as error:
                raise InputError(f"{str(path)!r} is not UTF-16 text: {error.reason}; save it as UTF-8") from error
    if b"\r" in text[:_BLOCK]:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if text.startswith(b"\n"):
        text = text.lstrip(b"\n")
    while text.endswith(b"\n"):
        text.pop()
    text.append(_NEWLINE)
    return text


def _normalized_fields(text: bytearray, layout: Layout) -> bytearray:
    """Return text with commas between its fields, decimal points, no quotes and no comma at the end of a line."""
    if layout.delimiter != "," or b'"' in text:
        # Where commas do not separate fields, they are decimal commas.
        table = bytes.maketrans(f"{layout.delimiter},".encode(), b",." if layout.delimiter != "," else b",,")
        text = text.translate(table, b'"')
    return text.replace(b",\n", b"\n") if layout.ends_in_delimiter else text


def _parse(path: Path, text: bytearray, start: int, layout: Layout) -> tuple[NDArray[np.uint8], NDArray[Any] | None]:
    """Parse `text` from byte `start` and return images and labels, if there are any: uint8, or str where needed."""
    tables: list[NDArray[Any]] = []
    labels: list[NDArray[Any]] = []
    first = layout.pixels[0]
    contiguous = layout.pixels == tuple(range(first, first + PIXELS))
    pixels = slice(first, first + PIXELS) if contiguous else list(layout.pixels)
    rows = 0
    while start < len(text):
        # A valid row is shorter than a block, so a block without a newline is part of an invalid row.
        stop = text.rfind(b"\n", start, start + _BLOCK) + 1 or text.find(b"\n", start) + 1
        table = None
        if stop - start <= _BLOCK:
            table = _parse_block(np.frombuffer(text, np.uint8, stop - start, start), len(layout.names))
        if table is None:
            numbers, texts = _parse_decimals(path, text[start:stop], rows, layout)
            tables.append(numbers)
            labels.append(texts)
        else:
            tables.append(table[:, pixels])
            labels.append(table[:, layout.label or 0])
        rows += len(tables[-1])
        start = stop
    images = to_images(np.concatenate(tables), lambda row: f"{str(path)!r}, data row {row + 1}")
    return images, None if layout.label is None else np.concatenate(labels)


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
            if not re.fullmatch(r"\s*\+?[0-9]*\.?[0-9]*(e[+-]?[0-9]+)?\s*", fields[column], re.IGNORECASE) or not (
                0 <= float(fields[column] or "nan") <= 255
            ):
                raise InputError(
                    f"{where}: {layout.names[column]} must be a number from 0 to 255, got {fields[column][:20]!r}; "
                    "correct or remove the row"
                )
    raise AssertionError("the block was rejected although every row is valid")  # pragma: no cover


def _to_labels(path: Path, labels: NDArray[np.uint8] | NDArray[np.str_]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if labels.dtype == np.uint8 and labels.max() < len(DIGITS):
        return labels.astype(np.int64), DIGITS
    return parse_labels([str(label) for label in labels], lambda row: f"{str(path)!r}, data row {row + 1}")
