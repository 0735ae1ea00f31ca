"""``inksight labels``: find images whose labels are probably wrong."""

from pathlib import Path

import click
from click.core import ParameterSource

from inksight._shared.validation import check
from inksight.cli.options import (
    NETWORK_HELP,
    RECIPE_HELP,
    SEED,
    check_outputs,
    checkpoint_argument,
    checkpoint_option,
    json_option,
    load_arguments,
    loading_options,
    print_json,
)
from inksight.config import DIGITS
from inksight.errors import InputError

APPLY_OPTIONS = "only --csv, --split and --json"


@click.command()
@click.argument("source", metavar="DATA")
@click.option("--split", type=click.Choice(["test", "validation", "train", "all"]), default="all", show_default=True,
              help="Images whose labels are judged; the source's other images are only trained on.")  # fmt: skip
@click.option("--top", type=click.IntRange(1), default=100, show_default=True, help="Images on the page and in --json.")
@click.option("--folds", type=int, help="Folds of the cross-validation.  [default: 2 to 5, by the number of images]")
@click.option("--repeats", type=int, default=3, show_default=True,
              help="Repetitions of the cross-validation, averaged: networks that judge each image.")  # fmt: skip
@click.option("--network", default="best", show_default=True, metavar="NETWORK", help=NETWORK_HELP)
@click.option("--recipe", metavar="RECIPE", help=RECIPE_HELP + "  [default: seconds, with 20 epochs]")
@click.option(
    "--epochs",
    type=int,
    help="Epochs of each training.  [default: the recipe's, or as many as two million images of all trainings allow]",
)
@SEED
@checkpoint_option
@click.option("--out", default="labels.html", show_default=True, metavar="FILE", help="HTML page to write.")
@click.option("--csv", metavar="FILE", help="Write all images as CSV, the most doubtful first.")
@click.option("--apply", "corrections", metavar="FILE",
              help="Write the data with the corrections saved on the page to --csv, and judge nothing.")  # fmt: skip
@loading_options
@json_option
@click.pass_context
def labels(
    context: click.Context, source: str, split: str, top: int, folds: int | None, repeats: int, network: str,
    recipe: str | None, epochs: int | None, seed: int, out: str, csv: str | None, corrections: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Rank images by how doubtful their labels are, and correct them.

    DATA is a source of labeled digits, as in `inksight train --data`. Each image is judged by networks that were not
    trained on it (cross-validation). How long this takes is measured first, by a short trial. The images whose labels
    these networks find least probable come first. A page
    shows them; there you decide on each, and save your decisions as corrections.csv. With --apply, the command writes
    the corrected data in the layout of Kaggle's train.csv.

    \b
    Examples:
      inksight labels train.csv
      inksight labels train.csv --apply corrections.csv --csv corrected.csv
      inksight labels mnist --split test --csv doubts.csv
      inksight labels folder-of-pictures --repeats 1 --top 30
    """
    if corrections is not None:
        given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
        unused = given - {"source", "split", "csv", "corrections", "as_json"}
        unused |= {"checkpoint"} if checkpoint_argument() else set()
        check(not unused, "options with --apply", ", ".join(f"--{name}" for name in sorted(unused)), APPLY_OPTIONS)
        _write_corrected(source, split, corrections, csv, as_json)
        return
    check_outputs(out, csv, inputs=[source])
    checkpoint = checkpoint_argument()
    from inksight.data.loading import load
    from inksight.inspection.label_errors import doubtful_labels, write_table
    from inksight.report.label_review import write_review

    judged, extra = load(source, **load_arguments()).split_off(split)

    result = doubtful_labels(
        judged, folds, network, recipe, repeats=repeats, epochs=epochs, seed=seed, extra=extra, checkpoint=checkpoint
    )
    write_review(result, out, top=top)
    if csv:
        write_table(result, csv)
    if as_json:
        print_json(result.to_dict(top) | {"page": out, "csv": csv})
    else:
        click.echo(str(result))
        click.echo(f"\npage: {out}")


def _write_corrected(source: str, split: str, corrections: str, csv: str | None, as_json: bool) -> None:
    """Write the data with corrected labels, and print how many labels changed."""
    from inksight.data.corrections import LEFT_OUT, apply_corrections, corrected_labels
    from inksight.data.loading import load, write_csv

    if csv is None:
        raise InputError("--apply needs a file to write: add --csv corrected.csv")
    check_outputs(csv, inputs=[source, corrections])
    inside = Path(source).is_dir() and Path(csv).resolve().is_relative_to(Path(source).resolve())
    check(not inside, "--csv", csv, f"a file outside {source!r}, which would change the data")
    data = load(source, **load_arguments()).part(split)
    if data.class_names != DIGITS:
        raise InputError(
            f"--apply writes CSV with the classes 0 to 9, and {data.name!r} has others: "
            "use inksight.data.apply_corrections in Python"
        )
    corrected, labels = apply_corrections(data, corrections), corrected_labels(data, corrections)
    write_csv(corrected, csv)
    left_out = int((labels == LEFT_OUT).sum())
    counts = {"n": len(corrected), "changed": int((labels != data.labels).sum()) - left_out, "left_out": left_out}
    if as_json:
        print_json({"data": data.name, "csv": csv} | counts)
    else:
        click.echo("{}: {n:,} images, labels changed: {changed:,}, images left out: {left_out:,}".format(csv, **counts))
