"""Plots of accuracy against severity, one panel per corruption, with corrupted examples below."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.augmentation.corruptions import CORRUPTIONS, SEVERITIES
from inksight.config import IMAGE_SIZE
from inksight.inspection.corruption_robustness import Robustness
from inksight.plot.grammar import CLASSES, IMAGES, SMALL, TEXT, WIDTH, bare, blank, canvas, montage, note, show, title

DIRECT, PREPARED = CLASSES[0], CLASSES[6]
COLUMNS = 3
GAP = 2  # pixels between the examples
STRIP = 0.34  # height of the examples, relative to their panel


def draw_robustness(robustness: Robustness, ax: Axes | None = None, *, kind: str | None = None) -> Figure:
    """Draw one panel per corruption, or only `kind`.

    Parameters
    ----------
    robustness : Robustness
    ax : Axes, optional
        Gets the mean of all corruptions unless `kind` is given.
    kind : str, optional
        ``mean``, or one of `inksight.augmentation.corruptions.CORRUPTIONS`.
    """
    kinds = ["mean", *CORRUPTIONS]
    check(kind is None or kind in kinds, "kind", kind, ", ".join(kinds))
    if ax is not None or kind is not None:
        figure, ax = canvas(ax, 4.6, 3.0)
        _panel(robustness, ax, kind or "mean", alone=True)
        return figure
    rows = -(-len(kinds) // COLUMNS)
    figure = blank(WIDTH, 2.15 * rows)
    figure.set_layout_engine("constrained", h_pad=0.1)
    for panel, name in zip(figure.subplots(rows, COLUMNS).flat, kinds, strict=False):
        _panel(robustness, panel, name)
    return figure


def _panel(robustness: Robustness, ax: Axes, kind: str, alone: bool = False) -> None:
    canvas(ax, 0, 0)
    title(ax, "mean of all corruptions" if kind == "mean" else kind)
    _curve(ax, robustness.accuracies, robustness.clean_accuracy, kind, DIRECT, "without preprocessing")
    if robustness.prepared_accuracies is not None and robustness.prepared_clean_accuracy is not None:
        _curve(
            ax, robustness.prepared_accuracies, robustness.prepared_clean_accuracy, kind, PREPARED, "with preprocessing"
        )
    ax.set(xlim=(-0.5, SEVERITIES + 0.5), ylim=(0, 1.03), yticks=[0, 0.5, 1])
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.tick_params(labelsize=SMALL)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color=TEXT, alpha=0.15, linewidth=0.6)
    if alone or kind == "mean":
        ax.legend(frameon=False, fontsize=SMALL, labelcolor=TEXT, loc="lower left", borderpad=0)
    if kind == "mean":
        ax.set_xticks(range(SEVERITIES + 1))
        note(ax, "severity · 0, dotted: clean images\ndigits: gray = ink, one scale for all")
        return
    ax.set_xticks([])
    number = list(CORRUPTIONS).index(kind)
    strip = ax.inset_axes((0, -STRIP - 0.04, 1, STRIP))
    tiles = np.concatenate([robustness.example[None], robustness.examples[number]]) / 255
    # As wide as the panel, so that each example is below its point.
    half = GAP / 2 / (IMAGE_SIZE + GAP)
    show(
        strip, montage(tiles, SEVERITIES + 1, (0, GAP)), IMAGES, 0, 1,
        (half - 0.5, SEVERITIES + 0.5 - half, 0, 1), aspect="auto",
    )  # fmt: skip
    bare(strip)
    strip.set(facecolor="none", xlim=ax.get_xlim())
    strip.set_xticks(range(1, SEVERITIES + 1), [f"{value:g}" for value in CORRUPTIONS[kind].strengths])
    strip.tick_params(colors=TEXT, labelsize=SMALL, length=0, pad=2)
    text = CORRUPTIONS[kind].unit + ("\ndotted: clean images · gray = ink, one scale for all" if alone else "")
    strip.set_xlabel(text, fontsize=SMALL, color=TEXT, labelpad=1)


def _curve(ax: Axes, accuracies: NDArray[np.float64], clean: float, kind: str, color: str, label: str) -> None:
    row = accuracies.mean(axis=0) if kind == "mean" else accuracies[list(CORRUPTIONS).index(kind)]
    ax.axhline(clean, color=color, linewidth=0.8, linestyle=":")
    ax.plot(range(SEVERITIES + 1), [clean, *row], color=color, linewidth=1.4, marker="o", markersize=3, label=label)
