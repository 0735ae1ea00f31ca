"""``inksight evaluate``: how good a model is, on digits as they are and changed."""

from typing import TYPE_CHECKING

import click

from inksight.cli.options import data_option, json_option, print_json
from inksight.errors import InputError

if TYPE_CHECKING:
    from inksight.data.dataset import Dataset
    from inksight.inspection.corruption_robustness import Robustness
    from inksight.inspection.evaluation import Evaluation
    from inksight.nn.model import Model


@click.command()
@click.argument("model", default="best")
@data_option
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train", "all"]),
    help="Which images.  [default: the source's test images if it has any, else all; with --robustness validation]",
)
@click.option("--robustness", is_flag=True, help="Change the images: eleven ways, each in five strengths.")
@click.option("--images", type=click.IntRange(1), help="How many to change.  [default: 2000]")
@click.option("--prepare", is_flag=True, help="Read the changed images as `read` does, too: about a minute.")
@click.option("--picture", metavar="FILE",
              help="Draw the confusion matrix, or accuracy against strength, as .png or .svg.")  # fmt: skip
@json_option
def evaluate(
    model: str, source: str, split: str | None, robustness: bool, images: int | None, prepare: bool, picture: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Say how good MODEL is on labelled digits.

    With --robustness, how good it stays when they are turned, scaled, shifted, slanted, written with other pens,
    blurred, noisy, coarse, pale, partly covered, or on lined paper. The network reads them as the change leaves
    them; with --prepare also after all the steps that `read` takes.

    MODEL is `post`, `best`, `small`, `tiny`, or a model file.

    \b
    Examples:
      inksight evaluate best
      inksight evaluate model.safetensors --data train.csv --split validation --json
      inksight evaluate model.safetensors --robustness --picture robustness.png
    """
    from inksight.data.loading import load
    from inksight.nn.model_file import load_model

    if (images or prepare) and not robustness:
        raise InputError("--images and --prepare say how to do what --robustness asks for, got them without it: add it")
    if picture:
        from inksight import plot
        from inksight._shared.files import check_writable

        plot.check_suffix(picture)
        check_writable(picture)
    result: Robustness | Evaluation
    trained, digits = load_model(model), load(source)
    part = split or ("validation" if robustness else "test" if digits.test_count else "all")
    chosen = digits.part(part)
    if robustness:
        from inksight.inspection.corruption_robustness import robustness as evaluate_corrupted

        result = evaluate_corrupted(trained, chosen, images=images or 2000, prepare=prepare)
    else:
        from inksight.inspection.evaluation import evaluate as try_out

        result = try_out(trained, chosen)
    if picture:
        plot.save(result.plot(), picture)
    seen = _seen(trained, digits, part)
    if as_json:
        print_json(result.to_dict() | {"seen_in_training": seen})
        return
    click.echo(str(result))
    if seen:
        click.echo("\nThe model was trained on these images or some of them: on others expect less.")


def _seen(model: "Model", digits: "Dataset", part: str) -> bool:
    """Say whether images of a part, or some of them, are known to have been trained on."""
    if model.trained_on == digits.digest:
        return True
    seen = digits.split().seen_by(model.trained_on) if len(digits) > 1 else ()
    return bool(seen) if part == "all" else part in seen
