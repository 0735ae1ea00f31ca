"""CSV tables with text from outside, such as file names, which a spreadsheet must not run as formulas."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from numbers import Number
from typing import IO

NEGATIVE_NUMBER = re.compile(r"-\d+([.,]\d+)?", re.ASCII)  # which may stand in a cell as it is
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # OWASP, "CSV Injection"


def write_row(file: IO[str], cells: Iterable[object]) -> None:
    """Write one row of a CSV table, all cells as by `as_cell`."""
    row = io.StringIO(newline="")
    csv.writer(row).writerow([as_cell(cell) for cell in cells])  # quotes what occurs in its line ending, CR and LF
    file.write(row.getvalue().removesuffix("\r\n") + "\n")


def write_rows(file: IO[str], columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV table: a header, then the rows."""
    write_row(file, columns)
    for row in rows:
        write_row(file, row)


def as_cell(value: object) -> object:
    """Return a cell that spreadsheets show as it is: text that would be a formula gets a single quote in front.

    Numbers are not changed, nor is text such as -5 or -3.14. A program that reads the table gets the text back by
    removing one leading quote in front of ``=``, ``+``, ``-``, ``@``, a tab or a carriage return.

    Examples
    --------
    >>> as_cell("=cmd|' /C calc'!A0"), as_cell("photo.png"), as_cell(-1.5), as_cell("-5")
    ("'=cmd|' /C calc'!A0", 'photo.png', -1.5, '-5')
    """
    if isinstance(value, Number):
        return value
    text = str(value)
    is_formula = text.startswith(FORMULA_STARTS) and not NEGATIVE_NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text
