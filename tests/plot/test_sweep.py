"""The plot of a sweep: one line for each configuration, at the heights of its settings and of its accuracy."""

import pytest
from matplotlib.colors import to_rgb
from trials import RECIPE, SMALL, TINY, result_of

from inksight.cli import run
from inksight.experiments.ranking import Sweep
from inksight.experiments.trial import grid

RATES = [0.005, 0.01, 0.02]


def lines_of(figure):
    """Return the heights of the lines across the axes, from the first drawn to the last, and their colors."""
    (ax,) = figure.axes
    lines = [line for line in ax.lines if len(line.get_xdata()) == len(ax.get_xticks()) and line.get_linewidth() > 1]
    return [list(line.get_ydata()) for line in lines], [to_rgb(line.get_color()) for line in lines]


def test_every_configuration_is_a_line():
    trials = grid([TINY, SMALL], RECIPE, {"learning_rate": RATES}, seeds=[0, 1])
    results = tuple(result_of(trial, 0.9 + 0.005 * number) for number, trial in enumerate(trials))
    figure = Sweep(results).plot()
    heights, colors = lines_of(figure)
    assert len(heights) == 6
    assert [line[-1] for line in heights] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert [line[:-1] for line in heights] == [[x, y] for x in (0, 1) for y in (0, 0.5, 1)]
    assert sorted(colors, key=sum, reverse=True) == colors  # the more accurate, the darker
    (ax,) = figure.axes
    texts = [text.get_text() for text in ax.texts]
    assert texts == [TINY, SMALL, "0.005", "0.01", "0.02", "90.25%", "95.25%"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["network", "learning_rate", "validation\naccuracy"]


@pytest.mark.parametrize("failed", [False, True])
def test_a_sweep_of_one_trial_is_drawn(failed):
    (trial,) = grid([TINY], RECIPE, {})
    figure = Sweep((result_of(trial, failed="wild" if failed else ""),)).plot()
    heights, _ = lines_of(figure)
    assert heights == ([] if failed else [[0.5, 0]])
    label = figure.axes[0].get_xlabel()
    assert label == ("no training succeeded" if failed else "darker: more accurate · one seed")


def test_the_command_writes_a_picture(made, tmp_path, capsys):
    command = ["sweep", "--network", TINY, "--epochs", "1", "--set", "learning_rate=0.01,0.02", "--out"]
    assert run([*command, str(tmp_path / "out"), "--picture", str(tmp_path / "sweep.svg")]) == 0
    assert capsys.readouterr().out.endswith("sweep.svg: settings and accuracy\n")
    assert (tmp_path / "sweep.svg").read_text().count("learning_rate") >= 1
    assert run([*command, str(tmp_path / "out"), "--picture", str(tmp_path / "sweep.jpg")]) == 2
    assert ".png or .svg" in capsys.readouterr().err
