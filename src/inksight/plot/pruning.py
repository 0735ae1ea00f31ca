"""Plots of accuracy against parameters, from pruning and from training small networks."""

from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from inksight.experiments.pruning_result import Pruning
from inksight.experiments.tradeoff import Point, Tradeoff, pareto_front
from inksight.plot.grammar import CLASSES, NORMAL, SMALL, TEXT, canvas, note, title

PRUNED, TRAINED_SMALL = CLASSES[0], CLASSES[6]
# Ticks of the accuracy axis, in percent: coarse ones, and tenths for an axis with fewer than four of those.
PER_CENT = (99.9, 99.8, 99.7, 99.5, 99.3, 99, 98.5, 98, 97, 95, 90, 80, 70, 50, 10)
TENTHS = tuple(tenths / 10 for tenths in range(999, 0, -1))
MIN_ERROR = 5e-4  # lower end of the logarithmic error axis
SIZES = tuple(digit * 10**power for power in range(1, 8) for digit in (1, 2, 5))


def draw_pruning(pruning: Pruning, ax: Axes | None = None) -> Figure:
    """Draw every network of one pruning run, with the 95% interval of its accuracy."""
    return draw_tradeoff(Tradeoff((pruning,)), ax)


def draw_tradeoff(tradeoff: Tradeoff, ax: Axes | None = None, *, keep: float | None = None) -> Figure:
    """Draw validation accuracy against parameters, on logarithmic axes of error and parameters.

    A line joins the Pareto front: the networks that are more accurate than every smaller one. Others are drawn pale.

    Parameters
    ----------
    tradeoff : Tradeoff
    ax : Axes, optional
    keep : float, optional
        Accuracy, 0 to 1, to mark with a line; by default the accuracy that the pruning had to keep.
    """
    figure, ax = canvas(ax, 6.0, 3.8)
    runs = len(tradeoff.pruned)
    keep = tradeoff.pruned[0].keep_accuracy if keep is None else keep
    pruned, small = tradeoff.pruned_points, tradeoff.small_points
    _curve(ax, pruned, PRUNED, "o", "pruned and fine-tuned")
    if small:
        # Moved to the right, so that the bars of both curves are visible.
        moved = [replace(point, parameters=1.015 * point.parameters) for point in small]
        _curve(ax, moved, TRAINED_SMALL, "s", "same sizes, trained from scratch")
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
    title(ax, "Accuracy by number of parameters")
    one_run = f"95% interval, one run, {tradeoff.images:,} images"
    bars = f"mean ± standard deviation of {runs} seeds" if runs > 1 else one_run
    dotted = f" · dotted: {keep:.2%}" if keep else ""
    note(
        ax,
        f"bar: {bars} · pale: a smaller network is as accurate{dotted}\nboth axes logarithmic, accuracy by its error",
        axis="parameters",
    )
    return figure


def _curve(ax: Axes, points: list[Point], color: str, marker: str, label: str) -> None:
    best = pareto_front(points)
    ax.plot(
        [point.parameters for point in best], [_error(point.accuracy) for point in best],
        color=color, linewidth=1.4, marker=marker, markersize=4.5, label=label,
    )  # fmt: skip
    for point in points:
        alpha, x = 1.0 if point in best else 0.35, point.parameters
        ax.plot([x, x], [_error(point.low), _error(point.high)], color=color, linewidth=1.1, alpha=alpha)
        if alpha < 1:
            ax.plot([x], [_error(point.accuracy)], marker, color=color, markersize=4.5, alpha=alpha)


def _error(accuracy: float) -> float:
    return max(1 - accuracy, MIN_ERROR)
