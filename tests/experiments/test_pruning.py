"""`prune`, `train_from_scratch` and ``inksight prune``."""

import json
import math
import re
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
from commands import command
from trials import QUICK, SMALL, Forbidden

from inksight import InputError, Model, Splits, prune, train
from inksight.config import get_network
from inksight.data.loading import write_csv
from inksight.experiments.pruning import train_from_scratch
from inksight.experiments.pruning_result import Pruning
from inksight.inspection.evaluation import evaluate
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import parameter_count


@pytest.fixture(scope="module")
def pruned(digits, model) -> Pruning:
    """Two steps without `keep_accuracy`."""
    return prune(digits, model, QUICK, keep_accuracy=None, epochs=1, steps=2, progress=False)


def test_each_step_removes_parameters_and_trains(pruned, digits, model):
    start, *steps = pruned.steps
    assert (start.network, start.epochs, len(steps)) == (model.network, 3, 2)
    assert math.isnan(start.before)
    assert start.accuracy == model.history.rows[-1].val_accuracy
    for before, after in zip(pruned.steps, steps, strict=False):
        assert after.parameters <= 0.75 * before.parameters
        assert after.parameters == parameter_count(after.network)
        assert after.epochs == before.epochs + 1
        assert 0 <= after.before <= 1
        assert after.seconds > 0
    assert (pruned.stopped, pruned.images) == ("steps", 500)
    assert pruned.model.network == steps[-1].network == pruned.smallest.network
    assert evaluate(pruned.model, digits.validation).accuracy == steps[-1].accuracy
    assert len(pruned.model.history) == 5
    assert repr(pruned).startswith(f"Pruning({start.parameters:,} parameters")
    assert steps[0].network.spec in str(pruned)


def test_same_seed_gives_the_same_weights(pruned, digits, model):
    unseen = Splits(digits.train, digits.validation, Forbidden())
    again = prune(unseen, model, QUICK, keep_accuracy=None, epochs=1, steps=2, progress=False)
    assert again.model.digest == pruned.model.digest


def test_model_trained_on_the_validation_images_raises_an_error(few):
    everything = Splits(few.train, few.validation, None).with_validation_to_train()
    model = train(everything, SMALL, QUICK, epochs=1, progress=False)
    with pytest.raises(InputError, match="must not be trained on the validation images"):
        prune(few, model, QUICK, keep_accuracy=None, progress=False)


def test_first_training_does_not_use_the_test_images(digits, capsys):
    unseen = Splits(digits.train[:300], digits.validation, Forbidden())
    result = prune(unseen, SMALL, replace(QUICK, epochs=1), keep_accuracy=0, epochs=1, steps=1)
    assert len(train_from_scratch(unseen, result, QUICK)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"training the network: about \d+ s; then at most about \d+ s for each step; 1 steps?, in all: about \d+ s",
        lines.pop(0),
    )
    words = [line.split()[0] for line in lines]
    assert words == [
        "epoch",
        SMALL,
        result.steps[1].network.spec,
        "training",
        result.steps[1].network.spec,
    ]


def test_step_with_a_low_accuracy_is_undone_and_halved(digits, model, monkeypatch):
    def fake_evaluate(model, data, hardest=0):
        """Return an accuracy of 0.95 for 800 parameters or more, else of 0.9."""
        correct = 475 if parameter_count(model.network) >= 800 else 450
        confusion = np.diag([correct, 0, *[0] * 8])
        confusion[0, 1] = 500 - correct
        return replace(evaluate(model, data, hardest=0), confusion=confusion)

    monkeypatch.setattr("inksight.experiments.pruning.evaluate", fake_evaluate)
    result = prune(digits, model, QUICK, keep_accuracy=0.95, share=0.4, epochs=1, images=50, progress=False)
    assert result.stopped == "accuracy"
    sizes = [step.parameters for step in result.steps]
    accurate = [size for size in sizes if size >= 800]
    assert parameter_count(result.model.network) == result.smallest.parameters == min(accurate) < 1000
    assert min(sizes) < 800
    assert sizes != sorted(sizes, reverse=True)  # steps were undone
    assert len({step.network for step in result.steps}) == len(sizes)  # no network was tried twice


def test_pruning_ends_with_one_filter_per_bank(digits):
    tiny = Model.untrained(get_network("1x5p,2x3"))
    tiny = replace(tiny, normalization=Normalization(variance=0.1))
    result = prune(digits, tiny, QUICK, keep_accuracy=0, epochs=1, images=50, progress=False)
    assert (result.stopped, result.smallest.network.spec) == ("filters", "1x5p,1x3")


def test_ctrl_c_keeps_the_steps_so_far(digits, model, ctrl_c):
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    result = prune(digits, model, QUICK, keep_accuracy=None, epochs=10_000, progress=False)
    assert result.stopped == "interrupted"
    assert [step.network for step in result.steps] == [model.network]
    assert result.model.digest == model.digest
    with pytest.raises(KeyboardInterrupt):  # the previous handler of Ctrl-C is restored
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep_accuracy": 98.9}, "keep_accuracy must be an accuracy from 0 to 1, such as 0.989, got 98.9"),
        ({"keep_accuracy": math.nan}, "keep_accuracy must be an accuracy from 0 to 1"),
        ({"keep_accuracy": 0.9999}, "keep_accuracy must be at most the validation accuracy before pruning"),
        ({"share": 0}, "share must be above 0 and below 1, got 0"),
        ({"share": 1}, "share must be above 0 and below 1, got 1"),
        ({"epochs": 0}, "epochs must be 1 or more, got 0"),
        ({"steps": -1}, "steps must be 0 or more, got -1"),
        ({"images": 0}, "images must be 1 or more, got 0"),
        ({"by": "beauty"}, "by must be loss or similarity, got 'beauty'"),
    ],
)
def test_invalid_options_raise_errors(digits, model, options, words):
    with pytest.raises(InputError) as caught:
        prune(digits, model, QUICK, **options, progress=False)
    assert words in str(caught.value)


def test_invalid_data_raises_errors(digits, model, pruned):
    train, validation = digits.train, digits.validation
    with pytest.raises(InputError, match="pruning needs validation images, got none"):
        prune(Splits(train, None, None), model)
    with pytest.raises(InputError, match="pruning needs labels"):
        prune(Splits(train, replace(validation, labels=None), None), model)
    with pytest.raises(InputError, match="pruning needs labels"):
        prune(Splits(replace(train, labels=None), validation, None), model)
    with pytest.raises(InputError, match="classes of the data"):
        prune(Splits(train, replace(validation, class_names=tuple("abcdefghij")), None), model)
    with pytest.raises(InputError, match="pruning needs validation images, got none"):
        train_from_scratch(Splits(train, None, None), pruned)


def test_train_small_trains_the_pruned_networks(pruned, digits):
    small = train_from_scratch(digits, replace(pruned, steps=pruned.steps[:2]), QUICK, progress=False)
    assert [(step.network, step.epochs) for step in small] == [(pruned.steps[1].network, pruned.steps[1].epochs)]
    assert math.isnan(small[0].before)
    assert small[0].accuracy > 0.3  # chance is 0.1


@pytest.fixture(scope="module")
def files(tmp_path_factory, mnist, model):
    folder = tmp_path_factory.mktemp("prune")
    write_csv(mnist[:400], folder / "digits.csv")
    model.save(folder / "m.safetensors")
    return folder / "m.safetensors", folder / "digits.csv"


def test_command_accepts_an_accuracy_in_percent_or_as_a_share(capsys, files, tmp_path):
    out, picture = tmp_path / "small.safetensors", tmp_path / "curve.png"
    options = ("--data", files[1], "--steps", 1, "--epochs", 1, "--out", out)
    common = ("prune", files[0], *options)
    printed = command(capsys, *common, "--keep-accuracy", 0.3, "--picture", picture, "--compare", "--json")
    result = json.loads(printed)
    assert result["keep_accuracy"] == 0.3
    assert [step["epochs"] for step in result["steps"]] == [3, 4]
    assert [step["network"] for step in result["small"]] == [result["steps"][1]["network"]]
    assert result["weights"] == Model.load(out).digest
    assert Model.load(out).network.spec == result["smallest"]["network"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    printed = command(capsys, *common, "--keep-accuracy", 28.3, "--json")
    assert json.loads(printed)["keep_accuracy"] == 0.283 < 28.3 / 100
    printed = command(capsys, *common, "--keep-accuracy", 30)
    assert f"{result['smallest']['parameters']:,} of {result['steps'][0]['parameters']:,} parameters" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--keep-accuracy", "99.99"], "keep_accuracy must be at most the validation accuracy before pruning, 0."),
        (["--keep-accuracy", "989"], "keep-accuracy must be 0 to 1, or 0 to 100 percent, got 989"),
        (["--keep-accuracy", "nan"], "keep-accuracy must be 0 to 1, or 0 to 100 percent, got nan"),
        (["--share", "2"], "share must be above 0 and below 1, got 2"),
        (["--picture", "curve.jpg"], "must be .png or .svg"),
        (["--out", "none/m.safetensors"], "does not exist"),
    ],
)
def test_command_reports_invalid_arguments_in_one_line(arguments, words, capsys, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = command(capsys, "prune", files[0], "--data", files[1], *arguments, code=2)
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
