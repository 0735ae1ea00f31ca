"""Command-line arguments of the benchmarks."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Argument:
    """An argument: its name or flag, and the options that `argparse.ArgumentParser.add_argument` takes."""

    name: str
    options: dict[str, Any]


def positional(name: str, description: str, **options: Any) -> Argument:
    """Return a positional argument; with a `default` it may be left out."""
    return Argument(name, {"help": description} | ({"nargs": "?"} if "default" in options else {}) | options)


def option(name: str, description: str, **options: Any) -> Argument:
    """Return an option with a value, such as ``--trials N``."""
    return Argument(f"--{name}", {"help": description} | options)


def flag(name: str, description: str, **options: Any) -> Argument:
    """Return an option without a value."""
    return Argument(f"--{name}", {"help": description, "action": "store_true"} | options)


def names(known: Sequence[str], metavar: str) -> Argument:
    """Return any number of names out of those known, positional arguments; none by default, which means all."""

    def name(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"must be one of {', '.join(known)}, got {text!r}")
        return text

    description = f"any of {', '.join(known)} (default: all)"
    return positional("names", description, metavar=metavar, type=name, nargs="*", default=())


def seeds(default: int) -> Argument:
    """Return the number of seeds, a positional argument."""
    return positional(
        "seeds", f"number of seeds, 0 to SEEDS - 1 (default: {default})", type=at_least(1), default=default
    )


def rounds(default: int) -> Argument:
    """Return the number of rounds, a positional argument."""
    return positional("rounds", f"number of rounds (default: {default})", type=at_least(1), default=default)


def model(default: str | None = None) -> Argument:
    """Return the model to read with, a positional argument; by default one trained for the benchmark."""
    named = default or "a hold-out model, trained on first use"
    return positional("model", f"a model that ships, or a model file (default: {named})", default=default)


def at_least(minimum: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `minimum`."""

    def number(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"must be at least {minimum}, got {value}")
        return value

    return number


def run(main: Callable[..., int], doc: str | None, *arguments: Argument, argv: Sequence[str] | None = None) -> int:
    """Parse the command line, call `main` with the arguments by name, and return its exit status.

    Parameters
    ----------
    main : callable
    doc : str or None
        The module's docstring, which becomes the text of ``--help``.
    arguments : Argument
    argv : sequence of str, optional
        In place of the command line.
    """
    spec = sys.modules["__main__"].__spec__
    parser = argparse.ArgumentParser(
        f"python -m {spec.name.removesuffix('.__main__')}" if spec else None,
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for argument in arguments:
        parser.add_argument(argument.name, **argument.options)
    return main(**vars(parser.parse_args(argv)))
