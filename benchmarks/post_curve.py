"""The post's own run, repeated, beside the default recipe on the same rows.

Run as ``python -m benchmarks.post_curve``. 42,000 rows of MNIST's training images, shuffled, stand for Kaggle's file;
the post's split of them trains on 33,600 and validates on 8,400. The recipe ``post`` makes 80 epochs of three passes.
Both histories are kept in ``results/post_curve.json`` and drawn in ``docs/curves.png``. ``seconds`` are training steps
with augmentation alone. No test image is read.
"""

import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.machine import describe
from inksight.data.loading import load
from inksight.training.fit import fit

ROOT = Path(__file__).parents[1]
ROWS = 42_000
# What the post's curve does: after its first epoch, and at its end.
FIRST, LAST = (0.86, 0.92), (0.985, 0.993)


def main() -> int:
    """Print both curves; return 1 if the post's does not do what the post's did."""
    mnist = load("mnist")
    rows = np.random.default_rng(0).permutation(len(mnist) - mnist.test_count)[:ROWS]
    splits = mnist[rows].split()
    machine = describe("jax", "numpy")
    print(machine)
    curves = {}
    for recipe in ("post", "default"):
        result = fit(splits, "post", recipe, progress=False)
        accuracy = result.model.history["val_accuracy"]
        curves[recipe] = result.model.history.to_list()
        print(
            f"recipe {recipe}: validation {accuracy[0]:.2%} after epoch 1, {accuracy[-1]:.2%} after {len(accuracy)}, "
            f"{result.seconds:.0f} s ({result.images_per_second:,.0f} images/s)",
            flush=True,
        )
    kept = {"machine": machine, "rows": ROWS, "curves": curves}
    (ROOT / "benchmarks/results/post_curve.json").write_text(json.dumps(kept) + "\n")
    draw(curves).savefig(ROOT / "docs/curves.png", dpi=130, bbox_inches="tight", metadata={"Software": None})
    first, last = (curves["post"][i]["val_accuracy"] for i in (0, -1))
    return int(not (FIRST[0] <= first <= FIRST[1] and LAST[0] <= last <= LAST[1]))


def draw(curves: dict[str, list[dict[str, float]]]) -> Figure:
    """Draw validation error against seconds of training, both on logarithmic axes."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    ax = figure.add_subplot()
    for (recipe, rows), colour in zip(curves.items(), ("#a96b59", "#3f90da"), strict=True):
        seconds = np.cumsum([row["seconds"] for row in rows])
        error = [100 * (1 - row["val_accuracy"]) for row in rows]
        ax.plot(seconds, error, color=colour, marker="o", markersize=2.5, linewidth=1.2)
        ax.annotate(f" {recipe}", (seconds[-1], error[-1]), color=colour, va="center")
    ax.set(xscale="log", yscale="log", xlabel="seconds of training", ylabel="validation error, %")
    ax.set_title("The post's recipe and the default one, the same network and rows", loc="left", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_yticks([0.5, 1, 2, 5, 10], labels=["0.5", "1", "2", "5", "10"])
    ax.set_xticks([1, 10, 100], labels=["1", "10", "100"])
    ax.margins(x=0.08)
    return figure


if __name__ == "__main__":
    sys.exit(main())
