"""An interrupted training ends in the bytes of an uninterrupted one, however it was interrupted."""

import errno
import math
import os
import shutil
import signal
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import command
from disk import Disk, failing
from trials import QUICK, TINY

import inksight
from benchmarks.kill_training import TRAINING, Trainings
from inksight import Augmentation, InputError, Recipe, Splits
from inksight.errors import InputWarning
from inksight.experiments.competition import compete
from inksight.experiments.cross_validation import cross_validate
from inksight.experiments.pruning import prune, train_from_scratch
from inksight.inspection import remove_least_important
from inksight.inspection.label_errors import doubtful_labels
from inksight.training import Checkpoint, fine_tuning, loop, teach
from inksight.training.checkpoint_file import Snapshot, read_saved
from inksight.training.checkpoint_folder import CheckpointFolder
from inksight.training.fitting import fit
from inksight.training.result import TrainingResult
from inksight.training.schedule import Schedule

RICH = Recipe(
    epochs=3, passes=2, batch_size=64, learning_rate=1e-2, muon_scale=0.3, taper=0.5, label_smoothing=0.05,
    augmentation=Augmentation(rotation=10, elastic=1, pen_style=0.3),
)  # fmt: skip


class Crash(BaseException):
    """Ends a training as a crash does: nothing runs after it but what always runs."""


@contextmanager
def crashing(monkeypatch, after: int = 10**9):
    """Let the process crash after a number of checkpoints; yield the contents of all checkpoints."""
    write, written = CheckpointFolder.write, []

    def write_and_crash(self, content):
        write(self, content)
        written.append(content)
        if len(written) == after:
            raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(CheckpointFolder, "write", write_and_crash)
        yield written


@pytest.fixture
def bytes_of(tmp_path):
    """Return the bytes of the file of a model."""

    def save(model):
        model.save(tmp_path / "model.safetensors")
        return (tmp_path / "model.safetensors").read_bytes()

    return save


@pytest.fixture
def slow(monkeypatch):
    """Take one step per call of the engine, so that there are many checkpoints; and do not wait for the disk."""
    monkeypatch.setattr(loop, "CALL_SECONDS", 0.0)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # processes crash here, and the machine does not


def mirrored(images, rng):
    return images[:, :, ::-1] if rng.random() < 0.5 else images


TRAININGS = {
    "plain": {"network": TINY, "recipe": QUICK},
    "rich": {"network": "4x5p,6x3s,d5", "recipe": RICH, "augmentation": mirrored, "seed": np.int64(7)},
    "weighted": {"network": TINY, "recipe": QUICK, "sample_weight": np.linspace(0, 2, 300)},
    "continued": {"recipe": QUICK, "until": 1.0},
    "to an accuracy": {"network": TINY, "recipe": QUICK, "until": 0.0},
}


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_that_crashes_after_any_checkpoint_ends_in_the_same_bytes(
    name, few, model, tmp_path, monkeypatch, bytes_of, slow
):
    arguments = TRAININGS[name] | {"progress": False}
    if name == "continued":
        arguments["start"] = model
    expected = fit(few, **arguments)
    with crashing(monkeypatch) as written:
        uninterrupted = fit(few, **arguments, checkpoint=Checkpoint(tmp_path / "once", 0))
    assert bytes_of(uninterrupted.model) == bytes_of(expected.model)
    assert len(written) >= 6
    assert isinstance(written[-1], TrainingResult)
    for after in (1, len(written) // 2, len(written) - 1):
        checkpoint = Checkpoint(tmp_path / f"crashed-{after}", 0)
        with crashing(monkeypatch, after), pytest.raises(Crash):
            fit(few, **arguments, checkpoint=checkpoint)
        with crashing(monkeypatch) as later:
            result = fit(few, **arguments, checkpoint=checkpoint)
        assert len(later) == len(written) - after  # no step is taken twice
        assert bytes_of(result.model) == bytes_of(expected.model)
        assert (result.stopped, result.train_images) == (expected.stopped, expected.train_images)
        assert math.isfinite(result.model.history["seconds"][-1])


def test_jax_resumes(few, tmp_path, monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.setenv("INKSIGHT_ENGINE", "jax")
    training = {"network": TINY, "recipe": replace(QUICK, epochs=1, batch_size=100), "progress": False}
    expected = fit(Splits(few.train), **training).model
    with crashing(monkeypatch, 1), pytest.raises(Crash):
        fit(Splits(few.train), **training, checkpoint=Checkpoint(tmp_path, 0))
    resumed = fit(Splits(few.train), **training, checkpoint=tmp_path).model
    for name, array in expected.params.items():
        np.testing.assert_allclose(resumed.params[name], array, rtol=1e-6, atol=1e-7)


def test_a_training_that_crashes_again_and_again_ends(few, tmp_path, monkeypatch, bytes_of, slow, capsys):
    checkpoint, crashes = Checkpoint(tmp_path / "folder", 0), 0
    while True:
        try:
            with crashing(monkeypatch, 7):
                result = fit(few, TINY, QUICK, checkpoint=checkpoint)
            break
        except Crash:
            crashes += 1
    assert crashes == (3 * 10 + 1) // 7
    assert "resumed at epoch 1, step 7\n" in capsys.readouterr().err
    assert bytes_of(result.model) == bytes_of(fit(few, TINY, QUICK, progress=False).model)


def test_a_crash_of_the_disk_leaves_a_checkpoint_to_resume_from(few, tmp_path, monkeypatch, bytes_of):
    """Every prefix of the writes, and every loss of those that were not flushed."""
    training = {"network": TINY, "recipe": replace(QUICK, epochs=1, batch_size=64), "progress": False}
    monkeypatch.setattr(loop, "CALL_SECONDS", 0.0)
    few = Splits(few.train, few.validation)
    expected = bytes_of(fit(few, **training).model)
    (tmp_path / "recorded").mkdir()
    disk = Disk(tmp_path / "recorded")
    with disk.recorded(), crashing(monkeypatch) as written:
        fit(few, **training, checkpoint=Checkpoint(tmp_path / "recorded", 0))
    assert len(disk.states) == len(written) + 1  # each checkpoint is there completely, or not at all
    for number, state in enumerate(disk.states):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in state:
            (folder / name).write_bytes(content)
        assert bytes_of(fit(few, **training, checkpoint=folder).model) == expected


@pytest.mark.parametrize("count", [1, math.inf], ids=["once", "for good"])
def test_every_failing_call_leaves_a_checkpoint_to_resume_from(count, few, tmp_path, monkeypatch, bytes_of):
    training = {"network": TINY, "recipe": replace(QUICK, epochs=1, batch_size=150), "progress": False}
    monkeypatch.setattr(loop, "CALL_SECONDS", 0.0)
    few = Splits(few.train[:300])
    expected = bytes_of(fit(few, **training).model)
    first, messages, calls = 0, [], [""] * 1000
    while first <= len(calls):
        first += 1
        folder = tmp_path / str(first)
        with failing(first, count, errno.ENOSPC) as calls:
            try:
                fit(few, **training, checkpoint=Checkpoint(folder, 0))
            except InputError as error:
                messages.append(str(error))
        assert bytes_of(fit(few, **training, checkpoint=folder).model) == expected, calls
    assert len(messages) > 20
    assert all(message.startswith("cannot write") for message in messages), messages


@pytest.fixture
def interrupted(few, tmp_path, monkeypatch, slow):
    """A folder with two checkpoints of a training that crashed."""
    with crashing(monkeypatch, 12), pytest.raises(Crash):
        fit(few, TINY, QUICK, checkpoint=Checkpoint(tmp_path / "folder", 0), progress=False)
    return tmp_path / "folder"


def by_age(folder):
    """Return the two checkpoints of a folder, the newest first."""
    return sorted(folder.glob("inksight-checkpoint-*"), key=lambda path: read_saved(path).number, reverse=True)


DAMAGES = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[:-1],
    "flipped": lambda content: content[:2000] + bytes([content[2000] ^ 4]) + content[2001:],
    "text": lambda content: b"some text",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_replaced_by_the_one_before(damage, interrupted, few, bytes_of, tmp_path):
    expected = bytes_of(fit(few, TINY, QUICK, progress=False).model)
    for number, path in enumerate(by_age(interrupted), start=1):
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
        folder = tmp_path / f"copy-{number}"
        shutil.copytree(interrupted, folder)
        with pytest.warns(InputWarning) as warned:
            assert bytes_of(fit(few, TINY, QUICK, checkpoint=folder, progress=False).model) == expected
        messages = [str(warning.message) for warning in warned]
        assert len(messages) == number
        assert all("is not a checkpoint, or damaged: " in message for message in messages)
        then = "starting again" if number == 2 else "resuming from the checkpoint before"
        assert all(message.endswith(f"; {then}") for message in messages)


def test_a_checkpoint_that_is_a_link_to_nowhere_is_damaged(interrupted, few, tmp_path):
    path = by_age(interrupted)[0]
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    with pytest.warns(InputWarning, match="No such file .*; resuming from the checkpoint before"):
        fit(few, TINY, QUICK, checkpoint=interrupted, progress=False)


def test_no_flipped_bit_and_no_truncation_goes_unnoticed(interrupted, rng):
    path = by_age(interrupted)[0]
    content, whole = path.read_bytes(), read_saved(path)
    assert isinstance(whole.content, Snapshot)
    unnoticed = 0
    for place in rng.integers(8 * len(content), size=400).tolist():
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            saved = read_saved(path)
        except InputError:
            continue
        unnoticed += 1  # in the spaces that fill up the header
        assert isinstance(saved.content, Snapshot)
        np.testing.assert_array_equal(saved.content.trainer.weights, whole.content.trainer.weights)
        assert (saved.content.epoch, saved.settings) == (whole.content.epoch, whole.settings)
    assert unnoticed <= 8
    for length in rng.integers(len(content), size=100).tolist():
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="is not a checkpoint, or damaged"):
            read_saved(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipe": replace(QUICK, epochs=4)}, "recipe.epochs is 3, not 4"),
        ({"network": "4x5p,9x3"}, "network.banks is '4x5p,8x3', not '4x5p,9x3'"),
        ({"seed": 1}, "seed is 0, not 1"),
        ({"until": 0.9}, "until is None, not 0.9"),
        ({"seconds": 9, "epochs": 3}, "seconds is None, not 9"),
        ({"sample_weight": np.linspace(1, 2, 300)}, "sample weights is None, not '"),
        ({"augmentation": mirrored}, "augmentation function is '', not '"),
        ({"recipe": replace(QUICK, augmentation=Augmentation(6, 1, 0.05, 0.05))}, "augmentation.rotation is 5, not 6"),
        ({"network": None, "start": "tiny"}, "model to start from is None, not '"),
    ],
)
def test_a_folder_with_another_training_is_refused(changes, words, interrupted, few):
    before = {path: path.read_bytes() for path in interrupted.iterdir()}
    with pytest.raises(InputError, match="checkpoint must be that of the same work") as caught:
        fit(few, **{"network": TINY, "recipe": QUICK} | changes, checkpoint=interrupted, progress=False)
    assert words in str(caught.value)
    assert {path: path.read_bytes() for path in interrupted.iterdir()} == before


def test_a_folder_with_other_data_is_refused(interrupted, few):
    for splits, words in (
        (Splits(few.train[:299], few.validation), "whose training images is '"),
        (Splits(few.train, few.validation[:99]), "whose validation images is '"),
        (Splits(few.train), "whose validation images is '"),
    ):
        with pytest.raises(InputError, match=words):
            fit(splits, TINY, QUICK, checkpoint=interrupted, progress=False)


def test_another_build_resumes_with_a_warning(interrupted, few, monkeypatch):
    monkeypatch.setattr("inksight.training.fitting.training_engine", lambda: "another")
    with pytest.warns(InputWarning, match="computed by another build, whose engine is '.*', not 'another'"):
        fit(few, TINY, QUICK, checkpoint=interrupted, progress=False)


def test_a_finished_training_is_not_repeated(few, tmp_path, monkeypatch, capsys, bytes_of):
    first = fit(few, TINY, QUICK, checkpoint=tmp_path / "folder", progress=False)
    monkeypatch.setattr(loop.TrainingLoop, "run", lambda *arguments: pytest.fail("trained again"))
    again = fit(few, TINY, QUICK, checkpoint=tmp_path / "folder")
    assert f"already trained: the model is in {str(tmp_path / 'folder')!r}" in capsys.readouterr().err
    assert bytes_of(again.model) == bytes_of(first.model)
    assert again.model.history["seconds"].tolist() == first.model.history["seconds"].tolist()
    assert again.to_dict() == first.to_dict()


def test_ctrl_c_keeps_the_state_to_resume_from(few, tmp_path, ctrl_c, capsys, bytes_of):
    expected = fit(few, TINY, QUICK, progress=False)

    def press(model):
        signal.raise_signal(signal.SIGINT)

    stopped = fit(few, TINY, QUICK, checkpoint=tmp_path / "folder", on_epoch=press)
    assert (stopped.stopped, len(stopped.model.history)) == ("interrupted", 1)
    assert "interrupted: the same training with the checkpoint" in capsys.readouterr().err
    resumed = fit(few, TINY, QUICK, checkpoint=tmp_path / "folder")
    assert "resumed at epoch 2, step 0" in capsys.readouterr().err
    assert bytes_of(resumed.model) == bytes_of(expected.model)


def test_a_training_that_a_callback_stopped_goes_on_with_the_next_epoch(few, tmp_path, capsys, bytes_of):
    expected, seen = fit(few, TINY, QUICK, progress=False), []

    def stop(model):
        seen.append(len(model.history))
        return True

    reasons = [fit(few, TINY, QUICK, checkpoint=tmp_path / "folder", on_epoch=stop).stopped for _ in range(2)]
    assert (reasons, seen) == (["callback", "callback"], [1, 2])
    errors = capsys.readouterr().err
    assert "stopped: the same training with the checkpoint" in errors
    assert "resumed at epoch 2, step 0" in errors
    last = fit(few, TINY, QUICK, checkpoint=tmp_path / "folder", on_epoch=stop, progress=False)
    assert (last.stopped, seen) == ("epochs", [1, 2, 3])  # there is nothing left to go on with
    assert bytes_of(last.model) == bytes_of(expected.model)
    again = fit(few, TINY, QUICK, checkpoint=tmp_path / "folder", on_epoch=stop, progress=False)
    assert (bytes_of(again.model), seen) == (bytes_of(expected.model), [1, 2, 3])


def test_an_accuracy_that_is_reached_finishes_a_training_that_a_callback_stops(few, tmp_path):
    training = {"until": 0.0, "on_epoch": lambda model: True, "checkpoint": tmp_path, "progress": False}
    results = [fit(few, TINY, QUICK, **training) for _ in range(2)]
    assert [(result.stopped, len(result.model.history)) for result in results] == [("until", 1)] * 2


def test_the_second_process_in_a_folder_is_refused(few, tmp_path):
    refused = []

    def train_again(model):
        with pytest.raises(InputError, match=r"another process is using .*: wait until it has ended, or give another"):
            fit(few, TINY, QUICK, checkpoint=tmp_path, progress=False)
        refused.append(model)

    fit(few, TINY, QUICK, checkpoint=tmp_path, on_epoch=train_again, progress=False)
    assert len(refused) == QUICK.epochs


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder in which nobody can write")
def test_a_folder_that_cannot_be_written_is_refused_before_any_step(few, monkeypatch, tmp_path):
    monkeypatch.setattr(loop.TrainingLoop, "run", lambda *arguments: pytest.fail("trained"))
    (tmp_path / "file").write_text("")
    for folder, words in (("/proc", "cannot write"), ("/proc/none", "cannot make"), (tmp_path / "file", "cannot make")):
        with pytest.raises(InputError, match=words):
            fit(few, TINY, QUICK, checkpoint=folder, progress=False)


def test_a_disk_that_fills_up_ends_the_training_and_keeps_the_checkpoint(few, tmp_path, monkeypatch, slow, bytes_of):
    folder = tmp_path / "folder"
    with crashing(monkeypatch, 5), pytest.raises(Crash):
        fit(few, TINY, QUICK, checkpoint=Checkpoint(folder, 0), progress=False)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with failing(12, math.inf, errno.ENOSPC), pytest.raises(InputError) as caught:
        fit(few, TINY, QUICK, checkpoint=Checkpoint(folder, 0), progress=False)
    assert "No space left on device; the same training resumes from the checkpoint before" in str(caught.value)
    newest = by_age(folder)[0]
    assert before[newest.name] == newest.read_bytes()
    expected = bytes_of(fit(few, TINY, QUICK, progress=False).model)
    assert bytes_of(fit(few, TINY, QUICK, checkpoint=folder, progress=False).model) == expected


def test_a_time_limit_counts_the_seconds_of_the_interrupted_training(few, tmp_path, monkeypatch, slow):
    """With a clock on which every look takes a second."""
    ticks = iter(range(10**9))
    monkeypatch.setattr("inksight.training.schedule.time.perf_counter", lambda: float(next(ticks)))
    training = {"network": TINY, "recipe": replace(QUICK, epochs=50), "epochs": 50, "seconds": 300.0, "progress": False}
    alone = fit(few, **training)
    assert (alone.stopped, alone.seconds >= 300) == ("seconds", True)
    with crashing(monkeypatch, 40) as written, pytest.raises(Crash):
        fit(few, **training, checkpoint=Checkpoint(tmp_path, 0))
    spent = written[-1].seconds + written[-1].epoch_seconds
    assert spent > 100
    began = next(ticks)
    resumed = fit(few, **training, checkpoint=tmp_path)
    assert resumed.stopped == "seconds"
    assert 300 <= resumed.seconds <= 310
    assert next(ticks) - began < 300 - spent + 50
    assert resumed.model.history["seconds"].sum() == pytest.approx(resumed.seconds)


def test_writing_a_checkpoint_takes_no_time_of_the_training():
    schedule = Schedule(10, 1.0)
    schedule.start_epoch(5.0)
    with schedule.paused():
        time.sleep(0.2)
    assert 5.0 <= schedule.epoch_seconds < 5.2


def test_checkpoints_are_written_as_often_as_asked(few, tmp_path, monkeypatch, slow):
    clock = iter(range(10**9))
    monkeypatch.setattr("inksight.training.checkpoint_folder.time.monotonic", lambda: float(next(clock)))
    with crashing(monkeypatch) as written:
        fit(few, TINY, QUICK, checkpoint=Checkpoint(tmp_path / "a", every=5), progress=False)
    assert 4 <= len(written) <= 8  # in 30 steps, of a second each


@pytest.mark.parametrize(
    ("folder", "every", "words"),
    [
        ("a", -1, "seconds from one checkpoint to the next must be 0 to 1e9, got -1"),
        ("a", math.nan, "seconds from one checkpoint to the next must be 0 to 1e9, got nan"),
        ("a", "10", "seconds from one checkpoint to the next must be 0 to 1e9, got '10'"),
        (5, 1, "path must be a string or a path-like object, got 5"),
        (b"a", 1, "path must be a string or a path-like object, got b'a'"),
    ],
)
def test_wrong_values_are_errors(folder, every, words):
    with pytest.raises(InputError) as caught:
        Checkpoint(folder, every)
    assert words in str(caught.value)


SHORT = replace(QUICK, epochs=2, batch_size=150)
WORK = {
    "cross-validation": lambda few, model, **more: cross_validate(few.train, TINY, SHORT, folds=3, **more),
    "kaggle": lambda few, model, **more: compete(few.train, TINY, SHORT, **more),
    "prune": lambda few, model, **more: prune(few, TINY, SHORT, keep_accuracy=None, steps=2, images=50, **more),
    "labels": lambda few, model, **more: doubtful_labels(few.train, 2, TINY, SHORT, repeats=2, epochs=2, **more),
    "teach": lambda few, model, **more: teach(few.train[200:290], model, as_few(few), **more),
}  # fmt: skip


def as_few(splits):
    """Return splits with fewer training images."""
    return Splits(splits.train[:200], splits.validation)


def models_of(result):
    """Return what a result says that depends on its models."""
    if hasattr(result, "probabilities"):
        return result.probabilities.tobytes()
    models = getattr(result, "models", None) or [result.model]
    accuracies = getattr(result, "predictions", np.array([])).tolist()
    return [inksight.nn.model_file.as_bytes(*inksight.nn.model_file.content_of_model(m)) for m in models], accuracies


@pytest.mark.parametrize("name", WORK)
def test_work_of_several_trainings_resumes(name, few, model, tmp_path, monkeypatch, slow):
    monkeypatch.setattr(fine_tuning, "OWN_IMAGES", 300)
    monkeypatch.setattr(fine_tuning, "MAX_ACCURACY_LOSS", 1.0)
    few, work = Splits(few.train, few.validation), WORK[name]
    expected = models_of(work(few, model, progress=False))
    with crashing(monkeypatch) as written:
        done = work(few, model, checkpoint=Checkpoint(tmp_path / "once", 0), progress=False)
    assert models_of(done) == expected
    assert sum(isinstance(content, TrainingResult) for content in written) >= 2
    for after in (2, len(written) // 2 + 1, len(written) - 1):
        checkpoint = Checkpoint(tmp_path / f"crashed-{after}", 0)
        with crashing(monkeypatch, after) as before, pytest.raises(Crash):
            work(few, model, checkpoint=checkpoint, progress=False)
        with crashing(monkeypatch) as later:
            assert models_of(work(few, model, checkpoint=checkpoint, progress=False)) == expected
        finished = [sum(isinstance(x, TrainingResult) for x in contents) for contents in (before, later, written)]
        assert finished[0] + finished[1] == finished[2]  # none is trained twice


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"share": 0.3}, "share is 0.25, not 0.3"),
        ({"steps": 2}, "steps is 1, not 2"),
        ({"seed": 1}, "seed is 0, not 1"),
    ],
)
def test_another_work_in_a_folder_is_refused(change, words, few, tmp_path):
    arguments = {"keep_accuracy": None, "epochs": 1, "steps": 1, "progress": False, "checkpoint": tmp_path}
    few = Splits(few.train, few.validation)
    prune(few, TINY, QUICK, **arguments)
    with pytest.raises(InputError, match=words):
        prune(few, TINY, QUICK, **arguments | change)


def test_networks_from_scratch_resume(few, tmp_path, monkeypatch):
    few = Splits(few.train, few.validation)
    result = prune(few, TINY, QUICK, keep_accuracy=None, epochs=1, steps=2, progress=False)
    expected = train_from_scratch(few, result, QUICK, progress=False)
    with crashing(monkeypatch, 1), pytest.raises(Crash):
        train_from_scratch(few, result, QUICK, checkpoint=tmp_path, progress=False)
    again = train_from_scratch(few, result, QUICK, checkpoint=tmp_path, progress=False)
    assert [step.accuracy for step in again] == [step.accuracy for step in expected]


def test_ctrl_c_in_a_pruning_resumes_in_the_step(few, tmp_path, monkeypatch, ctrl_c):
    few = Splits(few.train, few.validation)
    arguments: dict[str, Any] = {"keep_accuracy": None, "epochs": 2, "steps": 2, "progress": False}
    expected = prune(few, TINY, QUICK, **arguments)

    def press(*given):
        signal.raise_signal(signal.SIGINT)
        return remove_least_important(*given)

    with monkeypatch.context() as patch:
        patch.setattr("inksight.experiments.pruning.remove_least_important", press)
        stopped = prune(few, TINY, QUICK, checkpoint=tmp_path, **arguments)
    assert (stopped.stopped, len(stopped.steps)) == ("interrupted", 1)
    assert models_of(prune(few, TINY, QUICK, checkpoint=tmp_path, **arguments)) == models_of(expected)


def test_a_killed_process_is_resumed(tmp_path, capsys):
    """SIGKILL in the middle of a write and of a rename, at a random moment, and with no room for a checkpoint."""
    trainings = Trainings(tmp_path)
    reference = ["train", "--data", trainings.data, *TRAINING[:-2], "--out", tmp_path / "reference.safetensors"]
    command(capsys, *reference)
    for call in (7, 13, 31, 36):  # in the middle of a write, before a flush, before and after a rename
        assert trainings.run(call=call)[0] == -signal.SIGKILL
    process = trainings.start(threads=2)
    time.sleep(np.random.default_rng().uniform(0, 0.3))
    process.kill()
    process.communicate()
    status, errors = trainings.run(room=500)
    assert (status, "File too large" in errors, "Traceback" in errors) == (2, True, False)
    status, errors = trainings.run(threads=2)
    assert (status, "resumed at epoch" in errors) == (0, True)
    assert trainings.out.read_bytes() == (tmp_path / "reference.safetensors").read_bytes()
    assert not [path for path in trainings.checkpoint.iterdir() if path.name.startswith(".")]
