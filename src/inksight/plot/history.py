"""Plots of a training: loss, accuracy and learning rate by epoch."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.nn.history import History
from inksight.plot.grammar import CLASSES, NORMAL, SMALL, TEXT, WIDTH, blank, canvas, note, title

PANELS = {
    "loss": ("Loss", (("loss", "training"), ("val_loss", "validation"))),
    "accuracy": ("Accuracy", (("accuracy", "training"), ("val_accuracy", "validation"))),
    "learning_rate": ("Learning rate at the end of the epoch", (("learning_rate", ""),)),
}
FLOORS = (0.99, 0.9)  # where the axis of the accuracy may start; the post's starts at 0.9
COLORS = {"training": CLASSES[0], "validation": CLASSES[6], "": CLASSES[8]}


def draw_history(history: History, ax: Axes | None = None, *, kind: str | None = None) -> Figure:
    """Draw loss and accuracy side by side, or only `kind`.

    Training loss and accuracy are means over augmented images during the epoch, while the weights change. They can
    therefore be worse than validation loss and accuracy.

    Parameters
    ----------
    history : History
    ax : Axes, optional
        Gets the loss unless `kind` is given.
    kind : {"loss", "accuracy", "learning_rate"}, optional
    """
    check(kind is None or kind in PANELS, "kind", kind, "loss, accuracy or learning_rate")
    if ax is None and kind is None:
        figure = blank(WIDTH, 2.9)
        for panel, panel_ax in zip(("loss", "accuracy"), figure.subplots(1, 2), strict=True):
            _curves(history, panel_ax, panel)
        return figure
    figure, ax = canvas(ax, 4.6, 3.0)
    _curves(history, ax, kind or "loss")
    return figure


def _curves(history: History, ax: Axes, kind: str) -> None:
    canvas(ax, 0, 0)
    heading, columns = PANELS[kind]
    title(ax, heading)
    ax.spines[["top", "right"]].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.grid(axis="y", color=TEXT, alpha=0.15, linewidth=0.6)
    if not len(history):
        ax.set(xticks=[], yticks=[])
        note(ax, "not trained yet")
        return
    epochs = history["epoch"]
    drawn = 0
    for column, label in columns:
        values = history[column]
        if np.isfinite(values).any():
            drawn += 1
            ax.plot(
                epochs, values, color=COLORS[label], label=label or None, linewidth=1.6,
                linestyle="--" if label == "training" and drawn == 1 else "-",
                marker="o" if len(epochs) < 16 else None, markersize=3.5,
            )  # fmt: skip
    if drawn > 1:
        ax.legend(frameon=False, fontsize=NORMAL, labelcolor=TEXT)
    below = ""
    if kind == "accuracy":
        ax.yaxis.set_major_formatter(PercentFormatter(1.0))
        floor, first = _floor(np.stack([history[column] for column, _ in columns]))
        if floor:
            ax.set_ylim(floor, 1.0)
        if first:
            below = f"\ncut off below {floor:.0%}: up to epoch {first}"
    ax.tick_params(labelsize=SMALL)
    measured = kind != "learning_rate"
    note(ax, f"training: augmented images, during the epoch{below}" if measured else "", axis="epoch")


def _floor(accuracies: NDArray[np.float64]) -> tuple[float, int]:
    """Return where the axis of accuracies (curves, epochs) starts, and how many of the first epochs are below it.

    On an axis that reaches down to poor first epochs, the differences between the later ones are invisible. The axis
    therefore starts at 0.99 or 0.9 if all accuracies of the second half of the training are above. Else it starts at
    the lowest accuracy, and the result is (0, 0).
    """
    for floor in FLOORS:
        below = np.flatnonzero((accuracies < floor).any(axis=0))  # NaN, an accuracy that was not measured, is not
        first = int(below[-1]) + 1 if len(below) else 0
        if first <= accuracies.shape[1] // 2:
            return floor, first
    return 0.0, 0
