"""``inksight sweep``: many trainings, compared."""

from typing import Any

import click

from inksight.cli.options import A_RECIPE, data_option, json_option, print_json
from inksight.errors import InksightError, InputError


@click.command()
@data_option
@click.option("--network", "networks", multiple=True, default=("post",), show_default=True,
              help="A network to try, as `train` takes it; may be given again.")  # fmt: skip
@click.option("--recipe", default="default", show_default=True, help="What to change. " + A_RECIPE)
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE[,VALUE...]",
              help="Values of the recipe to try, such as learning_rate=0.01,0.02; may be given again.")  # fmt: skip
@click.option("--epochs", type=int, help="Of each training; with --halving, of the last.  [default: the recipe's]")
@click.option("--seeds", type=click.IntRange(1, 10_000), default=1, show_default=True,
              help="Trainings of each configuration, with seeds from 0.")  # fmt: skip
@click.option("--halving", "factor", type=int, metavar="FACTOR",
              help="Train all for few epochs, the best 1/FACTOR for FACTOR times as many, and so on.")  # fmt: skip
@click.option("--out", default="sweep", show_default=True, metavar="DIR", help="Folder for a result file a training.")
@click.option("--workers", type=int, help="Trainings at a time, one thread each.  [default: as many as cores]")
@json_option
def sweep(
    source: str, networks: tuple[str, ...], recipe: str, changes: tuple[str, ...], epochs: int | None, seeds: int,
    factor: int | None, out: str, workers: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Train many networks and compare them by their validation accuracy.

    Every combination of what --network and --set give is trained with every seed, and the means over
    seeds are printed, the best first. Names for --set are those of a recipe, and augmentation.rotation,
    .shift, .scale, .shear and .elastic. Test images are never looked at. Results that are in DIR already are not
    computed again, so that after Ctrl-C the same command goes on.

    \b
    Examples:
      inksight sweep --set learning_rate=0.005,0.01,0.02 --seeds 3
      inksight sweep --network post --network 12x3,12x3p,24x3 --set batch_size=128,256 --halving 3
    """
    from dataclasses import replace

    from inksight.config import get_recipe
    from inksight.data.loading import load
    from inksight.experiments.search import halving, sweep as train_all
    from inksight.experiments.trial import grid

    tried = read_changes(changes)
    if epochs is not None and "epochs" in tried:
        raise InputError("epochs must be given once, got --epochs and --set epochs=")
    base = get_recipe(recipe)
    trials = grid(networks, base if epochs is None else replace(base, epochs=epochs), tried, range(seeds))
    data = load(source)
    if factor is None:
        done = train_all(data, trials, out, workers=workers)
    else:
        done = halving(data, trials, out, factor=factor, workers=workers)
    if as_json:
        rows = [each.to_dict() for each in done.configurations]
        print_json({"configurations": rows, "stopped": "interrupted" if done.interrupted else "finished", "out": out})
    elif done.results:
        click.echo(str(done))
    if done.interrupted:
        raise click.Abort
    if all(result.failed for result in done.results):
        raise InksightError(f"all {len(done.results)} trainings failed, the first because {done.results[0].failed}")


def read_changes(texts: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the values to try by name, from texts such as ``learning_rate=0.01,0.02``."""
    changes: dict[str, list[Any]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        name = name.strip()
        if not sign or not all(map(str.strip, values.split(","))):
            raise InputError(f"--set must be NAME=VALUE[,VALUE...], got {text!r}")
        if name in changes:
            raise InputError(f"--set must give {name} once, got it twice: join its values with commas")
        changes[name] = [read_value(value.strip()) for value in values.split(",")]
    return changes


def read_value(text: str) -> int | float | bool | str:
    """Return the number or the truth value that a text stands for, or the text itself."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
