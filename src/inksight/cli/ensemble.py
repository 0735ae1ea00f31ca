"""``inksight ensemble``: average several models."""

import click

from inksight.cli.options import check_outputs, claim, data_option, json_option, load_arguments, print_json


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@data_option
@click.option("--out", default="ensemble.safetensors", show_default=True, metavar="FILE",
              help="Ensemble file to write.")  # fmt: skip
@json_option
def ensemble(models: tuple[str, ...], source: str, out: str, as_json: bool) -> None:
    """Combine models into an ensemble, which averages their probabilities.

    MODEL is a shipped model (post, best, small, tiny, reader) or a model file; give two or more with the same classes.
    The ensemble is one file. `evaluate`, `card` and `read` take it like a model.

    The models and the ensemble are evaluated on the validation images of --data. If no model is known to be trained on
    them, the ensemble is also calibrated on them.

    \b
    Examples:
      inksight ensemble a.safetensors b.safetensors c.safetensors
      inksight ensemble a.safetensors b.safetensors --out e.safetensors
      inksight evaluate e.safetensors
    """
    from inksight.data.loading import load
    from inksight.nn.ensemble import Ensemble
    from inksight.nn.model_file import load_model

    check_outputs(out, inputs=[*models, source])
    claim(out)
    average = Ensemble([load_model(model) for model in models])
    data = load(source, **load_arguments())
    from inksight.inspection.evaluation import SEEN_IN_TRAINING, evaluate, seen_in_training
    from inksight.training.calibration import calibrated

    validation = data.part("validation")
    seen = seen_in_training(average, data, "validation")
    each = [evaluate(model, validation, hardest=0) for model in average.models]
    if not seen:
        average = calibrated(average, validation)
    together = evaluate(average, validation, hardest=0)
    average.save(out)
    if as_json:
        accuracies = dict(zip(models, (result.accuracy for result in each), strict=True))
        print_json(
            {"models": accuracies, "n": together.n, "accuracy": together.accuracy, "interval": together.interval,
             "seen_in_training": seen, "temperature": average.temperature, "weights": average.digest, "out": out}
        )  # fmt: skip
        return
    width = max(map(len, models))
    for name, result in zip(models, each, strict=True):
        click.echo(f"{name:<{width}}  {result.accuracy:.2%}")
    low, high = together.interval
    click.echo(
        f"{out}: {len(models)} models, validation accuracy {together.accuracy:.2%} (95 % interval {low:.2%} to "
        f"{high:.2%}, {together.n:,} images), temperature {average.temperature:.3f}"
    )
    if seen:
        click.echo(f"\n{SEEN_IN_TRAINING} So the ensemble is not calibrated: its temperature is 1.")
