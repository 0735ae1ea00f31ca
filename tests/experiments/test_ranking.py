"""Ranking of results, and successive halving."""

import json
import statistics
from dataclasses import replace
from itertools import pairwise

import pytest
from trials import RECIPE, SMALL, TINY, Made, result_of

from inksight import InputError
from inksight.experiments.ranking import Configuration, Sweep
from inksight.experiments.search import halving, rungs
from inksight.experiments.trial import Trial, grid


def test_mean_and_standard_deviation_are_over_seeds():
    accuracies = [0.9, 0.92, 0.97]
    results = [result_of(Trial(TINY, RECIPE, seed), x) for seed, x in enumerate(accuracies)]
    configuration = Configuration(tuple(results))
    assert (configuration.mean, configuration.sd) == pytest.approx((0.93, statistics.stdev(accuracies)))
    assert configuration.seconds == 2.0
    better = result_of(Trial(TINY, replace(RECIPE, learning_rate=0.5)), 0.95)
    partly_failed = [result_of(Trial(SMALL, RECIPE, seed), 0.99, failed="nan" * seed) for seed in (0, 1)]
    done = Sweep((*partly_failed, *results, better))
    assert [c.accuracies for c in done.configurations] == [[0.95], accuracies, [0.99]]
    assert str(done).splitlines() == [
        "network    learning_rate  val_accuracy      sd  n  failed  seconds",
        "4x5p,8x3             0.5        0.9500       -  1       0      2.0",
        "4x5p,8x3            0.01        0.9300  0.0361  3       0      2.0",
        "8x5p,12x3           0.01        0.9900       -  1       1      2.0",
    ]
    assert json.loads(json.dumps(configuration.to_dict()))["n"] == 3


def test_rungs_start_with_all_configurations_and_end_with_all_epochs():
    for configurations in range(1, 40):
        for epochs in range(1, 40):
            for factor in (2, 3, 4):
                plan = rungs(configurations, epochs, factor)
                assert (plan[0][0], plan[-1][1]) == (configurations, epochs)
                assert min(min(rung) for rung in plan) >= 1
                assert all(after[0] == before[0] // factor for before, after in pairwise(plan))
    assert rungs(2, 81, 3) == [(2, 81)]
    with pytest.raises(InputError, match="factor of the halving must be 2 to 1000, got 1"):
        rungs(9, 9, 1)


def test_halving_keeps_the_best_configurations_with_all_seeds(few, made, tmp_path, capsys):
    rates = [0.1, 0.5, 0.3, 0.9, 0.2, 0.8, 0.4, 0.6, 0.7]
    trials = grid([TINY], replace(RECIPE, epochs=9), {"learning_rate": rates}, seeds=[0, 1])
    done = halving(few, trials, tmp_path, factor=3)
    trained = {
        epochs: {w.recipe.learning_rate for w in made.every if w.recipe.epochs == epochs} for epochs in (1, 3, 9)
    }
    assert trained == {1: set(rates), 3: {0.7, 0.8, 0.9}, 9: {0.9}}
    assert len(made.every) == 2 * (9 + 3 + 1) == len(done.results)
    order = [(c.settings["epochs"], c.settings["learning_rate"]) for c in done.configurations]
    assert order == [(9, 0.9), *((3, x) for x in (0.9, 0.8, 0.7)), *((1, x) for x in sorted(rates, reverse=True))]
    assert "rung 2 of 3: 3 configurations, 3 epochs" in capsys.readouterr().err

    (tmp_path / f"{done.configurations[0].results[1].trial.id}.json").unlink()
    made.every = ()
    assert halving(few, trials, tmp_path, factor=3, progress=False) == done
    assert [(w.recipe.epochs, w.seed) for w in made.every] == [(9, 1)]


def test_halving_drops_failed_configurations(few, made, tmp_path, monkeypatch):
    def result(self, trial):
        return result_of(trial, failed="" if trial.recipe.learning_rate == 0.1 else "nan")

    monkeypatch.setattr(Made, "result", result)
    trials = grid([TINY], replace(RECIPE, epochs=4), {"learning_rate": [0.4, 0.3, 0.2, 0.1]})
    done = halving(few, trials, tmp_path, factor=2, progress=False)
    assert [w.recipe.learning_rate for w in made.every] == [0.4, 0.3, 0.2, 0.1, 0.1, 0.1]
    assert done.configurations[0].settings["epochs"] == 4
    made.every = ()
    halving(few, trials[:3], tmp_path, factor=2, progress=False)
    assert len(made.every) == 3  # all failed, so that there is no second rung


def test_halving_requires_equal_epochs(few, made, tmp_path):
    trials = grid([TINY], RECIPE, {"epochs": [3, 9]})
    with pytest.raises(InputError, match=r"epochs of a halving must be one number, .*, got \[3, 9\]"):
        halving(few, trials, tmp_path)
