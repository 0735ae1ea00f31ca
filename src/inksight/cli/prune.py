"""``inksight prune``: remove filters from a network while it keeps its accuracy."""

import click

from inksight._shared.validation import check, is_between
from inksight.cli.options import (
    RECIPE_HELP,
    SEED,
    check_outputs,
    checkpoint_argument,
    checkpoint_option,
    claim,
    data_option,
    json_option,
    load_arguments,
    print_json,
)


@click.command()
@click.argument("model", required=False)
@data_option
@click.option("--keep-accuracy", type=float, default=98.9, show_default=True, metavar="ACCURACY",
              help="Validation accuracy to keep, in percent such as 98.9 or as a fraction such as 0.989.")  # fmt: skip
@click.option("--network", metavar="NETWORK",
              help="Network to train first if no MODEL is given.  [default: post]")  # fmt: skip
@click.option("--recipe", default="default", show_default=True, metavar="RECIPE", help=RECIPE_HELP)
@click.option(
    "--share", type=float, default=0.25, show_default=True, help="Share of the parameters to remove per step."
)
@click.option("--epochs", type=int, default=4, show_default=True, help="Epochs of training after each step.")
@click.option("--steps", type=int, help="Stop after this many steps.")
@SEED
@checkpoint_option
@click.option("--compare", is_flag=True,
              help="Also train networks of the same shapes from scratch: many times the work.")  # fmt: skip
@click.option("--out", default="pruned.safetensors", show_default=True, metavar="FILE", help="Model file to write.")
@click.option("--picture", metavar="FILE", help="Draw accuracy against parameters, as .png or .svg.")
@json_option
def prune(
    model: str | None, source: str, keep_accuracy: float, network: str | None, recipe: str, share: float, epochs: int,
    steps: int | None, seed: int, compare: bool, out: str, picture: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Remove the filters that a network can do without.

    MODEL is a shipped model (post, best, small, tiny, reader) or a model file; without it, a network is trained first.

    Each step removes the least important filters and trains the smaller network further. The smallest network that
    keeps the accuracy is written. Validation images decide; test images are not used. A short trial measures first how
    long a step takes. Ctrl-C stops and keeps the result so far.

    \b
    Examples:
      inksight prune --keep-accuracy 98.9
      inksight prune model.safetensors --keep-accuracy 99.2 --out small.safetensors
      inksight prune model.safetensors --picture curve.png --compare
    """
    from inksight.data.loading import load
    from inksight.nn.model_file import load_model

    check(is_between(keep_accuracy, 0, 100), "keep-accuracy", keep_accuracy, "0 to 1, or 0 to 100 percent")
    check(model is None or network is None, "--network", network, "left out when a MODEL is given")
    check_outputs(out, picture=picture, inputs=[source, model])
    claim(out)
    checkpoint = checkpoint_argument(model, out)
    start = load_model(model) if model else network or "post"
    from inksight.experiments import pruning
    from inksight.experiments.tradeoff import Tradeoff

    splits = load(source, **load_arguments()).split()

    # Rounded, because 98.9 / 100 is slightly more than 0.989, which 9,890 of 10,000 would then miss.
    keep = round(keep_accuracy / 100, 12) if keep_accuracy > 1 else keep_accuracy
    result = pruning.prune(
        splits, start, recipe, keep_accuracy=keep, share=share, epochs=epochs, steps=steps, seed=seed,
        checkpoint=checkpoint,
    )  # fmt: skip
    result.model.save(out)
    from_scratch = []
    if compare:
        own = checkpoint and checkpoint.part("from-scratch")
        from_scratch = [pruning.train_from_scratch(splits, result, recipe, seed=seed, checkpoint=own)]
    if picture:
        from inksight import plot

        plot.save(Tradeoff([result], from_scratch).plot(), picture)
    if as_json:
        compared = {"small": [step.to_dict() for step in from_scratch[0]]} if from_scratch else {}
        print_json(result.to_dict() | compared | {"weights": result.model.digest, "out": out})
        return
    before, after = result.steps[0], result.smallest
    click.echo(
        f"{out}: {after.network.spec}, {after.parameters:,} of {before.parameters:,} parameters "
        f"({after.parameters / before.parameters:.0%}), validation accuracy {after.accuracy:.2%}, "
        f"{before.accuracy:.2%} before pruning; stopped: {result.stopped}"
    )
