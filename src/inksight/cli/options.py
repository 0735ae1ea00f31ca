"""Options that several commands share, and how results are printed for programs."""

import json
from collections.abc import Callable
from typing import Any

import click

from inksight.config import BUDGETS, NETWORKS, RECIPES

Command = Callable[..., None]


def data_option(command: Command) -> Command:
    """Add ``--data``: where the digits come from."""
    text = "`mnist`, or a CSV, IDX, .npz or Parquet file, or a folder of one of these or of pictures."
    return click.option("--data", "source", default="mnist", show_default=True, metavar="SOURCE", help=text)(command)


def json_option(command: Command) -> Command:
    """Add ``--json``: print for a program."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")(command)


A_NETWORK = f"One of {', '.join(NETWORKS)}, or banks such as 20x5p,20x5,40x3,d20 (p: pooled, s: separable)."
A_RECIPE = f"One of {', '.join(RECIPES)}."
NETWORK = click.option("--network", default="post", show_default=True, help=A_NETWORK)
RECIPE = click.option("--recipe", default="default", show_default=True, help=A_RECIPE)
SPLIT = click.option("--split", type=click.Choice(["test", "validation", "train", "all"]),
                     help="Which images.  [default: the source's test images if it has any, else all]")  # fmt: skip
SEED = click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True,
                    help="Of starting weights, order and augmentation.")  # fmt: skip


def training_options(command: Command) -> Command:
    """Add what every command that trains a network takes."""
    options = [
        click.option(
            "--budget", default="default", show_default=True, help=f"How long it may take: one of {', '.join(BUDGETS)}."
        ),
        click.option("--network", help=A_NETWORK + "  [default: the budget's]"),
        click.option("--recipe", help=A_RECIPE + "  [default: the budget's]"),
        click.option("--epochs", type=int, help="Stop after so many epochs.  [default: the recipe's]"),
        click.option("--seconds", type=float, help="Stop after so many seconds of training."),
        SEED,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def until_option(command: Command) -> Command:
    """Add ``--until``: stop at an accuracy."""
    text = "Stop at this validation accuracy, such as 0.99."
    return click.option("--until", type=float, metavar="ACCURACY", help=text)(command)


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object on standard output."""
    click.echo(json.dumps(result, allow_nan=False))
