"""Accuracy against parameters: how few filters will do."""

from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from inksight.experiments.tradeoff import Point, Pruning, Tradeoff, pareto_front
from inksight.plot.grammar import CLASSES, NORMAL, SMALL, TEXT, canvas, note, title

PRUNED, SMALL_ALL_ALONG = CLASSES[0], CLASSES[6]
# What may be written at the axis, and where that leaves it bare.
PER_CENT = (99.9, 99.8, 99.7, 99.5, 99.3, 99, 98.5, 98, 97, 95, 90, 80, 70, 50, 10)
TENTHS = tuple(tenths / 10 for tenths in range(999, 0, -1))
LEAST = 5e-4  # error: where a logarithmic scale must end
SIZES = tuple(digit * 10**power for power in range(1, 8) for digit in (1, 2, 5))


def draw_pruning(pruning: Pruning, ax: Axes | None = None) -> Figure:
    """Draw every network that one pruning went through, with the 95% interval of its accuracy."""
    return draw_tradeoff(Tradeoff((pruning,)), ax)


def draw_tradeoff(tradeoff: Tradeoff, ax: Axes | None = None, *, keep: float | None = None) -> Figure:
    """Draw validation accuracy against parameters, both so that equal ways are equal ratios.

    A line joins the Pareto front: the networks that no smaller one equals. The others are drawn pale.

    Parameters
    ----------
    tradeoff : Tradeoff
    ax : Axes, optional
    keep : float, optional
        An accuracy, 0 to 1, to draw a line at; by default the one that was to be kept.
    """
    figure, ax = canvas(ax, 6.0, 3.8)
    runs = len(tradeoff.pruned)
    keep = tradeoff.pruned[0].keep_accuracy if keep is None else keep
    pruned, small = tradeoff.pruned_points, tradeoff.small_points
    _curve(ax, pruned, PRUNED, "o", "pruned and trained on")
    if small:
        beside = [
            replace(point, parameters=1.015 * point.parameters) for point in small
        ]  # or the bars would hide others
        _curve(ax, beside, SMALL_ALL_ALONG, "s", "the same sizes, trained small from the start")
    if keep:
        ax.axhline(_error(keep), color=TEXT, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", yscale="log")
    errors = [_error(end) for point in pruned + small for end in (point.low, point.high)]
    errors += [_error(keep)] if keep else []
    best, worst = min(errors) / (1.4 if small else 1.15), max(errors) * 1.15  # room on top for the legend
    ax.set_ylim(worst, best)
    coarse, fine = ([value for value in values if best <= 1 - value / 100 <= worst] for values in (PER_CENT, TENTHS))
    ticks = coarse if len(coarse) > 3 else fine[:12]
    ax.set_yticks([1 - value / 100 for value in ticks], [f"{value:g}%" for value in ticks])
    left, right = ax.get_xlim()
    sizes = [size for size in SIZES if left <= size <= right]
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(labelsize=SMALL)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color=TEXT, alpha=0.15, linewidth=0.6)
    if small:
        ax.legend(frameon=False, fontsize=NORMAL, labelcolor=TEXT, loc="upper left", ncols=2)
    ax.set_ylabel("validation accuracy", fontsize=NORMAL, color=TEXT)
    title(ax, "How few filters will do?")
    of_one = f"95% interval, one run, {tradeoff.images:,} images"
    bars = f"mean ± standard deviation of {runs} seeds" if runs > 1 else of_one
    dotted = f" · dotted: {keep:.2%}" if keep else ""
    note(
        ax,
        f"bar: {bars} · pale: a smaller network is as good{dotted}\nboth scales logarithmic, accuracy by its error",
        axis="parameters",
    )
    return figure


def _curve(ax: Axes, points: list[Point], colour: str, marker: str, label: str) -> None:
    best = pareto_front(points)
    ax.plot(
        [point.parameters for point in best], [_error(point.accuracy) for point in best],
        color=colour, linewidth=1.4, marker=marker, markersize=4.5, label=label,
    )  # fmt: skip
    for point in points:
        alpha, x = 1.0 if point in best else 0.35, point.parameters
        ax.plot([x, x], [_error(point.low), _error(point.high)], color=colour, linewidth=1.1, alpha=alpha)
        if alpha < 1:
            ax.plot([x], [_error(point.accuracy)], marker, color=colour, markersize=4.5, alpha=alpha)


def _error(accuracy: float) -> float:
    return max(1 - accuracy, LEAST)
