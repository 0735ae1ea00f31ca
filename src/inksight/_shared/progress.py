"""Progress on standard error: a bar where a terminal or a notebook can show one, and lines that stay."""

import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Sequence[Item], description: str, show: bool = True) -> Iterator[Item]:
    """Yield `items`, with a bar labelled `description` where one can be shown."""
    if show and can_show_bars():
        from rich.console import Console
        from rich.progress import track as rich_track

        console = Console(stderr=True) if sys.stderr.isatty() else None
        yield from rich_track(items, description=description, console=console, transient=True)
    else:
        yield from items


def say(line: object, show: bool = True) -> None:
    """Print a line on standard error, if `show`."""
    if show:
        print(line, file=sys.stderr, flush=True)


def can_show_bars() -> bool:
    """Return whether standard error is a terminal, or the process a notebook with widgets."""
    # In a notebook rich draws with ipywidgets; without it, rich only warns.
    return sys.stderr.isatty() or ("ipykernel" in sys.modules and find_spec("ipywidgets") is not None)
