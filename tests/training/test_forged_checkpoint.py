"""Checkpoints with the right checksum and wrong contents: the one before is taken, or the training starts again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trials import QUICK, TINY

import inksight
from inksight import InputError, Splits
from inksight.errors import InputWarning
from inksight.experiments.cross_validation import cross_validate
from inksight.nn.model import digest
from inksight.nn.model_file import as_bytes, checksum, content_of_file, content_of_model, load_model
from inksight.training import Checkpoint
from inksight.training.checkpoint_file import STATE, read_saved
from inksight.training.fitting import fit

NONE = object()  # stands for a missing value
DEEP: list[object] = []
for _ in range(900):
    DEEP = [DEEP]
TYPES = ["7", True, None, [1], {"a": 1}, -1, 1.5, 10**400, 1e999]  # none of which is possible for most numbers


@pytest.fixture(scope="module")
def training(few):
    """The arguments of a training, in which any part of the data set is used but the test images."""
    return {"data": Splits(few.train, few.validation), "network": TINY, "recipe": QUICK, "progress": False}


@pytest.fixture(scope="module")
def expected(training):
    return fit(**training).model.digest


@pytest.fixture(scope="module")
def stopped(training, tmp_path_factory):
    """The contents of two checkpoints of a training that was stopped after two epochs, the newest first."""
    folder = tmp_path_factory.mktemp("stopped")
    result = fit(**training, checkpoint=Checkpoint(folder, 0), on_epoch=lambda model: len(model.history) == 2)
    assert result.stopped == "callback"
    paths = sorted(folder.glob("*.safetensors"), key=lambda path: -read_saved(path).number)
    return [(path.name, path.read_bytes()) for path in paths]


@pytest.fixture
def folder(stopped, tmp_path):
    for name, content in stopped:
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def newest(stopped, folder):
    return folder / stopped[0][0]


def forge(path: Path, header=None, arrays=None, **changes):
    """Write a checkpoint with other values and the right checksum; ``state__steps`` is a value in an object."""
    old_header, old_arrays = content_of_file(path)
    header, arrays = header or old_header, arrays or old_arrays
    for name, value in changes.items():
        *outer, last = name.split("__")
        place = header
        for key in outer:
            place = place[int(key) if isinstance(place, list) else key]
        if value is NONE:
            del place[last]
        else:
            place[last] = value
    header.pop("checksum", None)
    header["checksum"] = checksum(header, digest(arrays))
    path.write_bytes(as_bytes(header, arrays))


def resume(training, folder, warnings=1):
    """Resume a training, which must warn so often, in one line each; return the weights and the last warning."""
    with pytest.warns(InputWarning) as warned:
        result = fit(**training, checkpoint=folder)
    messages = [str(warning.message) for warning in warned]
    assert len(messages) == warnings, messages
    assert all(message.isprintable() and len(message) < 1000 for message in messages)
    return result.model.digest, messages[-1]


NUMBERS = [
    "number", "state__steps", "state__seconds", "state__epoch_seconds", "state__images_seen", "state__epoch__epoch",
    "state__epoch__steps", "state__epoch__images", "state__epoch__correct", "state__epoch__learning_rate",
    "state__epoch__loss_sum", "history__0__epoch", "history__1__loss", "history__1__seconds",
]  # fmt: skip

DEFAULTS = [name for name in NUMBERS if name.startswith("state__epoch__") and not name.endswith("__epoch")]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_none_leaves_the_checkpoint_before(name, training, stopped, tmp_path, expected):
    some: dict[str, list[Any]] = {
        "state__seconds": [1.5], "state__epoch_seconds": [1.5], "state__epoch__learning_rate": [1.5],
        "state__epoch__loss_sum": [1.5, -1], "history__1__loss": [None, 1.5, -1],
        "history__1__seconds": [None, 1.5, -1],
    }  # fmt: skip
    possible = some.get(name, [])
    wrong = [value for value in TYPES if not any(type(value) is type(x) and value == x for x in possible)]
    if name not in DEFAULTS:
        wrong.append(NONE)
    for number, value in enumerate([*wrong, DEEP]):
        folder = tmp_path / str(number)
        folder.mkdir()
        for file, content in stopped:
            (folder / file).write_bytes(content)
        forge(folder / stopped[0][0], **{name: value})
        found, message = resume(training, folder)
        assert found == expected, value
        assert "is not a checkpoint, or damaged" in message
        assert message.endswith("resuming from the checkpoint before")


CONTENTS = {
    "no object": {"state": 5},
    "no state": {"state": NONE},
    "no history": {"history": NONE},
    "state and result": {"result": {}},
    "neither": {"state": NONE, "history": NONE},
    "unknown key": {"more": 1},
    "unknown key of the state": {"state__more": 1},
    "unknown key of the epoch": {"state__epoch__more": 1},
    "settings are a list": {"settings": []},
    "build is a number": {"build": 5},
    "history is an object": {"history": {}},
    "epochs are missing": {"history": []},
    "other steps": {"state__steps": 7},
    "more steps than an epoch has": {"state__epoch__steps": 1000, "state__steps": 1020},
    "the largest epoch": {"history__1__epoch": 2**53},
    "images without steps": {"state__epoch__images": 5},
    "correct without images": {"state__epoch__correct": 1},
    "format": {"format": "inksight model 2"},
    "format is a list": {"format": ["inksight checkpoint 1"]},
}


@pytest.mark.parametrize("changes", CONTENTS.values(), ids=CONTENTS)
def test_an_impossible_header_leaves_the_checkpoint_before(changes, training, folder, newest, expected):
    forge(newest, **changes)
    found, message = resume(training, folder)
    assert (found, message.endswith("resuming from the checkpoint before")) == (expected, True)


ARRAYS = {
    "NaN": lambda arrays: arrays["weights"].__setitem__(3, np.nan),
    "infinite": lambda arrays: arrays["first"].__setitem__(3, -np.inf),
    "negative second moment": lambda arrays: arrays["second"].__setitem__(0, -1),
    "shorter": lambda arrays: arrays.update(first=arrays["first"][:-1]),
    "empty": lambda arrays: arrays.update({name: np.zeros(0, np.float32) for name in STATE}),
    "another network": lambda arrays: arrays.update({name: np.zeros(18_813, np.float32) for name in STATE}),
    "two axes": lambda arrays: arrays.update(weights=arrays["weights"][None]),
    "doubles": lambda arrays: arrays.update(second=arrays["second"].astype(np.float64)),
    "whole numbers": lambda arrays: arrays.update(second=arrays["second"].astype(np.int32)),
    "missing": lambda arrays: arrays.pop("second"),
    "unknown": lambda arrays: arrays.update(third=arrays["second"]),
}


@pytest.mark.parametrize("change", ARRAYS.values(), ids=ARRAYS)
def test_impossible_arrays_leave_the_checkpoint_before(change, training, folder, newest, expected):
    _, arrays = content_of_file(newest)
    change(arrays)
    forge(newest, arrays=arrays)
    found, message = resume(training, folder)
    assert (found, message.endswith("resuming from the checkpoint before")) == (expected, True)


def test_two_forged_checkpoints_start_again(training, folder, expected):
    for path in folder.glob("*.safetensors"):
        forge(path, state__steps=0)
    found, message = resume(training, folder, warnings=2)
    assert (found, message.endswith("starting again")) == (expected, True)


@pytest.fixture
def finished(training, tmp_path):
    """A folder with one checkpoint: the result of a training."""
    fit(**training, checkpoint=tmp_path)
    (path,) = tmp_path.glob("*.safetensors")
    return path


RESULTS = {
    "another network": lambda header, arrays: _replace(header, arrays, load_model("tiny")),
    "another recipe": lambda header, arrays: _replace(header, arrays, _other(header, arrays)),
    "a wrong reason": lambda header, arrays: header["result"].update(stopped=["epochs"]),
    "interrupted": lambda header, arrays: header["result"].update(stopped="interrupted"),
    "other images": lambda header, arrays: header["result"].update(train_images=5),
    "images are text": lambda header, arrays: header["result"].update(train_images="300"),
    "no time": lambda header, arrays: header["result"].update(seconds=None),
    "infinite speed": lambda header, arrays: header["result"].update(images_per_second=1e999),
    "unknown key": lambda header, arrays: header["result"].update(more=1),
    "too many epochs": lambda header, arrays: header.update(history=header["history"] * 3),
    "epochs of one number": lambda header, arrays: header.update(history=header["history"][:1] * 3),
    "a model without a name": lambda header, arrays: header["model"].pop("version"),
    "weights that are none": lambda header, arrays: next(iter(arrays.values())).fill(np.nan),
}


def _other(header, arrays):
    model = inksight.nn.model_file.model_of(header["model"], arrays)
    return replace(model, recipe=replace(QUICK, epochs=9))


def _replace(header, arrays, model):
    header["model"], content = content_of_model(model)
    arrays.clear()
    arrays.update(content)


@pytest.mark.parametrize("change", RESULTS.values(), ids=RESULTS)
def test_an_impossible_result_starts_again(change, training, finished, expected):
    header, arrays = content_of_file(finished)
    change(header, arrays)
    forge(finished, header, arrays)
    found, message = resume(training, finished.parent)
    assert (found, message.endswith("starting again")) == (expected, True)


def test_names_from_a_file_do_not_break_the_line(training, folder):
    for path in folder.glob("*.safetensors"):
        forge(path, **{"settings__a\nb\x1b": "c\nd\ud800"})
    with pytest.raises(InputError) as caught:
        fit(**training, checkpoint=folder)
    assert str(caught.value).isprintable()
    assert r"whose 'a\nb\x1b' is 'c\nd\ud800', not None" in str(caught.value)


def test_deep_settings_are_those_of_another_work(training, folder):
    for path in folder.glob("*.safetensors"):
        forge(path, settings__seed=DEEP)
    with pytest.raises(InputError, match=r"whose seed is \[\[\[.*, not 0: give another folder") as caught:
        fit(**training, checkpoint=folder)
    assert len(str(caught.value)) < 1000


def test_a_deep_build_is_another_one(training, folder, newest, expected):
    forge(newest, build__engine=DEEP)
    found, message = resume(training, folder)
    assert (found, "computed by another build, whose engine is [[[" in message) == (expected, True)


@pytest.mark.parametrize("value", [[], "text", 5])
def test_a_forged_record_of_several_trainings_is_written_again(value, few, tmp_path):
    arguments = {"folds": 3, "progress": False, "checkpoint": tmp_path}
    recipe = replace(QUICK, epochs=1)
    first = cross_validate(few.train, TINY, recipe, **arguments)
    record = tmp_path / "inksight-work.safetensors"
    before = record.read_bytes()
    forge(record, settings=value)
    again = cross_validate(few.train, TINY, recipe, **arguments)
    assert again.predictions.tolist() == first.predictions.tolist()
    assert record.read_bytes() == before
