"""``inksight evaluate``: the accuracy of a model, on clean or corrupted images."""

from typing import TYPE_CHECKING

import click

from inksight.cli.options import check_outputs, data_option, json_option, load_arguments, print_json
from inksight.errors import InputError

if TYPE_CHECKING:
    from inksight.inspection.corruption_robustness import Robustness
    from inksight.inspection.evaluation import Evaluation


@click.command()
@click.argument("model", default="best")
@data_option
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train", "all"]),
    help="Images to use.  [default: the source's test images if it has any, else all; with --robustness, validation]",
)
@click.option("--robustness", is_flag=True, help="Corrupt the images: eleven corruptions at five severities each.")
@click.option("--images", type=click.IntRange(1), help="Images to corrupt.  [default: 2000]")
@click.option("--preprocessed", is_flag=True, help="Also preprocess the images as `read` does: about a minute.")
@click.option("--picture", metavar="FILE",
              help="Draw the confusion matrix, or accuracy by severity, as .png or .svg.")  # fmt: skip
@json_option
def evaluate(
    model: str, source: str, split: str | None, robustness: bool, images: int | None, preprocessed: bool,
    picture: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure the accuracy of a model on labeled digits.

    MODEL is a shipped model (post, best, small, tiny, reader), or a file of a model or an ensemble; without it, `best`.

    With --robustness, the images are corrupted: rotation, scale, shift, shear, stroke thickness, blur, noise, low
    resolution, low contrast, occlusion and lined paper. The network reads the corrupted images as they are; with
    --preprocessed, also after the preprocessing of `read`.

    \b
    Examples:
      inksight evaluate best
      inksight evaluate model.safetensors --data train.csv --split validation --json
      inksight evaluate model.safetensors --robustness --picture robustness.png
    """
    from inksight.data.loading import load
    from inksight.nn.ensemble_file import load_classifier

    if (images or preprocessed) and not robustness:
        raise InputError("--images and --preprocessed are options of --robustness, which is missing: add it")
    check_outputs(picture=picture, inputs=[model, source])
    from inksight.inspection.evaluation import SEEN_IN_TRAINING, seen_in_training

    loaded, digits = load_classifier(model), load(source, **load_arguments())
    part = split or ("validation" if robustness else digits.default_part)
    chosen = digits.part(part)
    result: Robustness | Evaluation
    if robustness:
        from inksight.inspection import corruption_robustness

        result = corruption_robustness.robustness(loaded, chosen, images=images or 2000, prepare=preprocessed)
    else:
        from inksight.inspection import evaluation

        result = evaluation.evaluate(loaded, chosen)
    if picture:
        from inksight import plot

        plot.save(result.plot(), picture)
    seen = seen_in_training(loaded, digits, part)
    if as_json:
        print_json(result.to_dict() | {"seen_in_training": seen})
        return
    click.echo(str(result))
    if seen:
        click.echo(f"\n{SEEN_IN_TRAINING}")
