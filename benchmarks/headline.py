"""The README's headline: the post's network, the default recipe, MNIST.

Run as ``python -m benchmarks.headline [seeds]``. Each seed trains on the 50,000 training images for the recipe's
number of epochs, without looking at the test images, and then reads the 10,000 test images once. ``seconds`` are the
training steps with augmentation; compiling (stated apart), loading and evaluating are not in them.
"""

import json
import statistics
import sys
from pathlib import Path

from benchmarks.machine import describe
from inksight.config import RECIPES
from inksight.data import load
from inksight.evaluation import evaluate
from inksight.training import run

RESULTS = Path(__file__).with_name("results") / "headline.jsonl"
CLAIM = 0.99  # test accuracy, mean over seeds


def main(seeds: int) -> int:
    """Print every seed and the mean; return 1 if the claim does not hold."""
    splits = load("mnist").split()
    assert splits.test is not None
    machine = describe("jax", "numpy")
    print(f"{machine}; network post, recipe default, {seeds} seeds")
    rows = []
    for seed in range(seeds):
        result = run(splits, "post", "default", seed=seed, progress=False)
        row = {
            "seed": seed,
            "epochs": RECIPES["default"].epochs,
            "val_accuracy": result.model.history.rows[-1].val_accuracy,
            "test_accuracy": evaluate(result.model, splits.test).accuracy,
            "seconds": round(result.seconds, 2),
            "compile_seconds": round(result.compile_seconds, 2),
            "images_per_second": round(result.images_per_second),
            "machine": machine,
        }
        rows.append(row)
        print(
            f"seed {seed}: validation {row['val_accuracy']:.2%}, test {row['test_accuracy']:.2%}, "
            f"{row['seconds']} s ({row['images_per_second']:,} images/s; compiling {row['compile_seconds']} s)",
            flush=True,
        )
    RESULTS.write_text("".join(json.dumps(row) + "\n" for row in rows))
    test = [row["test_accuracy"] for row in rows]
    mean = statistics.mean(test)
    spread = statistics.stdev(test) if seeds > 1 else float("nan")
    seconds = statistics.median(row["seconds"] for row in rows)
    print(f"test accuracy {mean:.2%}, sd {spread:.2%}, n = {seeds}; median {seconds:.0f} s of training")
    return int(mean < CLAIM)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
