"""Plot of a sweep: the settings of every configuration and its accuracy, as parallel coordinates."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inksight.experiments.ranking import Configuration, Sweep, format_setting, varying_settings
from inksight.plot.grammar import LARGE, NORMAL, SCORES, TEXT, WIDTH, brief, canvas, note, title, write

PALEST = 0.25  # of the colors: a line in the palest ones would not be seen


def draw_sweep(sweep: Sweep, ax: Axes | None = None) -> Figure:
    """Draw a line for each configuration, across an axis for each setting that differs and one for the accuracy.

    A configuration whose trials all failed has no line. The values of a setting are at equal distances, in their order.
    """
    figure, ax = canvas(ax, WIDTH, 3.4)
    trained = [configuration for configuration in reversed(sweep.configurations) if configuration.accuracies]
    differing = varying_settings([result.trial for result in sweep.results])
    networks = {configuration.settings["network"] for configuration in trained}
    settings = differing if differing and len(networks) < 2 else ["network", *differing]
    values = {name: _in_order(trained, name) for name in settings}
    means = [configuration.mean or 0.0 for configuration in trained]
    low, high = (min(means), max(means)) if means else (0.0, 1.0)
    span = high - low or 1.0
    last = len(settings)
    for configuration, mean in zip(trained, means, strict=True):  # the best is drawn last, above the others
        height = (mean - low) / span
        color = colormaps[SCORES](PALEST + (1 - PALEST) * height)
        heights = [_height(values[name], format_setting(configuration.settings[name])) for name in settings]
        ax.plot(range(last + 1), [*heights, height], color=color, linewidth=1.6, solid_capstyle="round")
        if configuration.sd:
            ends = np.array([-1, 1]) * configuration.sd / span + height
            ax.plot([last + 0.04] * 2, ends, color=color, linewidth=1.6, clip_on=False)
    for place, name in enumerate(settings):
        ax.axvline(place, color=TEXT, linewidth=0.8)
        for text in values[name]:
            write(ax, place + 0.02, _height(values[name], text) + 0.01, brief(text, 16), ha="left", va="bottom")
    ax.axvline(last, color=TEXT, linewidth=0.8)
    for end in (0, 1) if high > low else (0,):
        write(ax, last + 0.07, end, f"{low + end * span:.2%}", ha="left")
    names = [name.removeprefix("augmentation.") for name in settings]
    ax.set_xticks(range(last + 1), [*names, "validation\naccuracy"], fontsize=NORMAL if last < 5 else LARGE * 0.6)
    ax.set(yticks=[], ylim=(-0.12, 1.12), xlim=(-0.1, last + 0.35))
    ax.spines[:].set_visible(False)
    title(ax, "Settings and accuracy of a sweep")
    seeds = max((len(configuration.accuracies) for configuration in trained), default=0)
    seeds_note = f"mean of up to {seeds} seeds · bar: standard deviation" if seeds > 1 else "one seed"
    note(ax, f"darker: more accurate · {seeds_note}" if trained else "no training succeeded")
    return figure


def _in_order(configurations: Sequence[Configuration], name: str) -> list[str]:
    """Return the values of a setting as text, from the smallest to the largest."""
    values = {configuration.settings[name] for configuration in configurations}
    numbers = all(isinstance(value, (int, float)) for value in values)
    return list(map(format_setting, sorted(values, key=None if numbers else str)))


def _height(values: Sequence[str], value: str) -> float:
    return 0.5 if len(values) == 1 else values.index(value) / (len(values) - 1)
