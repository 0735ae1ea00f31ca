"""Plots of barcodes: of one image, averages, detrended ones, and the evidence in them."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.inspection.attribution import Evidence
from inksight.inspection.barcodes import AverageBarcodes, Barcode, DetrendedBarcodes
from inksight.plot.grammar import (
    ACTIVATIONS,
    IMAGES,
    NORMAL,
    SMALL,
    TEXT,
    WEIGHTS,
    WIDTH,
    bare,
    brief,
    canvas,
    color_bar,
    inches_from,
    note,
    number,
    reach,
    shared_scale,
    show,
    ticks_of,
    title,
    unit,
    write,
)  # fmt: skip


def draw_barcode(barcode: Barcode, ax: Axes | None = None) -> Figure:
    """Draw a barcode as stripes with its values as bars above them, next to the image."""
    figure, ax = canvas(ax, WIDTH, 2.3)
    _stripes_and_bars(ax, barcode.values)
    _picture(ax, barcode.image, 0.4)
    title(ax, f"Barcode of an image read as {brief(barcode.prediction, 20)} ({barcode.confidence:.1%})")
    note(ax, "mean activation of each feature map; the color scale is this barcode's own", axis="filter")
    return figure


def _stripes_and_bars(ax: Axes, values: NDArray[np.floating]) -> None:
    """Draw a barcode (filters,) as stripes with its values as bars above them."""
    low, high = float(values.min()), float(values.max())
    top = max(high, 0.0) - min(low, 0.0) or 1.0
    # One plot in units of the highest bar: bars above the zero line, stripes below it.
    floor = min(low, 0.0) - 0.06 * top
    stripes = np.stack([values, np.full_like(values, np.nan)], axis=1).ravel()[:-1]
    positions = np.arange(len(values))
    image = show(
        ax, stripes.repeat([4, 1] * (len(values) - 1) + [4])[None], ACTIVATIONS, low, high,
        extent=(-0.4, len(values) - 0.6, floor - 0.7 * top, floor), aspect="auto",
    )  # fmt: skip
    ax.bar(positions, values, width=0.8, color=image.to_rgba(values), edgecolor=(*to_rgb(TEXT), 0.4), linewidth=0.5)
    ax.set(xlim=(-0.6, len(values) - 0.4), ylim=(floor - 0.7 * top, max(high, 0.0) + 0.02 * top))
    bare(ax)
    _numbers(ax, len(values))
    ax.set_yticks([0, high] if high > 0 else [0], ["0", number(high)] if high > 0 else ["0"], fontsize=SMALL)


def draw_average_barcodes(barcodes: AverageBarcodes, ax: Axes | None = None, *, kind: str = "classes") -> Figure:
    """Draw the average barcode of each class, one row per class, or the single average barcode of all classes.

    Parameters
    ----------
    barcodes : AverageBarcodes
    ax : Axes, optional
    kind : {"classes", "trend"}
        ``trend`` draws `AverageBarcodes.trend`.
    """
    check(kind in ("classes", "trend"), "kind", kind, "classes or trend")
    if kind == "trend":
        figure, ax = canvas(ax, WIDTH, 2.3)
        _stripes_and_bars(ax, barcodes.trend)
        classes, images = len(barcodes.counts), int(barcodes.counts.sum())
        title(ax, f"Average barcode of all classes ({images:,} images of {classes} classes)")
        note(ax, "mean activation of each feature map; the color scale is this barcode's own", axis="filter")
        return figure
    means = barcodes.means
    classes, filters = means.shape
    figure, ax = canvas(ax, WIDTH, 0.3 * classes + 1.0)
    rows = np.full((classes, 6, filters), np.nan)
    rows[:, :5] = means[:, None]
    image = show(ax, rows.reshape(-1, filters)[:-1], ACTIVATIONS, float(means.min()), float(means.max()), aspect="auto")
    bare(ax)
    _numbers(ax, filters)
    ax.set_yticks(np.arange(classes) * 6 + 2, ticks_of(barcodes.class_names), fontsize=NORMAL, parse_math=False)
    low, high = int(barcodes.counts.min()), int(barcodes.counts.max())
    title(ax, f"Average barcode of each class ({low}{f' to {high}' * (high > low)} image{'s' * (high > 1)} per class)")
    note(ax, shared_scale(means.min(), means.max(), "mean activation"), axis="filter")
    color_bar(ax, image)
    return figure


def draw_detrended_barcodes(barcodes: DetrendedBarcodes, ax: Axes | None = None) -> Figure:
    """Draw detrended barcodes, one row per image, grouped by class."""
    n, filters = barcodes.values.shape
    figure, ax = canvas(ax, WIDTH, min(0.075 * n + 1.2, 11))
    top = reach(barcodes.values)
    # Three pixel rows per image, and a gap of two between classes.
    starts = 3 * np.arange(n) + 2 * barcodes.labels
    pixels = np.full((starts[-1] + 3, filters), np.nan)
    for line in range(3):
        pixels[starts + line] = barcodes.values
    image = show(ax, pixels, WEIGHTS, -top, top, aspect="auto")
    bare(ax)
    _numbers(ax, filters)
    middles = [starts[barcodes.labels == label].mean() + 1 for label in np.unique(barcodes.labels)]
    names = [barcodes.class_names[label] for label in np.unique(barcodes.labels)]
    ax.set_yticks(middles, ticks_of(names), fontsize=NORMAL, parse_math=False)
    title(ax, "Barcodes minus the mean of all classes")
    note(
        ax,
        "one row per image · " + shared_scale(-top, top, "above (red) or below (blue) the mean"),
        axis="filter",
    )
    color_bar(ax, image)
    return figure


def draw_evidence(evidence: Evidence, ax: Axes | None = None, *, named: int = 5) -> Figure:
    """Draw the contribution of each barcode entry to the margin of the predicted class over the other.

    Parameters
    ----------
    evidence : Evidence
    ax : Axes, optional
    named : int
        Half the number of bars, the longest ones, that get a number.
    """
    figure, ax = canvas(ax, WIDTH, 2.9)
    values = evidence.values
    names = ticks_of(evidence.class_names)
    name, other = names[evidence.predicted], names[evidence.against]
    red, blue = colormaps[WEIGHTS](0.85), colormaps[WEIGHTS](0.15)
    ax.bar(np.arange(len(values)), values, width=0.8, color=np.where(values[:, None] > 0, red, blue))
    ax.axhline(0, color=TEXT, linewidth=0.8)
    top = reach(values) or 1.0
    for i in np.argsort(-np.abs(values), kind="stable")[: 2 * named]:
        if values[i]:
            write(ax, i, values[i] + np.sign(values[i]) * 0.06 * top, str(i), fontsize=SMALL - 0.5)
    ax.set(
        xlim=(-0.8, len(values) - 0.2),
        ylim=(min(values.min(), 0) - 0.2 * top, max(values.max(), 0) + 0.2 * top),
    )
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.tick_params(axis="x", length=0)
    _numbers(ax, len(values))
    ax.set_ylabel(f"logits for {name} over {other}", fontsize=NORMAL, color=TEXT, parse_math=False)
    _picture(ax, evidence.image, 0.75)
    p, p_other = evidence.probabilities[evidence.predicted], evidence.probabilities[evidence.against]
    title(ax, f"Evidence for {name} ({p:.1%}) and for {other} ({p_other:.1%})")
    note(
        ax,
        f"red supports {name}, blue supports {other}\nsum {_signed(evidence.values.sum())}: from a margin of "
        f"{_signed(evidence.baseline_margin)} at the baseline barcode to {_signed(evidence.margin)}",
        axis="filter",
    )
    return figure


def _signed(value: float) -> str:
    """Format a number of logits with two decimals and a typographic minus sign."""
    return f"{value:.2f}".replace("-", "−")


def _numbers(ax: Axes, filters: int) -> None:
    """Write the numbers of the filters below the x axis."""
    step = 1 if filters <= 12 else 5 if filters <= 100 else 50
    ticks = range(0, filters, step)
    ax.set_xticks(ticks, [str(tick) for tick in ticks], fontsize=SMALL)


def _picture(ax: Axes, image: NDArray[np.generic], distance: float) -> None:
    """Draw the image to the left of the axes, one inch wide and `distance` inches away."""
    inset = ax.inset_axes((-1 - distance, -0.5, 1, 1), transform=inches_from(ax, 0, 0.5))
    show(inset, unit(image), IMAGES, 0, 1)
    bare(inset)
