"""Checks of values that callers hand in."""

from dataclasses import fields
from typing import Any

from inksight.errors import InputError


def check(ok: bool, name: str, got: object, allowed: str) -> None:
    """Raise `InputError` naming the value got and what is allowed, unless `ok`."""
    if not ok:
        raise InputError(f"{name} must be {allowed}, got {got!r}")


def is_count(value: object, least: int = 1) -> bool:
    """Whether `value` is a whole number (not a bool) of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_between(value: object, low: float, high: float) -> bool:
    """Whether `value` is a number with ``low <= value <= high`` (so never NaN)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def known_fields(cls: type, values: object) -> dict[str, Any]:
    """Return `values` as a dict of `cls`'s fields; an `InputError` if it is no dict or holds another name."""
    name = cls.__name__.lower()
    if not isinstance(values, dict):
        raise InputError(f"{name} must be an object with named values, got {values!r}")
    allowed = [f.name for f in fields(cls)]
    for key in values:
        check(key in allowed, f"{name} field", key, "one of " + ", ".join(allowed))
    return dict(values)
