"""The post's own training run, and the default recipe on the same data.

Run: ``python -m benchmarks.post_curve``. Writes ``results/post_curve.json`` and ``docs/curves.png``.

Data: 33,600 images to train on and 8,400 to validate (`benchmarks.common.data.kaggle_sized_mnist`), as in the post. No
test image is read.

Measured: validation accuracy and seconds of each epoch. The recipe `post` trains for 80 epochs of three passes. Seconds
are those of the training steps with augmentation, without validation. The claim: the post's recipe starts and ends in
the range of the post's own curve.
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import arguments
from benchmarks.common.data import KAGGLE_ROWS, kaggle_sized_mnist
from benchmarks.common.machine import describe
from benchmarks.common.results import save_figure, write_json_lines
from inksight.training.fitting import fit

FIRST_RANGE, LAST_RANGE = (0.86, 0.92), (0.985, 0.993)  # validation accuracy after the first epoch, and after the last


def main() -> int:
    """Print both curves; return 1 if the post's recipe misses a range."""
    splits = kaggle_sized_mnist()
    machine = describe("numpy")
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
    write_json_lines("post_curve.json", {"machine": machine, "rows": KAGGLE_ROWS, "curves": curves})
    save_figure(draw(curves), "curves.png")
    first, last = (curves["post"][i]["val_accuracy"] for i in (0, -1))
    return int(not (FIRST_RANGE[0] <= first <= FIRST_RANGE[1] and LAST_RANGE[0] <= last <= LAST_RANGE[1]))


def draw(curves: dict[str, list[dict[str, float]]]) -> Figure:
    """Plot validation error against seconds of training, both on logarithmic axes."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    ax = figure.add_subplot()
    for (recipe, rows), color in zip(curves.items(), ("#a96b59", "#3f90da"), strict=True):
        seconds = np.cumsum([row["seconds"] for row in rows])
        error = [100 * (1 - row["val_accuracy"]) for row in rows]
        ax.plot(seconds, error, color=color, marker="o", markersize=2.5, linewidth=1.2)
        ax.annotate(f" {recipe}", (seconds[-1], error[-1]), color=color, va="center")
    ax.set(xscale="log", yscale="log", xlabel="seconds of training", ylabel="validation error, %")
    ax.set_title("The post's recipe and the default one, the same network and rows", loc="left", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_yticks([0.5, 1, 2, 5, 10], labels=["0.5", "1", "2", "5", "10"])
    ax.set_xticks([1, 10, 100], labels=["1", "10", "100"])
    ax.margins(x=0.08)
    return figure


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__))
