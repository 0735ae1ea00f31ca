"""Progress on standard error: a bar in terminals and notebooks, and plain lines."""

import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Sequence[Item], description: str, show: bool = True) -> Iterator[Item]:
    """Yield `items` and show a progress bar with the label `description` where possible."""
    if show and can_show_bars():
        from rich.console import Console
        from rich.progress import track as rich_track

        console = Console(stderr=True) if sys.stderr.isatty() else None
        yield from rich_track(items, description=description, console=console, transient=True)
    else:
        yield from items


def say(line: object, show: bool = True) -> None:
    """Print a line on standard error if `show` is true."""
    if show:
        print(line, file=sys.stderr, flush=True)


def about(seconds: float) -> str:
    """Return an estimated duration as text, no more precise than an estimate is.

    Examples
    --------
    >>> about(0.2), about(44.6), about(400), about(8_000), about(400_000)
    ('about 1 s', 'about 45 s', 'about 7 minutes', 'about 2.2 hours', 'about 4.6 days')
    """
    for limit, unit, name, decimals in ((120, 1, "s", 0), (5400, 60, "minutes", 0), (172_800, 3600, "hours", 1)):
        if seconds < limit:
            return f"about {max(round(seconds / unit, decimals), 1):.{decimals}f} {name}"
    return f"about {seconds / 86_400:.1f} days"


def can_show_bars() -> bool:
    """Return whether standard error is a terminal or the process is a notebook with widgets."""
    # In notebooks rich needs ipywidgets; without it, rich only prints a warning.
    return sys.stderr.isatty() or ("ipykernel" in sys.modules and find_spec("ipywidgets") is not None)
