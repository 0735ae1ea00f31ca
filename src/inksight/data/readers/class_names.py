"""Labels from text: numbers, the words zero to nine, names like ``digit_7``, or any other names of classes."""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inksight.config import DIGITS
from inksight.errors import InputError

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBERED = re.compile(r"(?:digits?|numbers?|num|class|label)[ _-]?([0-9])")
_WHOLE = re.compile(r"\+?0*([0-9])(?:\.0*)?")
_MAX_CLASSES = 1000
_MAX_LENGTH = 100  # characters of a class's name


def parse_labels(
    texts: Sequence[str], where: Callable[[int], str], *, may_mix: bool = False
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the labels that `texts` stand for, and the names of their classes.

    Parameters
    ----------
    texts : sequence of str
        One per image. If one is a number, all must be: whole numbers 0 to 9, as ``7`` or ``7.0``. Otherwise the classes
        are the ten digits if every text is one of their English names or a name like ``digit_7``; if not, the distinct
        texts in sorted order are the classes.
    where : callable
        Returns the place of a text, given its position, for messages.
    may_mix : bool
        Whether numbers and names may be mixed, as in folders ``0`` to ``9`` and ``plus``. In a column of a table, a
        name among numbers is a mistake.

    Raises
    ------
    InputError
        If numbers and names are mixed, a number is not 0 to 9, or a text is empty.

    Examples
    --------
    >>> parse_labels(["seven", "One"], str)
    (array([7, 1]), ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'))
    >>> parse_labels(["cat", "ant", "cat"], str)
    (array([1, 0, 1]), ('ant', 'cat'))
    """
    digits = {text: digit_of(text) for text in set(texts)}
    if None not in digits.values():
        return np.array([digits[text] for text in texts], np.int64), DIGITS
    must_be_digits = not may_mix and any(map(is_number, digits))
    for position, text in enumerate(texts):
        if digits[text] is None and (must_be_digits or not 1 <= len(text) <= _MAX_LENGTH):
            allowed = "0 to 9" if must_be_digits else f"a name of 1 to {_MAX_LENGTH} characters"
            raise InputError(
                f"{where(position)}: label must be {allowed}, got {text[:20]!r}; correct or remove the row"
            )
    names = tuple(sorted(digits))
    if len(names) > _MAX_CLASSES:
        raise InputError(
            f"{where(0)}: there may be at most {_MAX_CLASSES:,} classes, got {len(names):,} different labels, "
            f"the first {names[0][:20]!r}: choose another column for the label"
        )
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[text] for text in texts], np.int64), names


def digit_of(text: str) -> int | None:
    """Return the digit that a text names, or None.

    Examples
    --------
    >>> digit_of("7.0"), digit_of("Seven"), digit_of("digit_7"), digit_of("17"), digit_of("cat")
    (7, 7, 7, None, None)
    """
    name = text.casefold()
    if name in _WORDS:
        return _WORDS.index(name)
    match = _WHOLE.fullmatch(name) or _NUMBERED.fullmatch(name)
    return int(match[1]) if match else None


def is_number(text: str) -> bool:
    """Return whether a text is a number that Python can read."""
    try:
        float(text)
    except ValueError:
        return False
    return True
