"""`inksight sweep`, run as a user would, with bad arguments and interrupted."""

import json
import signal
from pathlib import Path

import pytest
from commands import outputs
from trials import SMALL, TINY, Made, result_of

from inksight.data.loading import write_csv


@pytest.fixture(scope="module")
def csv(tmp_path_factory, mnist):
    path = tmp_path_factory.mktemp("digits") / "train.csv"
    write_csv(mnist[:300], path)
    return path


def test_sweep_trains_and_prints_a_table(capsys, csv, tmp_path):
    out = tmp_path / "a" / "b"
    arguments = (
        "--data",
        csv,
        "--network",
        TINY,
        "--epochs",
        1,
        "--set",
        "batch_size=32,64",
        "--out",
        out,
        "--workers",
        2,
    )
    printed = outputs(capsys, "sweep", *arguments)
    assert printed.out.split()[:6] == ["network", "batch_size", "val_accuracy", "sd", "n", "seconds"]
    assert len(printed.out.splitlines()) == 3
    assert printed.err.count("val_accuracy") == 2
    result = json.loads(outputs(capsys, "sweep", *arguments, "--json").out)
    assert (result["stopped"], result["out"]) == ("finished", str(out))
    first, second = result["configurations"]
    assert first["val_accuracy"] >= second["val_accuracy"]
    assert {first["settings"]["batch_size"], second["settings"]["batch_size"]} == {32, 64}
    assert first["settings"]["epochs"] == 1
    assert sorted(path.stem for path in out.iterdir()) == sorted(first["trials"] + second["trials"])


def test_sweep_halves(capsys, csv, made, tmp_path):
    changes = ("--set", "learning_rate=0.1,0.2", "--set", "augmentation.rotation=0,10", "--set", "schedule=constant")
    arguments = ("--data", csv, "--network", TINY, "--network", SMALL, *changes, "--epochs", 8, "--seeds", 2)
    result = json.loads(outputs(capsys, "sweep", *arguments, "--halving", 2, "--out", tmp_path, "--json").out)
    epochs = [each["settings"]["epochs"] for each in result["configurations"]]
    assert epochs == [8] + [4] * 2 + [2] * 4 + [1] * 8
    assert {each["n"] for each in result["configurations"]} == {2}
    assert result["configurations"][0]["settings"]["learning_rate"] == 0.2


def test_sweep_fails_if_all_trainings_fail(capsys, csv, made, tmp_path, monkeypatch):
    monkeypatch.setattr(Made, "result", lambda self, trial: result_of(trial, failed="loss became nan"))
    printed = outputs(capsys, "sweep", "--data", csv, "--out", tmp_path, code=1)
    assert printed.err.splitlines()[-1] == "inksight: all 1 trainings failed, the first because loss became nan"


def test_ctrl_c_keeps_the_results_so_far(capsys, csv, made, tmp_path, ctrl_c, monkeypatch):
    def result(self, trial):
        signal.raise_signal(signal.SIGINT)
        return result_of(trial)

    monkeypatch.setattr(Made, "result", result)
    arguments = ("--data", csv, "--out", tmp_path, "--seeds", 3, "--workers", 1, "--epochs", 1)
    printed = outputs(capsys, "sweep", *arguments, "--json", code=130)
    assert json.loads(printed.out)["stopped"] == "interrupted"
    assert json.loads(printed.out)["configurations"][0]["n"] == 1
    assert printed.err.splitlines()[-1] == "inksight: interrupted"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "speed=1"], "setting must be one of epochs, batch_size, learning_rate"),
        (["--set", "learning_rate"], "--set must be NAME=VALUE[,VALUE...], got 'learning_rate'"),
        (["--set", "learning_rate="], "--set must be NAME=VALUE[,VALUE...], got 'learning_rate='"),
        (["--set", "learning_rate=0.1,,0.2"], "--set must be NAME=VALUE[,VALUE...]"),
        (["--set", "learning_rate=0.1", "--set", "learning_rate=0.2"], "--set must give learning_rate once"),
        (["--set", "learning_rate=fast"], "learning_rate must be 1e-12 to 1e6, got 'fast'"),
        (["--set", "learning_rate=nan"], "learning_rate must be 1e-12 to 1e6, got nan"),
        (["--set", "batch_size=64,1.5"], "batch_size must be 1 to 65536, got 1.5"),
        (["--set", "passes=true"], "passes must be 1 to 1000, got True"),
        (["--set", "epochs=1", "--epochs", "2"], "epochs must be given once"),
        (["--set", "epochs=1,2", "--halving", "3"], "epochs of a halving must be one number"),
        (["--halving", "1"], "factor of the halving must be 2 to 1000, got 1"),
        (["--seeds", "0"], "0 is not in the range"),
        (["--workers", "0"], "workers must be 1 to 1024, got 0"),
        (["--network", "resnet"], "network must be one of"),
        (["--recipe", "fast"], "recipe must be one of"),
        (["--data", "none.csv"], "none.csv"),
        (["--out", __file__], "cannot make folder"),
    ],
)
def test_bad_arguments_give_one_line_and_exit_2(arguments, words, capsys, csv, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = outputs(capsys, "sweep", "--data", csv, *arguments, code=2)
    assert words in printed.err
    assert printed.err.count("\n") == 1
    assert list(Path().iterdir()) == []
    assert not made.every
