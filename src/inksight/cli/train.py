"""``inksight train`` and ``inksight kaggle``: the commands that make a model."""

import math
from typing import TYPE_CHECKING

import click

from inksight.cli.options import data_option, json_option, print_json, training_options, until_option
from inksight.cli.startup import load_while_importing_jax

if TYPE_CHECKING:
    from inksight.training.fit import TrainingResult


@click.command()
@data_option
@training_options
@until_option
@click.option("--from", "start", metavar="MODEL", help="Go on from this model; its history grows.")
@click.option("--all", "everything", is_flag=True, help="Train on validation images too (never on test images).")
@click.option("--out", default="model.safetensors", show_default=True, help="The model file to write.")
@json_option
def train(
    source: str, budget: str, network: str | None, recipe: str | None, epochs: int | None, seconds: float | None,
    seed: int, until: float | None, start: str | None, everything: bool, out: str, as_json: bool,
) -> None:  # fmt: skip
    """Train a network and write it to a file.

    The file is written anew after every epoch, so that no work is lost; Ctrl-C ends the training and
    keeps the model so far.

    \b
    Examples:
      inksight train --out model.safetensors
      inksight train --budget best --out best.safetensors
      inksight train --data train.csv --seconds 30
      inksight train --network 12x3,12x3p,24x3 --until 0.99
      inksight train --from model.safetensors --epochs 2 --out more.safetensors
    """
    from inksight._shared.files import check_writable
    from inksight.nn.model_file import load_model

    check_writable(out)
    model = load_model(start) if start else None
    splits = load_while_importing_jax(source).split()
    from inksight.training.fit import fit

    if everything:
        splits = splits.with_validation_to_train()
    result = fit(
        splits, network, recipe, budget=budget, start=model, seed=seed, epochs=epochs, seconds=seconds, until=until,
        on_epoch=lambda model: model.save(out),
    )  # fmt: skip
    result.model.save(out)
    report(result, out, as_json)


@click.command()
@click.argument("train_source", metavar="TRAIN")
@click.argument("test_source", metavar="TEST")
@training_options
@click.option("--out", default="submission.csv", show_default=True, help="The submission to write.")
@click.option("--model", "model_out", metavar="FILE", help="Keep the trained model here, too.")
@json_option
def kaggle(
    train_source: str, test_source: str, budget: str, network: str | None, recipe: str | None, epochs: int | None,
    seconds: float | None, seed: int, out: str, model_out: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Train on all rows of TRAIN and answer TEST, as Kaggle's Digit Recognizer takes it.

    \b
    Example:
      inksight kaggle train.csv test.csv --out submission.csv
    """
    from inksight._shared.files import check_writable
    from inksight.data.kaggle import write_submission
    from inksight.data.loading import load
    from inksight.data.splits import Splits
    from inksight.training.fit import fit

    for path in (out, model_out):
        if path:
            check_writable(path)
    labelled, test = load(train_source), load(test_source)
    alone = Splits(labelled, None, None)
    result = fit(alone, network, recipe, budget=budget, seed=seed, epochs=epochs, seconds=seconds)
    if model_out:
        result.model.save(model_out)
    write_submission(result.model.predict(test.images), out)
    if as_json:
        print_json(result.to_dict() | {"rows": len(test), "out": out})
    else:
        click.echo(f"{out}: {len(test):,} rows, from {result.train_images:,} labelled images")


def report(result: "TrainingResult", out: str, as_json: bool) -> None:
    """Print how a training went."""
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
