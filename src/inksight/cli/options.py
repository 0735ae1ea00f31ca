"""Options that several commands share, and JSON output."""

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inksight._shared.claim import claimed
from inksight._shared.files import check_writable, is_stream
from inksight._shared.validation import check
from inksight.config import BUDGETS, NETWORKS, RECIPES

if TYPE_CHECKING:
    from inksight.training.checkpoint import Checkpoint

Command = Callable[..., None]

_META = "inksight.cli.options."  # of the names of values that are kept in click's context
SHIPPED_OR_FILE = "A shipped model (post, best, small, tiny, reader) or a model file (./best for a file of that name)."
NETWORK_HELP = (
    f"One of {', '.join(NETWORKS)}, or banks such as 20x5p,20x5,40x3,d20 (p: max-pooled, s: separable, d: dense layer)."
)
RECIPE_HELP = f"One of {', '.join(RECIPES)}."

SPLIT = click.option(
    "--split",
    type=click.Choice(["test", "validation", "train", "all"]),
    help="Images to use.  [default: the source's test images if it has any, else all]",
)
SEED = click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Seed of all random numbers.",
)


def data_option(command: Command) -> Command:
    """Add ``--data``: where the digits come from; and `loading_options`."""
    text = "`mnist`; a CSV, IDX, NumPy or Parquet file; a folder with such a file; or a folder of pictures."
    option = click.option(
        "--data", "source", default="mnist", show_default=True, metavar="SOURCE", callback=_unpack_ahead, help=text
    )
    return option(loading_options(command))


def _unpack_ahead(context: click.Context, _option: click.Parameter, source: str) -> str:
    """Start unpacking MNIST: it takes as long as the imports that follow."""
    if source == "mnist" and not context.resilient_parsing:
        from inksight.data.packaged import unpack_ahead

        unpack_ahead()
    return source


def loading_options(command: Command) -> Command:
    """Add ``--label`` and ``--prepare``: how digits are loaded. `load_arguments` returns their values."""
    label = (
        "Column of the labels in a CSV file, if it cannot be found: its name, its number from 1, first, last or none."
    )
    prepare = "Turn images upright and convert them to the form of MNIST's; for images that are not like MNIST's."
    for option in (
        click.option("--prepare", is_flag=True, expose_value=False, callback=_remember, help=prepare),
        click.option("--label", metavar="COLUMN", expose_value=False, callback=_remember, help=label),
    ):
        command = option(command)
    return command


def load_arguments() -> dict[str, Any]:
    """Return the arguments of `inksight.load` that the options of the current command stand for."""
    context = click.get_current_context(silent=True)
    meta = {} if context is None else context.meta
    return {name: meta[_META + name] for name in ("label", "prepare") if _META + name in meta}


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta[f"{_META}{parameter.name}"] = value


def json_option(command: Command) -> Command:
    """Add ``--json``: print the result for a program."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")(command)


def engine_options(command: Command) -> Command:
    """Add ``--engine`` and ``--address``: where worker processes run."""
    engine = click.option(
        "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
        help="Where processes run: on this machine, or on those of a Ray cluster.",
    )  # fmt: skip
    text = "Address of the Ray cluster, such as 10.0.0.5:6379.  [default: RAY_ADDRESS, or a new cluster here]"
    address = click.option("--address", metavar="ADDRESS", help=text)
    return engine(address(command))


def training_options(command: Command) -> Command:
    """Add the options of every command that trains a network."""
    options = [
        click.option(
            "--budget",
            metavar="BUDGET",
            help=f"How long training may take: {', '.join(BUDGETS)}. Sets network and recipe.  [default: default]",
        ),
        click.option("--network", metavar="NETWORK", help=NETWORK_HELP + "  [default: the budget's]"),
        click.option("--recipe", metavar="RECIPE", help=RECIPE_HELP + "  [default: the budget's]"),
        click.option("--epochs", type=int, help="Stop after this many epochs.  [default: the recipe's]"),
        click.option("--seconds", type=float, help="Stop after this many seconds of training."),
        SEED,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def until_option(command: Command) -> Command:
    """Add ``--until``: stop at an accuracy."""
    text = "Stop at this validation accuracy, such as 0.99."
    return click.option("--until", type=float, metavar="ACCURACY", help=text)(command)


def checkpoint_option(command: Command) -> Command:
    """Add ``--checkpoint`` and ``--every``. `checkpoint_argument` returns their values."""
    folder = "Keep the state of the training in this folder: the same command again resumes it if it was interrupted."
    for option in (
        click.option("--every", metavar="TIME", expose_value=False, callback=_remember_duration,
                     help="Time from one checkpoint to the next, such as 30s or 5m.  [default: 10s]"),
        click.option("--checkpoint", metavar="DIR", expose_value=False, callback=_remember, help=folder),
    ):  # fmt: skip
        command = option(command)
    return command


def checkpoint_argument(start: str | None = None, out: str | None = None) -> "Checkpoint | None":
    """Return what ``--checkpoint`` and ``--every`` stand for; None if no folder is given.

    Parameters
    ----------
    start, out : str, optional
        The model that a command starts from, and the one that it writes. They must differ: the same command could not
        be given again if it replaced the model to start from.
    """
    meta = click.get_current_context().meta
    folder, every = meta[f"{_META}checkpoint"], meta[f"{_META}every"]
    if folder is None:
        check(every is None, "--every", every, "left out without --checkpoint")
        return None
    check(folder != "", "--checkpoint", folder, "the name of a folder")
    same = start is not None and out is not None and os.path.realpath(start) == os.path.realpath(out)
    check(not same, "--out", out, "another file than the model to start from", "a resumed training needs that again")
    from inksight.training.checkpoint import EVERY, Checkpoint

    return Checkpoint(folder, EVERY if every is None else every)


def _remember_duration(context: click.Context, parameter: click.Parameter, text: str | None) -> None:
    """Remember the seconds of a duration such as ``30s``, ``5m`` or ``1h``; a number alone means seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?)\s*([smh]?)", "" if text is None else text)
    if text is not None and match is None:
        raise click.BadParameter(f"{text!r} is not a time such as 10s, 5m or 1h", context, parameter)
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else None
    _remember(context, parameter, seconds)


_PRODUCTS = {".safetensors", ".html", ".md", ".svg"}  # which no command reads from a folder


def check_outputs(
    *files: str | None, picture: str | None = None, inputs: Iterable[str | os.PathLike[str] | None] = ()
) -> None:
    """Check that all files of a command can be written and none that it reads is lost, before any work is done.

    Parameters
    ----------
    *files : str or None
        Names given to options; None if an option is not given.
    picture : str, optional
        The name given to ``--picture``, which must end in .png or .svg.
    inputs : iterable of path-like or None
        What the command reads and must not replace; of a folder, the files in it. A model that is trained further is
        not among them.

    Raises
    ------
    InputError
        If a file cannot be written or is an input, or two options name the same one.
    """
    names = [name for name in (*files, picture) if name is not None]
    read = {os.path.realpath(path) for path in inputs if path}
    for number, name in enumerate(names):
        check(name != "", "name of a file to write", name, "given", "leave the option out to write none")
        check(name != "-", "name of a file to write", name, "that of a file", "give /dev/stdout to print it")
        check_writable(name)
        if is_stream(name):
            continue
        path = os.path.realpath(name)
        same = any(path == os.path.realpath(other) for other in names[:number])
        check(not same, "files to write", name, "different ones", "give each option another name")
        inside = Path(path).suffix not in _PRODUCTS and any(map(read.__contains__, map(str, Path(path).parents)))
        # A name such as mnist or best need not be that of a file.
        lost = (path in read or inside) and Path(path).exists()
        check(not lost, "file to write", name, "other than the files to read", "it would be lost, so give another name")
    if picture:
        from inksight import plot  # matplotlib takes long to import

        plot.check_suffix(picture)


def claim(*files: str | None) -> None:
    """Claim the files that a command will write, those that are given, until it ends (`inksight._shared.claim`)."""
    for name in files:
        if name and not is_stream(name):
            click.get_current_context().with_resource(claimed(name))


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object on standard output."""
    click.echo(json.dumps(result, allow_nan=False))
