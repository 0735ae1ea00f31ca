"""Checks of arguments."""

from dataclasses import fields
from typing import Any

from inksight.errors import InputError


def check(ok: bool, name: str, got: object, allowed: str, advice: str = "") -> None:
    """Raise `InputError` with the name, what is allowed, the value got and what to do about it, unless `ok`.

    Examples
    --------
    >>> check(False, "range of images", (0, 255), "0 to 1", "divide by 255")
    Traceback (most recent call last):
    ...
    inksight.errors.InputError: range of images must be 0 to 1, got (0, 255): divide by 255
    """
    if not ok:
        raise InputError(f"{name} must be {allowed}, got {got!r}" + (f": {advice}" if advice else ""))


def is_count(value: object, minimum: int = 1) -> bool:
    """Return whether `value` is an integer (not a bool) of at least `minimum`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def is_between(value: object, low: float, high: float) -> bool:
    """Return whether `value` is a number with ``low <= value <= high``; NaN and bools are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def known_fields(cls: type, values: object) -> dict[str, Any]:
    """Return a copy of the dict `values`. Raise `InputError` if it is not a dict or a key is not a field of `cls`."""
    name = cls.__name__.lower()
    if not isinstance(values, dict):
        raise InputError(f"{name} must be an object with named values, got {values!r}")
    allowed = [f.name for f in fields(cls)]
    for key in values:
        check(key in allowed, f"{name} field", key, "one of " + ", ".join(allowed))
    return dict(values)
