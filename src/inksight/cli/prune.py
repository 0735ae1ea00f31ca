"""``inksight prune``: fewer filters, as long as the network stays as good as asked for."""

import click

from inksight.cli.options import RECIPE, data_option, json_option, print_json


@click.command()
@click.argument("model", required=False)
@data_option
@click.option("--keep-accuracy", type=float, default=98.9, show_default=True, metavar="ACCURACY",
              help="Validation accuracy to keep, in per cent such as 98.9 or as a share such as 0.989.")  # fmt: skip
@click.option("--network", default="post", show_default=True, help="What to train first if no MODEL is given.")
@RECIPE
@click.option("--share", type=float, default=0.25, show_default=True, help="Of the parameters: what a step removes.")
@click.option("--epochs", type=int, default=4, show_default=True, help="Of training after each step.")
@click.option("--steps", type=int, help="Take no more than so many.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of all that is random.")
@click.option("--compare", is_flag=True,
              help="Train the same networks small from the start, too: many times the work.")  # fmt: skip
@click.option("--out", default="pruned.safetensors", show_default=True, help="The model file to write.")
@click.option("--picture", metavar="FILE", help="Draw accuracy against parameters, as .png or .svg.")
@json_option
def prune(
    model: str | None, source: str, keep_accuracy: float, network: str, recipe: str, share: float, epochs: int,
    steps: int | None, seed: int, compare: bool, out: str, picture: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Remove the filters that MODEL can do without.

    Step by step the filters that matter least are removed and the others trained on. The smallest network
    found that keeps the accuracy is written. Validation images decide, test images are never read.
    Ctrl-C ends the work and keeps what was found.

    \b
    Examples:
      inksight prune --keep-accuracy 98.9
      inksight prune model.safetensors --keep-accuracy 99.2 --out small.safetensors
      inksight prune model.safetensors --picture curve.png --compare
    """
    from inksight._shared.files import check_writable
    from inksight._shared.validation import check, is_between
    from inksight.cli.startup import load_while_importing_jax
    from inksight.nn.model_file import load_model

    check(is_between(keep_accuracy, 0, 100), "keep-accuracy", keep_accuracy, "0 to 1, or 0 to 100 per cent")
    check_writable(out)
    if picture:
        from inksight import plot

        plot.check_suffix(picture)
        check_writable(picture)
    start = load_model(model) if model else network
    splits = load_while_importing_jax(source).split()
    from inksight.experiments import pruning
    from inksight.experiments.tradeoff import Tradeoff

    # Rounded, because 98.9 / 100 is a hair above 0.989, which 9,890 of 10,000 would then miss.
    keep = round(keep_accuracy / 100, 12) if keep_accuracy > 1 else keep_accuracy
    found = pruning.prune(
        splits, start, recipe, keep_accuracy=keep, share=share, epochs=epochs, steps=steps, seed=seed
    )  # fmt: skip
    found.model.save(out)
    small = [pruning.train_small(splits, found, recipe, seed=seed)] if compare else []
    if picture:
        plot.save(Tradeoff([found], small).plot(), picture)
    if as_json:
        compared = {"small": [step.to_dict() for step in small[0]]} if small else {}
        print_json(found.to_dict() | compared | {"weights": found.model.digest, "out": out})
        return
    before, after = found.steps[0], found.smallest
    click.echo(
        f"{out}: {after.network.spec}, {after.parameters:,} of {before.parameters:,} parameters "
        f"({after.parameters / before.parameters:.0%}), validation accuracy {after.accuracy:.2%} after "
        f"{before.accuracy:.2%}; stopped: {found.stopped}"
    )
