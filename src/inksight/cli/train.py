"""``inksight train`` and ``inksight kaggle``: the commands that make a model."""

import gc
import importlib
import math
from typing import TYPE_CHECKING, Any

import click

from inksight.cli.options import data_option, json_option, print_json, training_options, until_option

if TYPE_CHECKING:
    from inksight.data.dataset import Dataset
    from inksight.training.fit import Run


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
    splits = load_beside_jax(source).split()
    from inksight.training.fit import run

    if everything:
        splits = splits.with_validation_to_train()
    result = run(
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
    from inksight.training.fit import run

    for path in (out, model_out):
        if path:
            check_writable(path)
    labelled, test = load(train_source), load(test_source)
    alone = Splits(labelled, None, None)
    result = run(alone, network, recipe, budget=budget, seed=seed, epochs=epochs, seconds=seconds)
    if model_out:
        result.model.save(model_out)
    write_submission(result.model.predict(test.images), out)
    if as_json:
        print_json(figures(result) | {"rows": len(test), "out": out})
    else:
        click.echo(f"{out}: {len(test):,} rows, from {result.train_images:,} labelled images")


def load_beside_jax(source: str) -> "Dataset":
    """Load digits, and import JAX and all else that training needs; MNIST is unpacked in a thread of its own."""
    from concurrent.futures import ThreadPoolExecutor

    from inksight.data.loading import load

    with ThreadPoolExecutor(1) as beside:
        # Only MNIST: reading any other source sets Python's warning filters, which all threads share.
        loading = beside.submit(load, source) if source == "mnist" else None
        # What JAX brings stays: looking through it for garbage, now and later, would take a tenth of a second.
        gc.disable()
        try:
            importlib.import_module("inksight.training.fit")
            gc.freeze()
        finally:
            gc.enable()
        return loading.result() if loading else load(source)


def report(result: "Run", out: str, as_json: bool) -> None:
    """Print how a training went."""
    if as_json:
        print_json(figures(result) | {"out": out})
        return
    rows = result.model.history.rows
    epochs = f"{len(rows)} epoch{'' if len(rows) == 1 else 's'}"
    line = f"{out}: {epochs}, {result.seconds:.1f} s of training at {result.images_per_second:,.0f} images/s"
    if rows and not math.isnan(rows[-1].val_accuracy):
        line += f", validation accuracy {rows[-1].val_accuracy:.2%}"
    if result.stopped != "epochs":
        line += f"; stopped: {result.stopped}"
    click.echo(line)


def figures(result: "Run") -> dict[str, Any]:
    """Return the figures of a training that a program would read; null for what wasn't measured."""
    from inksight.engine.ops import engine
    from inksight.nn.parameters import parameter_count

    network, rows = result.model.network, result.model.history.to_list()
    last = rows[-1] if rows else dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"))
    return {
        "parameters": parameter_count(network),
        "trained_parameters": parameter_count(network, trained=True),
        "train_images": result.train_images,
        "epochs": len(rows),
        **{name: last[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")},
        "seconds": result.seconds,
        "compile_seconds": result.compile_seconds,
        "images_per_second": result.images_per_second,
        "engine": engine(),
        "stopped": result.stopped,
        "weights": result.model.digest,
    }
