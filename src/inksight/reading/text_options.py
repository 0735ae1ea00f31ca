"""Options of reading that are given as text, on the command line and in the query of a request."""

import re
from typing import TYPE_CHECKING

from inksight._shared.validation import check

if TYPE_CHECKING:
    from inksight.reading.reader import GridShape


def parse_length(text: str, name: str = "length") -> int | tuple[int, int]:
    """Return the number of digits of a line, or the least and the most; messages call the option by a name.

    Raises
    ------
    InputError
        If the text is something else.

    Examples
    --------
    >>> parse_length("3"), parse_length("2-4")
    (3, (2, 4))
    """
    numbers = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", text)
    check(numbers is not None, name, text[:64], "a number of digits or a range of them", "such as 3 or 2-4")
    assert numbers is not None
    return int(numbers[1]) if numbers[2] is None else (int(numbers[1]), int(numbers[2]))


def parse_grid(text: str) -> "GridShape":
    """Return the numbers of rows and of columns of a grid, or ``"auto"``.

    Raises
    ------
    InputError
        If the text is something else.

    Examples
    --------
    >>> parse_grid("9x9"), parse_grid("auto")
    ((9, 9), 'auto')
    """
    if text == "auto":
        return "auto"
    numbers = re.fullmatch(r"([0-9]{1,4})[xX×]([0-9]{1,4})", text)  # the sign of multiplication, too
    check(numbers is not None, "grid", text[:64], "auto, or its numbers of rows and of columns", "such as 9x9")
    assert numbers is not None
    return int(numbers[1]), int(numbers[2])
