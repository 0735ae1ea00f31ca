"""``inksight labels``: the command that looks for wrong labels."""

import click

from inksight.cli.options import A_NETWORK, A_RECIPE, SEED, json_option, print_json


@click.command()
@click.argument("source", metavar="DATA")
@click.option("--split", type=click.Choice(["test", "validation", "train", "all"]), default="all", show_default=True,
              help="Whose labels; the source's other images then only help to train.")  # fmt: skip
@click.option(
    "--top", type=click.IntRange(1), default=100, show_default=True, help="How many images the page and the JSON hold."
)
@click.option(
    "--folds", type=int, help="Parts that take turns at being judged.  [default: 2 to 5, by what time allows]"
)
@click.option("--repeats", type=int, default=3, show_default=True, help="Networks that judge each image.")
@click.option("--network", default="best", show_default=True, help=A_NETWORK)
@click.option("--recipe", help=A_RECIPE + "  [default: seconds, with 20 epochs]")
@click.option("--epochs", type=int, help="Of each training.  [default: what a minute allows, at most the recipe's]")
@SEED
@click.option("--out", default="labels.html", show_default=True, metavar="FILE", help="The page to write.")
@click.option("--csv", metavar="FILE", help="Write all images, the most doubtful first, as CSV.")
@json_option
def labels(
    source: str, split: str, top: int, folds: int | None, repeats: int, network: str, recipe: str | None,
    epochs: int | None, seed: int, out: str, csv: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Rank the images of DATA whose labels are doubtful, and show them on a page.

    Each image is judged by networks that were trained without it. The most doubtful stand first: those that
    the networks are the surest to be something else than their label says.

    \b
    Examples:
      inksight labels train.csv
      inksight labels mnist --split test --csv doubts.csv
      inksight labels folder-of-pictures --repeats 1 --top 30
    """
    from inksight._shared.files import check_writable
    from inksight.cli.startup import load_while_importing_jax

    for path in (out, csv):
        if path:
            check_writable(path)
    judged, beside = load_while_importing_jax(source).split_off(split)
    from inksight.inspection.label_errors import doubtful_labels, write_table
    from inksight.report.label_review import write_review

    found = doubtful_labels(
        judged, folds, network, recipe, repeats=repeats, epochs=epochs, seed=seed, extra=beside
    )  # fmt: skip
    write_review(found, out, top=top)
    if csv:
        write_table(found, csv)
    if as_json:
        print_json(found.to_dict(top) | {"page": out, "csv": csv})
    else:
        click.echo(str(found))
        click.echo(f"\npage: {out}")
