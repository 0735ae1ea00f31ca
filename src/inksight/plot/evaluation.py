"""Plots of an evaluation: confusion matrix, calibration, hardest images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.config import IMAGE_SIZE
from inksight.inspection.evaluation import Evaluation, wilson_interval
from inksight.inspection.reliability import Calibration
from inksight.plot.grammar import (
    CLASSES,
    IMAGES,
    NORMAL,
    SCORES,
    SMALL,
    TEXT,
    WIDTH,
    bare,
    brief,
    canvas,
    montage,
    note,
    read_as,
    show,
    text_on,
    ticks_of,
    title,
    unit,
    write,
)  # fmt: skip

ROOM = 13  # pixels above each tile, for two lines of text
VISIBLE_ERRORS = 0.35  # power of a share: makes errors visible, which are mostly one in a hundred or fewer


def draw_evaluation(
    evaluation: Evaluation, ax: Axes | None = None, *, kind: str = "confusion", count: int = 24
) -> Figure:
    """Draw the confusion matrix, the calibration or the hardest images.

    Parameters
    ----------
    evaluation : Evaluation
    ax : Axes, optional
    kind : {"confusion", "calibration", "hardest"}
    count : int
        Maximum number of hardest images to draw.
    """
    check(kind in ("confusion", "calibration", "hardest"), "kind", kind, "confusion, calibration or hardest")
    check(is_count(count), "count", count, "a whole number of at least 1")
    if kind == "calibration":
        return draw_calibration(evaluation.calibration, ax)
    return _confusion(evaluation, ax) if kind == "confusion" else _hardest(evaluation, ax, count)


def draw_calibration(calibration: Calibration, ax: Axes | None = None) -> Figure:
    """Draw accuracy against confidence, with 95% intervals (`wilson_interval`)."""
    figure, ax = canvas(ax, 4.2, 4.2)
    ax.spines[["top", "right"]].set_visible(False)
    ax.plot([0, 1], [0, 1], color=TEXT, linewidth=0.8, linestyle=":")
    for confidence, accuracy, count in zip(
        calibration.bin_confidence, calibration.bin_accuracy, calibration.bin_count, strict=True
    ):
        if count:
            size = 4 + 2 * min(np.log10(count), 4)  # points
            interval = wilson_interval(round(accuracy * count), int(count))
            ax.plot([confidence, confidence], interval, color=CLASSES[0], linewidth=1.2, alpha=0.7)
            ax.plot([confidence], [accuracy], "o", color=CLASSES[0], markersize=size)
            top = max(interval[1] + 0.01, accuracy + 0.0025 * size + 0.005)
            write(ax, confidence, top, f"{count:,}", va="bottom")
    ax.set(xlim=(0, 1.06), ylim=(0, 1.06), aspect="equal")
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_ylabel("accuracy", fontsize=NORMAL, color=TEXT)
    title(ax, f"Calibration: off by {calibration.error:.2%} on average")
    note(ax, "dotted: perfect calibration\nbar: 95% interval · number: images", axis="confidence")
    return figure


def _confusion(evaluation: Evaluation, ax: Axes | None) -> Figure:
    counts, names = evaluation.confusion, ticks_of(evaluation.class_names)
    classes = len(names)
    side = min(max(0.46 * classes, 2.0), WIDTH)
    figure, ax = canvas(ax, side + 0.9, side + 1.0)
    share = row_shares(counts)
    image = show(ax, np.where(counts > 0, share, np.nan), SCORES, 0, 1)
    image.set_norm(PowerNorm(VISIBLE_ERRORS, 0, 1))
    if classes <= 30:
        size = SMALL if classes <= 12 else 4.5
        for row, column in zip(*counts.nonzero(), strict=True):
            color = text_on(image.to_rgba(share[row, column]), inverts=True)
            write(ax, column, row, f"{counts[row, column]}", color=color, fontsize=size)
    ax.hlines(np.arange(1, classes) - 0.5, -0.5, classes - 0.5, color=TEXT, alpha=0.15, linewidth=0.5)
    ax.vlines(np.arange(1, classes) - 0.5, -0.5, classes - 0.5, color=TEXT, alpha=0.15, linewidth=0.5)
    bare(ax)
    ax.spines[:].set(visible=True, alpha=0.3)
    rotation = 90 if max(map(len, names)) > 3 else 0
    ax.set_xticks(range(classes), names, fontsize=NORMAL, parse_math=False, rotation=rotation)
    ax.set_yticks(range(classes), names, fontsize=NORMAL, parse_math=False)
    ax.set_ylabel("true class", fontsize=NORMAL, color=TEXT)
    low, high = evaluation.interval
    title(ax, f"{evaluation.accuracy:.2%} right (95% interval {low:.2%} to {high:.2%})")
    note(ax, "number: images · color: share of the row, one scale for all", axis="predicted class")
    return figure


def row_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each count of a confusion matrix as a share of its row, 0 to 1; 0 in a row without images."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _hardest(evaluation: Evaluation, ax: Axes | None, count: int) -> Figure:
    ids, names = evaluation.hardest[:count], evaluation.class_names
    texts = [
        f"{verdict(names[label], names[prediction])}\n{confidence:.1%} · #{row}"
        for label, prediction, confidence, row in zip(
            evaluation.hardest_labels,
            evaluation.hardest_predictions,
            evaluation.hardest_label_probability,
            ids,
            strict=False,
        )
    ]
    figure, ax = draw_tiles(ax, evaluation.hardest_images[:count], texts)
    title(ax, "The hardest images" if len(ids) else "No images")
    note(ax, "above each image: probability of the true class · row\ngray = ink, one scale for all")
    return figure


def verdict(label: str, prediction: str) -> str:
    """Return the text above a tile: its label and prediction, or only the label if they agree."""
    return read_as(label, prediction) if label != prediction else f"{brief(label)}, unsure"


def draw_tiles(ax: Axes | None, images: NDArray[np.uint8], texts: Sequence[str]) -> tuple[Figure, Axes]:
    """Draw images (n, 28, 28) in rows of up to eight, each below its two lines of text."""
    columns = min(max(len(images), 1), 8)
    tiles = unit(images) if len(images) else np.full((1, IMAGE_SIZE, IMAGE_SIZE), np.nan)
    figure, ax = canvas(ax, WIDTH * columns / 8 + 0.2, 1.25 * -(-len(tiles) // columns) + 0.6)
    padded = np.pad(tiles, ((0, 0), (ROOM, 0), (0, 0)), constant_values=np.nan)
    show(ax, montage(padded, columns, (3, 8)), IMAGES, 0, 1)
    bare(ax)
    for i, text in enumerate(texts[: len(images)]):
        row, column = divmod(i, columns)
        x, y = column * (IMAGE_SIZE + 8) + IMAGE_SIZE / 2 - 0.5, row * (IMAGE_SIZE + ROOM + 3) + ROOM - 1.5
        write(ax, x, y, text, va="bottom", fontsize=SMALL - 0.5)
    return figure, ax
