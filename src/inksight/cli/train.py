"""``inksight train`` and ``inksight kaggle``: train a model."""

import math
from typing import TYPE_CHECKING

import click

from inksight._shared.files import is_stream
from inksight._shared.validation import check
from inksight.cli.options import (
    check_outputs,
    checkpoint_argument,
    checkpoint_option,
    claim,
    data_option,
    json_option,
    load_arguments,
    loading_options,
    print_json,
    training_options,
    until_option,
)

if TYPE_CHECKING:
    from inksight.training.result import TrainingResult


@click.command()
@data_option
@training_options
@until_option
@click.option("--from", "start", metavar="MODEL",
              help="Continue training this model, a shipped one or a file; its history grows.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Also train on validation images (never on test images).")
@checkpoint_option
@click.option("--out", default="model.safetensors", show_default=True, metavar="FILE", help="Model file to write.")
@json_option
def train(
    source: str, budget: str | None, network: str | None, recipe: str | None, epochs: int | None, seconds: float | None,
    seed: int, until: float | None, start: str | None, everything: bool, out: str, as_json: bool,
) -> None:  # fmt: skip
    """Train a network and write it to a model file.

    The file is written after every epoch. Ctrl-C stops training and keeps the model. With --checkpoint, the same
    command resumes an interrupted training, even after a power failure, and the model is the same to the last bit.

    \b
    Examples:
      inksight train --out model.safetensors
      inksight train --budget best --out best.safetensors
      inksight train --data train.csv --seconds 30
      inksight train --network 12x3,12x3p,24x3 --until 0.99
      inksight train --from model.safetensors --epochs 2 --out more.safetensors
      inksight train --budget best --checkpoint training
    """
    from inksight.data.loading import load
    from inksight.nn.model_file import load_model

    check_outputs(out, inputs=[source])
    claim(out)
    checkpoint = checkpoint_argument(start, out)
    model = load_model(start) if start else None
    from inksight.training.fitting import fit

    splits = load(source, **load_arguments()).split()

    if everything:
        splits = splits.with_validation_to_train()
    result = fit(
        splits, network, recipe, budget=budget, start=model, seed=seed, epochs=epochs, seconds=seconds, until=until,
        on_epoch=None if is_stream(out) else lambda model: model.save(out), checkpoint=checkpoint,
    )  # fmt: skip
    result.model.save(out)
    _print_result(result, out, as_json)


@click.command()
@click.argument("train_source", metavar="TRAIN")
@click.argument("test_source", metavar="TEST")
@training_options
@click.option("--folds", type=click.IntRange(2, 1000), metavar="N",
              help="Train N networks, each without one of N folds, and average their probabilities.")  # fmt: skip
@click.option("--no-check", is_flag=True, help="Train on all images at once, without an expected score.")
@click.option("--out", default="submission.csv", show_default=True, metavar="FILE", help="Submission to write, as CSV.")
@checkpoint_option
@click.option("--model", "model_out", metavar="FILE", help="Also write the trained model, or the ensemble of --folds.")
@loading_options
@json_option
def kaggle(
    train_source: str, test_source: str, budget: str | None, network: str | None, recipe: str | None,
    epochs: int | None, seconds: float | None, seed: int, folds: int | None, no_check: bool, out: str,
    model_out: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write a submission for Kaggle's Digit Recognizer.

    Trains a network on all rows of TRAIN and classifies the rows of TEST: Kaggle's two CSV files. Before that, it
    trains one on four fifths of TRAIN and measures on the others what score to expect. This takes almost as long again,
    and --no-check leaves it out. How long everything takes is measured first, by a short trial.

    With --folds 5, it trains five networks on four fifths each. What to expect is measured on all rows, by the network
    that was not trained on the row. The submission is the average of the five, which is usually a little better. This
    takes four times as long as training on all rows.

    \b
    Examples:
      inksight kaggle train.csv test.csv --out submission.csv
      inksight kaggle train.csv test.csv --budget best --folds 5 --model ensemble.safetensors
    """
    from inksight.data.kaggle import write_submission
    from inksight.data.loading import load
    from inksight.experiments.competition import compete

    check(not (folds and no_check), "--no-check", no_check, "left out with --folds, whose networks are the check")
    check_outputs(out, model_out, inputs=[train_source, test_source])
    claim(out, model_out)
    checkpoint = checkpoint_argument()
    arguments = load_arguments()
    labeled, test = load(train_source, **arguments), load(test_source, prepare=arguments["prepare"])
    entry = compete(
        labeled, network, recipe, folds=folds, check=not no_check, budget=budget, epochs=epochs, seconds=seconds,
        seed=seed, checkpoint=checkpoint,
    )  # fmt: skip
    if model_out:
        entry.model.save(model_out)
    write_submission(entry.model.predict(test.images), out)
    if as_json:
        print_json(entry.to_dict() | {"rows": len(test), "out": out})
        return
    expected = "" if entry.expected is None else f"; {entry.expected}"
    click.echo(f"{out}: {len(test):,} rows, from {len(labeled):,} labeled images{expected}")


def _print_result(result: "TrainingResult", out: str, as_json: bool) -> None:
    if as_json:
        print_json(result.to_dict() | {"out": out})
        return
    rows = result.model.history.rows
    epochs = f"{len(rows)} epoch{'' if len(rows) == 1 else 's'}"
    line = f"{out}: {epochs}, {result.seconds:.1f} s of training at {result.images_per_second:,.0f} images/s"
    if rows and not math.isnan(rows[-1].val_accuracy):
        line += f", validation accuracy {rows[-1].val_accuracy:.2%}"
    if result.stopped != "epochs":
        line += f"; stopped: {result.stopped}"
    click.echo(line)
