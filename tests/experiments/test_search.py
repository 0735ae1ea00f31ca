"""Sweeps: processes, resuming, interruption and errors."""

import math
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from trials import LONG, RECIPE, TINY, WILD, die_if_seed_is_0, tell_number

from inksight import InputError
from inksight._shared.interrupt import CtrlC
from inksight._shared.tasks import Processes
from inksight.experiments.search import sweep
from inksight.experiments.trial import Result, Trial, grid
from inksight.experiments.trial_training import read_parts, share_parts, train_trials, write_parts
from inksight.training.fitting import fit


@pytest.fixture(scope="module")
def swept(few, tmp_path_factory):
    """Five trials in real processes, two at a time; the last one diverges."""
    folder = tmp_path_factory.mktemp("sweep")
    trials = [*grid([TINY], RECIPE, {"learning_rate": [0.01, 0.02]}, seeds=[0, 1]), WILD]
    return folder, trials, sweep(few, trials, folder, workers=2, progress=False)


def test_every_trial_has_a_result_and_a_file(swept):
    folder, trials, done = swept
    assert [result.trial for result in done.results] == trials
    assert not done.interrupted
    assert {path.name for path in folder.iterdir()} == {f"{trial.id}.json" for trial in trials}
    for result in done.results:
        assert Result.load(folder / f"{result.trial.id}.json") == result


def test_process_trains_the_same_weights_as_fit(swept, few):
    for result in swept[2].results[1:3]:
        alone = fit(few, TINY, result.trial.recipe, seed=result.trial.seed, progress=False).model
        assert result.weights == alone.digest
        assert result.val_accuracy == alone.history.rows[-1].val_accuracy
        assert result.history.rows[0].loss == alone.history.rows[0].loss


def test_loss_that_is_not_finite_gives_a_failed_result(swept):
    failed = swept[2].results[-1]
    assert failed.failed.startswith("loss became ")
    assert math.isnan(failed.val_accuracy)
    last = swept[2].configurations[-1]
    assert (last.mean, last.sd, last.seconds, last.failed) == (None, None, None, [failed.failed])
    assert "failed" in str(swept[2]).splitlines()[0]
    assert str(swept[2]).splitlines()[-1].split()[-5:] == ["-", "-", "0", "1", "-"]


def test_sweep_trains_only_missing_trials(swept, few, made, tmp_path, capsys):
    folder, trials, done = swept
    for result in done.results[:3]:
        result.save(tmp_path / f"{result.trial.id}.json")
    again = sweep(few, trials, tmp_path)
    assert list(made.every) == trials[3:]
    assert again.results[:3] == done.results[:3]
    assert capsys.readouterr().err.startswith(f"3 of 5 results are already in '{tmp_path}'\n")
    assert sweep(few, trials, folder, progress=False) == done
    assert len(made.every) == 2


def test_results_from_other_data_raise_an_error(swept, few):
    folder, trials, _ = swept
    with pytest.raises(InputError, match="has results from other data: give another folder"):
        sweep(replace(few, validation=few.validation[:50]), trials, folder, progress=False)


def test_trials_get_training_and_validation_images_only(few, tmp_path):
    write_parts(few, tmp_path)
    arrays = [f"{part}-{kind}.npy" for part in ("train", "validation") for kind in ("images", "labels")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["names.json", *arrays])
    parts = read_parts(tmp_path)
    assert parts.test is None
    assert parts.validation is not None
    assert (parts.train.digest, parts.validation.digest) == (few.train.digest, few.validation.digest)
    assert (parts.train.name, parts.train.class_names) == (few.train.name, few.train.class_names)


def test_number_of_processes_is_limited_and_equal_trials_are_trained_once(few, made, tmp_path):
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
def test_invalid_options_raise_errors(few, made, tmp_path, options, words):
    given = {"trials": [Trial(TINY, RECIPE)], "folder": tmp_path / "new"} | options
    with pytest.raises(InputError, match=words):
        sweep(few, **given, progress=False)
    assert not (tmp_path / "new").exists()
    assert not made.every
    with pytest.raises(InputError, match="a sweep needs validation images"):
        sweep(replace(few, validation=None), [Trial(TINY, RECIPE)], tmp_path, progress=False)


def test_data_that_fits_no_trial_ends_the_sweep(few, tmp_path):
    only_threes = few.train.of_digit(3)
    with pytest.raises(InputError, match="two classes or more"):
        sweep(replace(few, train=only_threes), [Trial(TINY, RECIPE)], tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_killed_process_fails_only_its_trial(few, tmp_path, monkeypatch):
    monkeypatch.setattr("inksight.experiments.trial_training.train_trial", die_if_seed_is_0)
    trials = grid([TINY], RECIPE, {}, seeds=[0, 1])
    done = sweep(few, trials, tmp_path, workers=1, progress=False)
    assert [result.failed for result in done.results] == ["its process was ended by SIGKILL", ""]
    assert [path.stem for path in tmp_path.iterdir()] == [trials[1].id]  # so that the other is trained again


def test_an_unexpected_error_of_a_trial_is_reported(few, tmp_path):
    write_parts(few, tmp_path)
    (tmp_path / "names.json").write_text("{}")
    with CtrlC() as ctrl_c:
        (result,) = train_trials(tmp_path, "data", [Trial(TINY, RECIPE)], Processes(1), ctrl_c, tmp_path)
    assert result.failed == "KeyError: 'name'"
    assert not list(tmp_path.glob("????????????????.json"))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_ctrl_c_keeps_finished_results_and_stops_all_processes(few, tmp_path, ctrl_c, monkeypatch):
    monkeypatch.setattr("inksight.experiments.trial_training.train_trial", tell_number)
    folders = []

    def share(splits, folder, processes):
        folders.append(folder)
        return share_parts(splits, folder, processes)

    monkeypatch.setattr("inksight.experiments.search.share_parts", share)
    running: set[int] = set()

    def press():
        deadline = time.monotonic() + 120
        while not list(out.glob("*.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        running.update(int(path.stem) for path in folders[0].glob("*.process"))
        signal.raise_signal(signal.SIGINT)

    out = tmp_path / "sweep"
    trials = [Trial(TINY, RECIPE), Trial(TINY, LONG), Trial(TINY, LONG, 1)]
    thread = threading.Thread(target=press)
    thread.start()
    done = sweep(few, trials, out, workers=1, progress=False)
    thread.join()
    assert done.interrupted
    assert [result.trial for result in done.results] == trials[:1]
    assert [path.stem for path in out.iterdir()] == [trials[0].id]
    assert len(running) == 1
    assert not any(Path(f"/proc/{number}").exists() for number in running)
