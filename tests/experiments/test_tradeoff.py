"""`Tradeoff` and `Pruning`: points, error bars and their picture."""

import json
import math

import numpy as np
import pytest

from inksight import InputError, Model, plot
from inksight.config import Network, get_network
from inksight.experiments.pruning_result import Pruning, Step
from inksight.experiments.tradeoff import Tradeoff, pareto_front
from inksight.inspection.evaluation import wilson_interval


def step(parameters: int, accuracy: float) -> Step:
    return Step(Network(get_network("2x5p,3x3").banks), parameters, 3, 0.5, accuracy, 1.0)


def pruning(*steps: tuple[int, float], keep: float | None = None) -> Pruning:
    model = Model.untrained(get_network("2x5p,3x3"))
    return Pruning(tuple(step(*values) for values in steps), model, keep, 1000, "steps")


def test_points_have_the_expected_means_and_error_bars():
    one, other = pruning((100, 0.98), (50, 0.90), (20, 0.5)), pruning((100, 0.96), (40, 0.94))
    tradeoff = Tradeoff([one, other], [[step(50, 0.8)], [step(40, 0.9)]])
    first, second = tradeoff.pruned_points  # the steps that both have
    assert (first.parameters, second.parameters) == (100, 45)
    assert (first.accuracy, second.accuracy) == pytest.approx((0.97, 0.92))
    assert second.high - second.accuracy == pytest.approx(math.sqrt(2) * 0.02)
    assert tradeoff.small_points[0].low == pytest.approx(0.85 - math.sqrt(2) * 0.05)
    assert "n = 2" in repr(tradeoff)
    single = Tradeoff([one]).pruned_points[0]
    assert (single.low, single.high) == wilson_interval(980, 1000)
    json.dumps(tradeoff.to_dict(), allow_nan=False)


def test_smallest_step_reaches_the_accuracy_to_keep():
    steps = ((100, 0.98), (50, 0.97), (30, 0.94), (40, 0.96))
    assert pruning(*steps, keep=0.95).smallest.parameters == 40
    assert pruning(*steps).smallest.parameters == 30
    assert pruning((100, 0.9), keep=0.95).smallest.parameters == 100  # interrupted before it reached the accuracy


def test_invalid_runs_raise_errors():
    with pytest.raises(InputError, match="number of prunings must be at least 1"):
        Tradeoff([])
    with pytest.raises(InputError, match="number of runs of small must be that of pruned"):
        Tradeoff([pruning((100, 0.9))], [[], []])


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("accuracies", [(0.98, 0.97, 0.98), (1.0, 1.0, 0.1)])
def test_picture_renders(small, accuracies):
    one = pruning(*zip((18_813, 900, 70), accuracies, strict=True), keep=0.97)
    compared = [[step(900, 0.9), step(70, 0.05)]] if small else []
    figure = Tradeoff([one], compared).plot()
    (ax,) = figure.axes
    words = plot.to_svg(figure)
    assert "95% interval, one run, 1,000 images" in words
    assert "dotted: 97.00%" in words
    assert ("trained from scratch" in words) == small
    line = np.asarray(ax.lines[0].get_xdata())
    assert list(line) == [point.parameters for point in pareto_front(Tradeoff([one]).pruned_points)]
    assert len(one.plot().axes) == 1
    assert "seeds" in plot.to_svg(Tradeoff([one, one]).plot(keep=0.99))
