"""Checks of arguments."""

import re
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, SupportsIndex

from inksight.errors import InputError

LONGEST = 300  # characters of a value in a message


def check(
    ok: bool, name: str, got: object, allowed: str, advice: str = "", error: type[InputError] = InputError
) -> None:
    """Raise `InputError` with the name, what is allowed, the value got and what to do about it, unless `ok`.

    `error` is the class to raise, if the caller knows one that says more.

    Examples
    --------
    >>> check(False, "range of images", (0, 255), "0 to 1", "divide by 255")
    Traceback (most recent call last):
    ...
    inksight.errors.InputError: range of images must be 0 to 1, got (0, 255): divide by 255
    """
    if not ok:
        raise error(f"{name} must be {allowed}, got {shown(got)}" + (f": {advice}" if advice else ""))


def shown(value: object) -> str:
    """Return `repr(value)` for a message, cut off where it is long, as a value from a damaged file may be.

    Examples
    --------
    >>> shown("digit"), len(shown("digit" * 1000))
    ("'digit'", 303)
    """
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def is_count(value: object, minimum: int = 1) -> bool:
    """Return whether `value` is an integer (not a bool) of at least `minimum`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def check_seed(seed: object) -> None:
    """Raise `InputError` unless `seed` is a whole number of 0 or more, of Python or NumPy."""
    number = seed.__index__() if isinstance(seed, SupportsIndex) and not isinstance(seed, bool) else None
    check(is_count(number, 0), "seed", seed, "a whole number of 0 or more")


def is_between(value: object, low: float, high: float) -> bool:
    """Return whether `value` is a number with ``low <= value <= high``; NaN and bools are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def is_text(value: object) -> bool:
    """Return whether `value` is a string that UTF-8 can encode, so that it can be printed and written to files."""
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def known_fields(cls: type, values: object) -> dict[str, Any]:
    """Return a copy of the dict `values` of JSON values, whose keys are names of fields of the dataclass `cls`.

    Raises
    ------
    InputError
        If `values` is not a dict, a key is not a field, or a field without a default is missing.
    """
    name, required = _fields(cls)
    if not isinstance(values, dict):
        raise InputError(f"{name} must be an object with named values, got {shown(values)}")
    if values.keys() != required.keys():  # checked first, because a history has many rows
        for key in values:
            check(key in required, f"{name} field", key, "one of " + ", ".join(required))
        for key, is_required in required.items():
            check(key in values or not is_required, f"{key} of the {name}", None, "given")
    return dict(values)


@cache
def _fields(cls: type) -> tuple[str, dict[str, bool]]:
    """Return the name of a dataclass in messages, and for each field whether it has no default."""
    required = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(cls)}
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower(), required
