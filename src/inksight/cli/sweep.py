"""``inksight sweep``: train many networks and compare them."""

from dataclasses import replace
from typing import Any

import click

from inksight._shared.files import display_name
from inksight.cli.options import (
    RECIPE_HELP,
    check_outputs,
    data_option,
    engine_options,
    json_option,
    load_arguments,
    print_json,
)
from inksight.config import RECIPES
from inksight.config.recipe import flatten
from inksight.errors import InksightError, InputError


@click.command(epilog="Settings of --set: " + ", ".join(dict(flatten(RECIPES["default"].to_dict()))) + ".")
@data_option
@click.option("--network", "networks", multiple=True, default=("post",), show_default=True, metavar="NETWORK",
              help="A network to train, as in `inksight train`. May be repeated.")  # fmt: skip
@click.option("--recipe", default="default", show_default=True, metavar="RECIPE",
              help="Recipe that --set changes. " + RECIPE_HELP)  # fmt: skip
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE[,VALUE...]",
              help="Values of a setting to try, such as learning_rate=0.01,0.02. May be repeated.")  # fmt: skip
@click.option("--epochs", type=int, help="Epochs of each training; with --halving, of the last.  "
              "[default: the recipe's]")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 10_000), default=1, show_default=True,
              help="Trainings of each configuration, with seeds from 0.")  # fmt: skip
@click.option("--halving", "factor", type=int, metavar="FACTOR",
              help="Train all for few epochs, the best 1/FACTOR for FACTOR times as many, and so on.")  # fmt: skip
@click.option("--out", default="sweep", show_default=True, metavar="DIR",
              help="Folder for the results, one file per training.")  # fmt: skip
@click.option("--workers", type=int, help="Trainings at a time, one thread each.  [default: number of cores]")
@click.option("--picture", metavar="FILE", help="Draw the settings and the accuracy of all, as .png or .svg.")
@engine_options
@json_option
def sweep(
    source: str, networks: tuple[str, ...], recipe: str, changes: tuple[str, ...], epochs: int | None, seeds: int,
    factor: int | None, out: str, workers: int | None, picture: str | None, engine: str, address: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Train many networks and compare their validation accuracy.

    Trains every combination of the values of --network and --set with every seed, and prints the means over the seeds,
    best first. Every field of a recipe and of its augmentation is a setting; the end of this text lists them. Test
    images are not used. How long it will take is measured first, by a short trial of each network. Results that are
    already in DIR are not computed again, so the same command resumes an interrupted sweep.

    \b
    Examples:
      inksight sweep --set learning_rate=0.005,0.01,0.02 --seeds 3
      inksight sweep --network post --network 12x3,12x3p,24x3 --set batch_size=128,256 --halving 3
    """
    from inksight.config import get_recipe
    from inksight.data.loading import load
    from inksight.experiments import search
    from inksight.experiments.trial import grid

    values = _parse_changes(changes)
    if epochs is not None and "epochs" in values:
        raise InputError("epochs must be given once, got --epochs and --set epochs=: leave one out")
    check_outputs(picture=picture, inputs=[source])
    base = get_recipe(recipe)
    trials = grid(networks, base if epochs is None else replace(base, epochs=epochs), values, range(seeds))
    data = load(source, **load_arguments())
    if factor is None:
        result = search.sweep(data, trials, out, workers=workers, engine=engine, address=address)
    else:
        result = search.halving(data, trials, out, factor=factor, workers=workers, engine=engine, address=address)
    if as_json:
        rows = [configuration.to_dict() for configuration in result.configurations]
        print_json({"configurations": rows, "stopped": "interrupted" if result.interrupted else "finished", "out": out})
    elif result.results:
        click.echo(str(result))
    if picture and result.results:
        from inksight import plot

        plot.save(result.plot(), picture)
        click.echo(f"{display_name(picture)}: settings and accuracy", err=as_json)
    if result.interrupted:
        raise click.Abort
    if all(training.failed for training in result.results):
        count, reason = len(result.results), result.results[0].failed
        raise InksightError(f"all {count} trainings failed, the first because {reason}")


def _parse_changes(texts: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the values of each setting, from texts such as ``learning_rate=0.01,0.02``."""
    changes: dict[str, list[Any]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        name = name.strip()
        if not sign or not all(map(str.strip, values.split(","))):
            raise InputError(f"--set must be NAME=VALUE[,VALUE...], got {text!r}")
        if name in changes:
            raise InputError(f"--set must give {name} once, got it twice: join its values with commas")
        changes[name] = [_parse_value(value.strip()) for value in values.split(",")]
    return changes


def _parse_value(text: str) -> int | float | bool | str:
    """Return the boolean or number that a text spells, or else the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number  # a batch size may be written as 1e3
