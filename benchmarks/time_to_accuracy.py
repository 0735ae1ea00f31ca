"""Time to 99 %: seconds of training until the network `post` reads 99.0 % of the post's validation images.

Run: ``python -m benchmarks.time_to_accuracy [SEEDS]``, and before it ``python -m benchmarks.time_to_accuracy --keras
EPOCHS`` for the comparison. Writes ``results/time_to_accuracy.jsonl`` and ``results/keras_post.jsonl``.

Data: 33,600 images to train on and 8,400 to validate (`benchmarks.common.data.kaggle_sized_mnist`), as in the post.

Measured: mean validation accuracy over the seeds, with the weights of the last step, and the median seconds of
training. Each seed has its own starting weights, batches and augmentation. The timer covers all training steps with
augmentation; not loading or validation.

``--keras EPOCHS`` runs the first epochs of the recipe `post` in Keras on TensorFlow, in the environment of
`benchmarks.frameworks`: 3 passes an epoch, batches of 256, the post's augmentation, in the variant that is fastest
here. The time of the recipe's 80 epochs, which end at 98.9 %, is extrapolated from the median epoch, without
validation.
"""

import json
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.data import kaggle_sized_mnist
from benchmarks.common.machine import describe
from benchmarks.common.results import RESULTS, write_json_lines
from benchmarks.competitors.lineup import BENCH_PYTHON, FOLDER, installed
from benchmarks.competitors.protocol import Worker
from benchmarks.frameworks import write_data
from inksight.config import RECIPES
from inksight.training.fitting import fit

SEEDS = 10
OWN_RESULTS, KERAS_RESULTS = "time_to_accuracy.jsonl", "keras_post.jsonl"
# One epoch more than in the recipe `seconds`, because an epoch has two thirds of the images that it was made for.
RECIPE = replace(RECIPES["seconds"], epochs=3)
CLAIMS = {
    "validation accuracy": Claim(0.99, "at least {:g}"),
    "times as fast as Keras": Claim(60.0, "at least {:g}"),
}


def main(seeds: int = SEEDS, keras: int | None = None) -> int:
    """Print every seed, the mean and the ratio to Keras; return 1 if a claim does not hold."""
    if keras:
        return measure_keras(keras)
    splits = kaggle_sized_mnist()
    machine = describe("inksight", "numpy")
    print(f"{machine}; network post, {RECIPE.epochs} epochs of {len(splits.train):,} images, {seeds} seeds")
    rows: list[dict[str, Any]] = []
    for seed in range(seeds):
        result = fit(splits, "post", RECIPE, seed=seed, progress=False)
        row = {
            "seed": seed,
            "epochs": RECIPE.epochs,
            "val_accuracy": result.model.history.rows[-1].val_accuracy,
            "seconds": round(result.seconds, 3),
            "images_per_second": round(result.images_per_second),
            "machine": machine,
        }
        rows.append(row)
        print(
            f"seed {seed}: validation {row['val_accuracy']:.2%}, {row['seconds']:.2f} s "
            f"({row['images_per_second']:,} images/s)",
            flush=True,
        )
    write_json_lines(OWN_RESULTS, *rows)
    accuracies = [row["val_accuracy"] for row in rows]
    mean, seconds = statistics.mean(accuracies), statistics.median(row["seconds"] for row in rows)
    sd = statistics.stdev(accuracies) if seeds > 1 else float("nan")
    print(f"validation accuracy {mean:.2%}, sd {sd:.2%}, n = {seeds}; median {seconds:.2f} s of training")
    measured = {"validation accuracy": mean}
    if (RESULTS / KERAS_RESULTS).exists():
        record = json.loads((RESULTS / KERAS_RESULTS).read_text())
        measured["times as fast as Keras"] = record["recipe_seconds"] / seconds
        print(
            f"the recipe post in Keras: {record['recipe_seconds']:,.0f} s (80 epochs extrapolated from "
            f"{len(record['seconds'])}; {record['machine']}): {record['recipe_seconds'] / seconds:.0f} times as long"
        )
    else:
        print("the recipe post in Keras was not measured: run with --keras EPOCHS first")
    for name, value in measured.items():
        print(f"{name}: {value:.4g} ({CLAIMS[name].verdict(value)})")
    return int(not all(CLAIMS[name].holds(value) for name, value in measured.items()))


def measure_keras(epochs: int) -> int:
    """Run some epochs of the recipe `post` in Keras, print and keep the seconds; return 1 without Keras."""
    versions = installed()
    if "keras" not in versions or "tensorflow" not in versions:
        print("Keras and TensorFlow are not installed in the environment of benchmarks/requirements.txt")
        return 1
    splits = kaggle_sized_mnist()
    assert splits.validation is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        write_data(path, splits.train, splits.validation)
        with Worker(BENCH_PYTHON, FOLDER / "keras_tf.py", path) as worker:
            record = worker.ask("recipe", epochs=epochs) | {"chosen": worker.chosen}
    median = statistics.median(record["seconds"])
    record |= {
        "recipe_seconds": median * RECIPES["post"].epochs,
        "machine": f"{describe()}, keras {versions['keras']}, tensorflow {versions['tensorflow']}",
    }
    print(f"{record['machine']}; {record['chosen']}")
    for number, (seconds, accuracy) in enumerate(zip(record["seconds"], record["accuracy"], strict=True), start=1):
        print(f"epoch {number}: {seconds:.2f} s, validation {accuracy:.2%}")
    print(f"80 epochs, extrapolated from the median of {epochs}: {record['recipe_seconds']:,.0f} s")
    write_json_lines(KERAS_RESULTS, record)
    return 0


if __name__ == "__main__":
    keras = arguments.option(
        "keras", "measure the recipe post in Keras instead", type=arguments.at_least(1), metavar="EPOCHS"
    )
    sys.exit(arguments.run(main, __doc__, arguments.seeds(SEEDS), keras))
