"""The expected duration of a sweep: from costs that are given, and with stand-ins for the processes."""

from concurrent.futures import Future
from dataclasses import replace
from typing import ClassVar

import pytest
from trials import RECIPE, SMALL, TINY, InProcessWorkers, result_of

from inksight import Splits, halving, sweep
from inksight._shared.interrupt import CtrlC
from inksight._shared.tasks import Processes
from inksight.experiments.sweep_duration import Cost, expected_seconds, measure_costs
from inksight.experiments.trial import Result, Trial, grid


class Instant(InProcessWorkers):  # type: ignore[misc]
    """Stands in for the workers: they take no time, and say that training took two seconds."""

    started: ClassVar[list[Trial]] = []

    def submit(self, task):
        Instant.started.append(task)
        future: Future[Result] = Future()
        future.set_result(result_of(task, failed="wild" if task.recipe.learning_rate > 1 else ""))
        return future


@pytest.fixture(autouse=True)
def instant(monkeypatch):
    Instant.started.clear()
    monkeypatch.setattr("inksight.experiments.trial_training.start_workers", Instant)


def test_trials_wait_for_a_free_worker(few):
    splits = Splits(few.train, few.validation, None)  # 300 and 100 images
    trials = [Trial(TINY, replace(RECIPE, epochs=epochs)) for epochs in (3, 1, 1)] + [Trial(SMALL, RECIPE)]
    costs = {TINY: Cost(1.0, 0.03)}
    one = (300 + 100 / 3) * 0.03
    assert costs[TINY].seconds(splits, trials[0]) == pytest.approx(1 + 3 * one)
    assert expected_seconds(splits, trials[:3], costs, 1) == pytest.approx(3 + 5 * one)
    assert expected_seconds(splits, trials[:3], costs, 2) == pytest.approx(1 + 3 * one)
    assert expected_seconds(splits, trials, costs, 2) == pytest.approx(3 + 3 * one)  # the other network as the mean
    twice = replace(trials[1], recipe=replace(RECIPE, passes=2))
    assert costs[TINY].seconds(splits, twice) == pytest.approx(1 + (600 + 100 / 3) * 0.03)


def test_every_network_has_a_short_trial_with_as_many_processes_as_the_sweep(few, tmp_path):
    trials = grid([TINY, SMALL, "8x3"], replace(RECIPE, epochs=9), {"learning_rate": [0.01, 0.02]}, seeds=[0, 1])
    with CtrlC() as ctrl_c:
        costs = measure_costs(few, trials, tmp_path, Processes(2), ctrl_c)
    assert costs.keys() == {TINY, SMALL, "8x3"}
    assert all(cost.image == pytest.approx(2.0 / 300) for cost in costs.values())
    assert [trial.network for trial in Instant.started] == [TINY, SMALL, "8x3", "8x3"]
    assert {trial.recipe.epochs for trial in Instant.started} == {1}


def test_a_short_trial_that_fails_has_no_cost(few, tmp_path):
    wild = Trial(TINY, replace(RECIPE, learning_rate=1e6))
    with CtrlC() as ctrl_c:
        costs = measure_costs(few, [wild, Trial(SMALL, RECIPE)], tmp_path, Processes(1), ctrl_c)
    assert costs.keys() == {SMALL}
    assert expected_seconds(few, [wild], {}, 2) == 0


def test_ctrl_c_ends_the_short_trials(few, tmp_path):
    with CtrlC() as ctrl_c:
        ctrl_c.pressed = True
        assert measure_costs(few, [Trial(TINY, RECIPE)], tmp_path, Processes(1), ctrl_c) == {}


@pytest.fixture
def known_costs(made, monkeypatch):
    """Costs of two seconds an epoch of 300 images and 100 validation images, which are not measured."""
    cost = Cost(0.0, 6.0 / 1000)
    monkeypatch.setattr("inksight.experiments.search.measure_costs", lambda *arguments: {TINY: cost})


def test_sweep_says_the_time_of_the_trials_without_results(few, tmp_path, known_costs, capsys):
    trials = grid([TINY], replace(RECIPE, epochs=10), {}, seeds=range(5))
    sweep(few, trials[:1], tmp_path, workers=2)
    assert "1 trainings, up to 1 at a time: about 20 s" in capsys.readouterr().err
    sweep(few, trials, tmp_path, workers=2)
    assert "4 trainings, up to 2 at a time: about 40 s" in capsys.readouterr().err
    sweep(few, trials, tmp_path, workers=2)
    assert "about" not in capsys.readouterr().err


def test_halving_says_the_time_of_all_rungs_once(few, tmp_path, known_costs, capsys):
    trials = grid([TINY], replace(RECIPE, epochs=9), {"learning_rate": [i / 100 for i in range(1, 10)]}, seeds=[0, 1])
    halving(few, trials, tmp_path, factor=3, workers=1)
    lines = [line for line in capsys.readouterr().err.splitlines() if "about" in line]
    assert lines == ["26 trainings, up to 1 at a time: about 108 s"]  # 18 of 1 epoch, 6 of 3, 2 of 9
