"""Sweeps: processes that train, going on, and all that can go wrong with them."""

import math
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
from trials import LONG, RECIPE, TINY, WILD

from inksight import InputError
from inksight.experiments.search import sweep
from inksight.experiments.trial import Result, Trial, grid
from inksight.experiments.worker import Worker, read_parts, write_parts
from inksight.training.fit import fit


@pytest.fixture(scope="module")
def swept(few, tmp_path_factory):
    """Five trials in real processes, two at a time; the last of them diverges."""
    folder = tmp_path_factory.mktemp("sweep")
    trials = [*grid([TINY], RECIPE, {"learning_rate": [0.01, 0.02]}, seeds=[0, 1]), WILD]
    return folder, trials, sweep(few, trials, folder, workers=2, progress=False)


def test_processes_give_a_result_and_a_file_a_trial(swept):
    folder, trials, done = swept
    assert [result.trial for result in done.results] == trials
    assert not done.interrupted
    assert {path.name for path in folder.iterdir()} == {f"{trial.id}.json" for trial in trials}
    for result in done.results:
        assert Result.load(folder / f"{result.trial.id}.json") == result


def test_a_process_trains_what_run_trains_to_the_byte(swept, few):
    for result in swept[2].results[1:3]:
        alone = fit(few, TINY, result.trial.recipe, seed=result.trial.seed, progress=False).model
        assert result.weights == alone.digest
        assert result.val_accuracy == alone.history.rows[-1].val_accuracy
        assert result.history.rows[0].loss == alone.history.rows[0].loss


def test_a_loss_that_is_not_finite_is_a_result(swept):
    failed = swept[2].results[-1]
    assert failed.failed.startswith("loss became ")
    assert math.isnan(failed.val_accuracy)
    last = swept[2].configurations[-1]
    assert (last.mean, last.sd, last.seconds, last.failed) == (None, None, None, [failed.failed])
    assert "failed" in str(swept[2]).splitlines()[0]
    assert str(swept[2]).splitlines()[-1].split()[-5:] == ["-", "-", "0", "1", "-"]


def test_a_sweep_goes_on_with_what_is_missing(swept, few, made, tmp_path, capsys):
    folder, trials, done = swept
    for result in done.results[:3]:
        result.save(tmp_path / f"{result.trial.id}.json")
    again = sweep(few, trials, tmp_path)
    assert [worker.trial for worker in made.every] == trials[3:]
    assert again.results[:3] == done.results[:3]
    assert capsys.readouterr().err.startswith(f"3 of 5 results are in '{tmp_path}' already\n")
    assert sweep(few, trials, folder, progress=False) == done
    assert len(made.every) == 2


def test_results_from_other_data_are_not_mixed_in(swept, few):
    folder, trials, _ = swept
    with pytest.raises(InputError, match="has results from other data: give another folder"):
        sweep(replace(few, validation=few.validation[:50]), trials, folder, progress=False)


def test_trials_are_given_train_and_validation_and_nothing_else(few, tmp_path):
    write_parts(few, tmp_path)
    arrays = [f"{part}-{kind}.npy" for part in ("train", "validation") for kind in ("images", "labels")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["names.json", *arrays])
    parts = read_parts(tmp_path)
    assert parts.test is None
    assert (parts.train.digest, parts.validation.digest) == (few.train.digest, few.validation.digest)
    assert (parts.train.name, parts.train.class_names) == (few.train.name, few.train.class_names)


def test_so_many_at_a_time_and_twins_once(few, made, tmp_path):
    trials = grid([TINY], RECIPE, {"learning_rate": [0.1, 0.2, 0.1]}, seeds=range(4))
    done = sweep(few, trials, tmp_path, workers=3, progress=False)
    assert (len(done.results), len(made.every), made.most) == (8, 8, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trials": []}, "number of trials must be 1 or more, got 0"),
        ({"workers": 0}, "workers must be 1 to 1024, got 0"),
        ({"threads": 0}, "threads must be 1 to 1024, got 0"),
        ({"folder": __file__}, "cannot make folder"),
    ],
)
def test_bad_sweeps_are_named(few, made, tmp_path, options, words):
    given = {"trials": [Trial(TINY, RECIPE)], "folder": tmp_path / "new"} | options
    with pytest.raises(InputError, match=words):
        sweep(few, **given, progress=False)
    assert not (tmp_path / "new").exists()
    assert not made.every
    with pytest.raises(InputError, match="a sweep needs validation images"):
        sweep(replace(few, validation=None), [Trial(TINY, RECIPE)], tmp_path, progress=False)


def test_data_that_suit_no_trial_end_the_sweep(few, tmp_path):
    no_seven = few.train[few.train.labels != 7]
    with pytest.raises(InputError, match="every class needs a training image, got none of class '7'"):
        sweep(replace(few, train=no_seven), [Trial(TINY, RECIPE)], tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_takes_one_trial_with_it(few, tmp_path, monkeypatch):
    class Fragile(Worker):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            if self.trial.seed == 0:
                self.process.kill()

    monkeypatch.setattr("inksight.experiments.search.Worker", Fragile)
    trials = grid([TINY], RECIPE, {}, seeds=[0, 1])
    done = sweep(few, trials, tmp_path, workers=1, progress=False)
    assert [result.failed for result in done.results] == ["its process was ended by SIGKILL", ""]
    assert [path.stem for path in tmp_path.iterdir()] == [trials[1].id]  # so that the other is tried again


def test_a_process_that_breaks_says_why(few, tmp_path):
    write_parts(few, tmp_path)
    (tmp_path / "names.json").write_text("{}")
    worker = Worker(Trial(TINY, RECIPE), "data", tmp_path, tmp_path / "out.json", 1)
    worker.process.wait()
    assert worker.result().failed == "its process ended with code 1, saying: KeyError: 'name'"


def test_a_process_ends_with_whoever_started_it(few, tmp_path):
    write_parts(few, tmp_path)
    worker = Worker(Trial(TINY, LONG), "data", tmp_path, tmp_path / "out.json", 1)
    assert os.getsid(worker.process.pid) != os.getsid(0)  # the terminal's Ctrl-C goes elsewhere
    worker.process.stdin.close()  # as the system does for a process that is gone
    assert worker.process.wait(timeout=60) == 1
    worker.stop()
    assert not (tmp_path / "out.json").exists()


def test_ctrl_c_keeps_what_is_done_and_leaves_no_process(few, tmp_path, ctrl_c, monkeypatch):
    workers = []

    class Seen(Worker):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            workers.append(self)

    def press():
        deadline = time.monotonic() + 120
        while len(workers) < 2 and time.monotonic() < deadline:  # the second starts when the first is done
            time.sleep(0.02)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("inksight.experiments.search.Worker", Seen)
    trials = [Trial(TINY, RECIPE), Trial(TINY, LONG), Trial(TINY, LONG, 1)]
    thread = threading.Thread(target=press)
    thread.start()
    done = sweep(few, trials, tmp_path, workers=1, progress=False)
    thread.join()
    assert done.interrupted
    assert [result.trial for result in done.results] == trials[:1]
    assert [path.stem for path in tmp_path.iterdir()] == [trials[0].id]
    assert [worker.process.returncode for worker in workers] == [0, -signal.SIGKILL]
