"""``inksight labels``: find images whose labels are probably wrong."""

import click

from inksight.cli.options import NETWORK_HELP, RECIPE_HELP, SEED, check_outputs, json_option, print_json
from inksight.cli.startup import load_while_importing_jax


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
@click.option("--epochs", type=int, help="Epochs of each training.  [default: a minute's worth, at most the recipe's]")
@SEED
@click.option("--out", default="labels.html", show_default=True, metavar="FILE", help="HTML page to write.")
@click.option("--csv", metavar="FILE", help="Write all images as CSV, the most doubtful first.")
@json_option
def labels(
    source: str, split: str, top: int, folds: int | None, repeats: int, network: str, recipe: str | None,
    epochs: int | None, seed: int, out: str, csv: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Rank images by how doubtful their labels are.

    DATA is a source of labeled digits, as in `inksight train --data`. Each image is judged by networks that were not
    trained on it (cross-validation). The images whose labels these networks find least probable come first. A page
    shows them.

    \b
    Examples:
      inksight labels train.csv
      inksight labels mnist --split test --csv doubts.csv
      inksight labels folder-of-pictures --repeats 1 --top 30
    """
    check_outputs(out, csv)
    judged, extra = load_while_importing_jax(source).split_off(split)
    from inksight.inspection.label_errors import doubtful_labels, write_table
    from inksight.report.label_review import write_review

    result = doubtful_labels(judged, folds, network, recipe, repeats=repeats, epochs=epochs, seed=seed, extra=extra)
    write_review(result, out, top=top)
    if csv:
        write_table(result, csv)
    if as_json:
        print_json(result.to_dict(top) | {"page": out, "csv": csv})
    else:
        click.echo(str(result))
        click.echo(f"\npage: {out}")
