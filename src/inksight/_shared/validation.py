"""Checks of arguments."""

import re
from dataclasses import MISSING, fields
from typing import Any

from inksight.errors import InputError


def check(ok: bool, name: str, got: object, allowed: str) -> None:
    """Raise `InputError` with the name, what is allowed and the value got, unless `ok`."""
    if not ok:
        raise InputError(f"{name} must be {allowed}, got {got!r}")


def is_count(value: object, minimum: int = 1) -> bool:
    """Return whether `value` is an integer (not a bool) of at least `minimum`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


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
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()
    if not isinstance(values, dict):
        raise InputError(f"{name} must be an object with named values, got {values!r}")
    allowed = [f.name for f in fields(cls)]
    for key in values:
        check(key in allowed, f"{name} field", key, "one of " + ", ".join(allowed))
    for field in fields(cls):
        required = field.default is MISSING and field.default_factory is MISSING
        check(field.name in values or not required, f"{field.name} of the {name}", None, "given")
    return dict(values)
