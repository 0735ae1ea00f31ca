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


def can_show_bars() -> bool:
    """Return whether standard error is a terminal or the process is a notebook with widgets."""
    # In notebooks rich needs ipywidgets; without it, rich only prints a warning.
    return sys.stderr.isatty() or ("ipykernel" in sys.modules and find_spec("ipywidgets") is not None)
