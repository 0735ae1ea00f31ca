"""`--checkpoint`: commands that train do not repeat what is done, and say what is wrong with the option."""

import pytest
from commands import command, outputs
from PIL import Image
from trials import TINY

from inksight.cli import cli
from inksight.data.loading import write_csv
from inksight.errors import InksightError
from inksight.report.pictures import gallery

TRAINING = ("--network", TINY, "--epochs", "1")
SIZES = {"train": 1, "explore": 1, "kaggle": 2, "prune": 2, "labels": 2, "teach": 2}
COMMANDS = {
    "train": ["train", "--data", "train.csv", *TRAINING],
    "kaggle": ["kaggle", "train.csv", "test.csv", *TRAINING],
    "prune": [
        "prune", "--network", TINY, "--data", "train.csv", "--keep-accuracy", "0", "--epochs", "1", "--steps", "1",
        "--recipe", "seconds",
    ],
    "labels": ["labels", "train.csv", *TRAINING, "--folds", "2", "--repeats", "1"],
    "teach": ["teach", "mine", "--data", "train.csv", "--model", "small.safetensors"],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, mnist, model, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_csv(mnist[:300], "train.csv")
    write_csv(mnist[300:320], "test.csv")
    model.save("small.safetensors")
    for digit in range(10):
        for number, image in enumerate(mnist[1000:1400].of_digit(digit).images[:3]):
            (tmp_path / "mine" / str(digit)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(255 - image).save(tmp_path / "mine" / str(digit) / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_finished_training_is_not_repeated(name, folder, capsys, monkeypatch):
    monkeypatch.setattr("inksight.training.fine_tuning.OWN_IMAGES", 300)
    monkeypatch.setattr("inksight.training.fine_tuning.MAX_ACCURACY_LOSS", 1.0)
    words = [*COMMANDS[name], "--checkpoint", "kept", "--every", "1m"]
    first = outputs(capsys, *words)
    before = {path: path.read_bytes() for path in folder.rglob("kept/**/*.safetensors")}
    results = {path: path.read_bytes() for path in folder.glob("*.*")}
    again = outputs(capsys, *words)
    assert {path: path.read_bytes() for path in folder.rglob("kept/**/*.safetensors")} == before
    assert len([path for path in before if path.name.startswith("inksight-checkpoint-")]) == SIZES[name]
    if name not in ("prune", "labels"):  # which train without lines of progress, but for the network to start from
        assert again.err.count("already trained: the model is in 'kept") == SIZES[name]
    assert "already trained" not in first.err
    if name != "labels":  # whose page shows how long it took
        assert {path: path.read_bytes() for path in folder.glob("*.*")} == results


def test_every_command_that_trains_has_the_option():
    options = {name: {option.name for option in cli.commands[name].params} for name in cli.commands}
    assert {name for name, found in options.items() if "checkpoint" in found} == SIZES.keys()
    assert all({"checkpoint", "every"} <= options[name] for name in SIZES)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--every", "10s"], "--every must be left out without --checkpoint, got 10.0"),
        (["--checkpoint", "kept", "--every", "soon"], "'soon' is not a time such as 10s, 5m or 1h"),
        (["--checkpoint", "kept", "--every", "-1"], "'-1' is not a time"),
        (["--checkpoint", ""], "--checkpoint must be the name of a folder, got ''"),
        (["--checkpoint", "train.csv"], "cannot make folder 'train.csv'"),
        (
            ["--checkpoint", "kept", "--from", "small.safetensors", "--out", "./small.safetensors"],
            "--out must be another file than the model to start from, got './small.safetensors'",
        ),
    ],
)
def test_wrong_options_are_errors(words, message, folder, capsys):
    network = [] if "--from" in words else TRAINING[:2]
    assert message in command(capsys, "train", "--data", "train.csv", *network, "--epochs", "1", *words, code=2)
    assert not (folder / "model.safetensors").exists()


def test_corrections_are_applied_without_a_checkpoint(folder, capsys):
    (folder / "corrections.csv").write_text("")
    words = ["labels", "train.csv", "--apply", "corrections.csv", "--csv", "out.csv", "--checkpoint", "kept"]
    assert "options with --apply must be only --csv" in command(capsys, *words, code=2)


@pytest.mark.parametrize(("text", "seconds"), [("7", 7), ("0s", 0), ("1.5m", 90), ("2h", 7200)])
def test_times(text, seconds, folder, capsys, monkeypatch):
    seen = []

    def opened(checkpoint, *more):
        seen.append(checkpoint.every)
        raise InksightError("seen")

    monkeypatch.setattr("inksight.training.fitting.opened", opened)
    words = ["train", "--data", "train.csv", *TRAINING, "--checkpoint", "kept", "--every", text]
    command(capsys, *words, code=1)
    assert seen == [seconds]


def test_the_report_and_the_checkpoint_have_folders_of_their_own(folder, capsys):
    words = ["explore", "--data", "train.csv", *TRAINING, "--out", "both", "--checkpoint", "./both"]
    assert "--checkpoint must be another folder than --out" in command(capsys, *words, code=2)


def test_explore_resumes(folder, capsys, monkeypatch):
    monkeypatch.setattr("inksight.report.report.gallery", lambda *arguments: gallery(*arguments)[:1])
    words = ["explore", "--data", "train.csv", *TRAINING, "--out", "report", "--checkpoint", "kept"]
    command(capsys, *words)
    first = {name: (folder / "report" / name).read_bytes() for name in ("model.safetensors", "history.json")}
    assert "already trained" in outputs(capsys, *words).err
    assert {name: (folder / "report" / name).read_bytes() for name in first} == first
