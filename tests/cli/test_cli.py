"""Every command, run as a user would, and every kind of bad input, reported in one line."""

import gzip
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sources
from commands import command
from trials import SMALL, TINY

from inksight import Dataset, Model, cli
from inksight.config import BUDGETS, get_network, get_recipe
from inksight.data.loading import load, write_csv
from inksight.report import report
from inksight.report.pictures import gallery


@pytest.fixture(scope="module")
def csv_pair(tmp_path_factory, mnist):
    """Kaggle's two files, made from MNIST: 600 labeled rows and 50 unlabeled ones."""
    folder = tmp_path_factory.mktemp("kaggle")
    write_csv(mnist[:600], folder / "train.csv")
    write_csv(Dataset(mnist.images[-50:], None, "test"), folder / "test.csv")
    return folder / "train.csv", folder / "test.csv"


@pytest.fixture(scope="module")
def model_file(tmp_path_factory, model):
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    model.save(path)
    return path


def test_every_command_shows_an_example(capsys):
    for name in cli.cli.commands:
        assert f"inksight {name}" in command(capsys, name, "--help").split("Example")[1]


def test_version_and_list_of_commands(capsys):
    from inksight import __version__

    assert command(capsys, "--version").strip() == f"inksight {__version__}"
    assert "Commands:" in command(capsys, "--help")


def test_help_and_version_import_nothing_heavy():
    code = (
        "import sys; from inksight import cli; cli.run(['--version']); cli.run(['train', '--help']);"
        "print([m for m in ('numpy', 'jax', 'matplotlib', 'rich', 'jinja2', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_imports_no_module_of_another():
    code = (
        "import sys; from inksight import cli; cli.run(['read', '--help']);"
        "print(sorted(m for m in sys.modules if m.startswith('inksight.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['inksight.cli.options', 'inksight.cli.read', 'inksight.cli.read_output']"


@pytest.mark.parametrize(("arguments", "started"), [([], 1), (["--data", "digits.csv"], 0)])
def test_mnist_is_unpacked_ahead_where_it_is_the_source(arguments, started, monkeypatch, capsys, tmp_path):
    calls: list[None] = []
    monkeypatch.setattr("inksight.data.packaged.unpack_ahead", lambda: calls.append(None))
    out = tmp_path / "no folder" / "m.safetensors"  # ends the command before it loads anything
    assert cli.run(["train", "--out", str(out), *arguments]) == 2
    assert len(calls) == started


def test_data_describes_a_source(capsys, csv_pair, tmp_path):
    out = command(capsys, "data", csv_pair[0], "--csv", tmp_path / "copy.csv", "--picture", tmp_path / "digits.png")
    assert "600 images" in out
    assert "480 train, 120 validation" in out
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    result = json.loads(command(capsys, "data", tmp_path / "copy.csv", "--json"))
    assert result["shape"] == [600, 28, 28]
    assert sum(result["counts"].values()) == 600
    assert result["digest"] == load(csv_pair[0]).digest
    assert json.loads(command(capsys, "data", csv_pair[1], "--json"))["counts"] is None


def test_mnist_is_split_into_50000_10000_and_10000(capsys):
    splits = json.loads(command(capsys, "data", "mnist", "--json"))["splits"]
    assert splits == {"train": 50_000, "validation": 10_000, "test": 10_000}


def test_summary_prints_the_table(capsys, model_file):
    assert "Total params: 18,813" in command(capsys, "summary")
    assert json.loads(command(capsys, "summary", "post", "--json"))["trained_parameters"] == 18_810
    assert "(None, 12, 12, 8)" in command(capsys, "summary", model_file)
    assert "(None, 26, 26, 3)" in command(capsys, "summary", "3x3")


def test_train_evaluate_and_continue_training(capsys, csv_pair, tmp_path):
    out = tmp_path / "m.safetensors"
    arguments = ("train", "--data", csv_pair[0], "--network", "post", "--epochs", 1, "--out", out)
    result = json.loads(command(capsys, *arguments, "--json"))
    assert (result["parameters"], result["trained_parameters"], result["train_images"]) == (
        18_813,
        18_810,
        480,
    )
    assert 0 <= result["val_accuracy"] <= 1
    assert result["seconds"] > 0
    assert result["images_per_second"] == pytest.approx(480 / result["seconds"])
    assert result["weights"] == Model.load(out).digest

    result = json.loads(command(capsys, "evaluate", out, "--data", csv_pair[0], "--split", "validation", "--json"))
    assert result["n"] == 120 == np.sum(result["confusion"])
    assert result["interval"][0] <= result["accuracy"] <= result["interval"][1]
    assert 0 <= result["calibration_error"] <= 1
    assert "120 images right" in command(
        capsys,
        "evaluate",
        out,
        "--data",
        csv_pair[0],
        "--split",
        "validation",
        "--picture",
        tmp_path / "c.svg",
    )
    assert "<svg" in (tmp_path / "c.svg").read_text()

    more = tmp_path / "more.safetensors"
    text = command(capsys, "train", "--data", csv_pair[0], "--from", out, "--epochs", 1, "--all", "--out", more)
    assert "2 epochs" in text
    assert len(Model.load(more).history) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.svg", "m.safetensors", "more.safetensors"]


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_budget_sets_network_and_recipe_unless_they_are_given(budget, capsys, csv_pair, tmp_path):
    out = tmp_path / "m.safetensors"
    network, recipe = BUDGETS[budget]
    arguments = ("train", "--data", csv_pair[0], "--budget", budget, "--epochs", 1, "--out", out)
    command(capsys, *arguments)
    model = Model.load(out)
    assert (model.network, model.recipe) == (get_network(network), replace(get_recipe(recipe), epochs=1))
    command(capsys, *arguments, "--network", SMALL)
    model = Model.load(out)
    assert (model.network, model.recipe) == (get_network(SMALL), replace(get_recipe(recipe), epochs=1))
    command(capsys, *arguments, "--recipe", "post")
    model = Model.load(out)
    assert (model.network, model.recipe) == (get_network(network), replace(get_recipe("post"), epochs=1))


def test_robustness_uses_validation_images_and_reports_training_on_them(capsys, csv_pair, model_file, tmp_path):
    picture = tmp_path / "robustness.svg"
    arguments = ["evaluate", model_file, "--data", csv_pair[0], "--robustness", "--images", 20, "--preprocessed"]
    result = json.loads(command(capsys, *arguments, "--picture", picture, "--json"))
    assert (result["images"], result["seen_in_training"]) == (20, False)
    assert len(result["corruptions"]) == 11
    assert all(len(row["prepared_accuracy"]) == 5 for row in result["corruptions"].values())
    assert "lined paper" in picture.read_text()
    out = command(capsys, "evaluate", "tiny", "--robustness", "--images", 30)  # trained on all but MNIST's test images
    assert "of 30 clean images right" in out
    assert "The model was trained on these images or some of them" in out


def test_evaluate_reports_images_seen_in_training(capsys, csv_pair, tmp_path):
    out, submission = tmp_path / "m.safetensors", tmp_path / "s.csv"
    command(capsys, "kaggle", *csv_pair, "--network", SMALL, "--epochs", 1, "--out", submission, "--model", out)

    def seen(*options):
        return json.loads(command(capsys, "evaluate", out, "--data", csv_pair[0], *options, "--json"))[
            "seen_in_training"
        ]

    assert all(seen(*options) for options in ([], ["--split", "validation"], ["--split", "train"]))
    command(capsys, "train", "--data", csv_pair[0], "--network", SMALL, "--epochs", 1, "--out", out)
    assert [seen(*options) for options in ([], ["--split", "validation"], ["--split", "train"])] == [True, False, True]


def test_kaggle_classifies_every_row(capsys, csv_pair, tmp_path):
    out, kept = tmp_path / "submission.csv", tmp_path / "m.safetensors"
    arguments = ("kaggle", *csv_pair, "--network", SMALL, "--epochs", 2, "--out", out, "--model", kept)
    result = json.loads(command(capsys, *arguments, "--json"))
    assert (result["train_images"], result["rows"], result["val_accuracy"]) == (600, 50, None)
    header, *rows = out.read_text().splitlines()
    assert header == "ImageId,Label"
    ids, labels = np.array([row.split(",") for row in rows], int).T
    assert ids.tolist() == list(range(1, 51))
    np.testing.assert_array_equal(labels, Model.load(kept).predict(load(csv_pair[1]).images))


def test_look_draws_the_pictures_named(capsys, model_file, csv_pair, tmp_path):
    names = [line.split()[0] for line in command(capsys, "look", model_file, "list").splitlines()]
    listed = json.loads(command(capsys, "look", model_file, "list", "--json"))["pictures"]
    assert [picture["name"] for picture in listed] == names
    assert all(picture["title"] for picture in listed)
    assert {"filters-1", "filters-2", "maps-2", "barcode", "evidence"} <= set(names)
    out = tmp_path / "pictures"
    result = json.loads(
        command(capsys, "look", model_file, "filters-1", "barcode", "--data", csv_pair[0], "--image", 7,
                "--out", out, "--json")
    )  # fmt: skip
    assert [Path(path).name for path in result["pictures"]] == [
        "filters-1.png", "filters-1.svg", "barcode.png", "barcode.svg",
    ]  # fmt: skip
    assert all(Path(path).stat().st_size > 1000 for path in result["pictures"])
    assert "4 files" in command(capsys, "look", model_file, "maps-1", "barcode", "--data", csv_pair[1], "--out", out)


def test_explore_writes_report_model_history_and_figures(capsys, csv_pair, tmp_path, monkeypatch):
    def three_pictures(*arguments):  # `tests/report` draws all of them
        return [
            picture
            for picture in gallery(*arguments)
            if picture.name in ("filters-2", "confusion", "detrended-barcodes")
        ]

    monkeypatch.setattr(report, "gallery", three_pictures)
    out = tmp_path / "a" / "b"
    arguments = ("explore", "--data", csv_pair[0], "--network", TINY, "--epochs", 1, "--out", out)
    result = json.loads(command(capsys, *arguments, "--json"))
    assert result["evaluated_on"] == "validation"
    assert result["evaluation"]["n"] == 120
    assert Path(result["report"]) == out / "report.html"
    assert sorted(p.name for p in out.iterdir()) == [
        "figures",
        "history.json",
        "model.safetensors",
        "report.html",
    ]
    assert len(json.loads((out / "history.json").read_text())) == 1
    assert Model.load(out / "model.safetensors").digest == result["weights"]
    pictures = {p.name for p in (out / "figures").iterdir()}
    assert {"filters-2.png", "filters-2.svg", "confusion.png", "detrended-barcodes.svg"} <= pictures
    assert len(pictures) == 6


BAD_SOURCES = {
    "missing file": (lambda folder, x, y: folder / "none.csv", "none.csv"),
    "empty file": (lambda folder, x, y: sources.write(folder, "a.csv", b""), "empty"),
    "wrong column count": (lambda f, x, y: sources.write(f, "a.csv", b"label,pixel0\n1,2\n"), "column"),
    "value above 255": (lambda f, x, y: sources.write(f, "a.csv", _with_cell(x, y, b"256")), "row 2"),
    "value not an integer": (lambda f, x, y: sources.write(f, "a.csv", _with_cell(x, y, b"1.5")), "row 2"),
    "ragged rows": (lambda f, x, y: sources.write(f, "a.csv", sources.csv_bytes(x, y) + b"1,2,3\n"), "row 13"),
    "truncated IDX": (lambda f, x, y: _cut(sources.write_idx(f, x, y)), "idx"),
    "IDX header with a huge size": (
        lambda f, x, y: sources.write(f, "t-images-idx3-ubyte", bytes([0, 0, 8, 3] + [255] * 12)), "idx"
    ),
    "truncated gzip": (lambda f, x, y: _cut(sources.write(f, "a.gz", gzip.compress(sources.csv_bytes(x, y)))), "gz"),
    "bit-flipped gzip": (lambda f, x, y: _flip(sources.write(f, "a.gz", gzip.compress(sources.csv_bytes(x, y)))), "gz"),
    "truncated npz": (lambda f, x, y: _cut(sources.write(f, "a.npz", sources.npz_bytes(x_train=x, y_train=y))), "npz"),
    "bit-flipped npz": (
        lambda f, x, y: _flip(sources.write(f, "a.npz", sources.npz_bytes(x_train=x, y_train=y))), "npz"
    ),
    "npz with pickles": (
        lambda f, x, y: sources.write(f, "a.npz", sources.npz_bytes(x_train=np.array([{}], object), y_train=y)),
        "pickled",
    ),
    "npz bomb": (lambda f, x, y: _npz_bomb(f, y), "the same length, got 8388608 and 12"),
    "truncated png": (lambda f, x, y: _cut(next(sources.write_pictures(f, x, y).rglob("*.png")), f), "png"),
    "labels outside the classes": (lambda f, x, y: sources.write(f, "a.csv", sources.csv_bytes(x, y + 7)), "label"),
    "images and labels of different length": (
        lambda f, x, y: sources.write(f, "a.npz", sources.npz_bytes(x_train=x, y_train=y[:-1])), "the same length"
    ),
    "a class with no picture": (lambda f, x, y: (sources.write_pictures(f, x, y) / "5").mkdir() or f, "5"),
    "images of one class": (lambda f, x, y: sources.write(f, "a.csv", sources.csv_bytes(x, y * 0)), "two classes"),
    "no labels": (lambda f, x, y: sources.write(f, "a.csv", sources.csv_bytes(x)), "labels"),
}  # fmt: skip


def _with_cell(images, labels, cell):
    lines = sources.csv_bytes(images, labels).split(b"\n")
    cells = lines[2].split(b",")
    return b"\n".join([*lines[:2], b",".join([*cells[:400], cell, *cells[401:]]), *lines[3:]])


def _npz_bomb(folder, labels):
    """Write an .npz file whose header claims 6 GB of images."""
    path = sources.write(folder, "a.npz", sources.npz_bytes(y_train=labels))
    with zipfile.ZipFile(path, "a") as archive, archive.open("x_train.npy", "w") as member:
        header = {"descr": "|u1", "fortran_order": False, "shape": (1 << 23, 28, 28)}
        np.lib.format.write_array_header_1_0(member, header)
    return path


def _cut(path, result=None):
    path.write_bytes(path.read_bytes()[:-20])
    return result or path


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_bad_data_gives_one_line_exit_2_and_no_file(case, capsys, tmp_path):
    make, words = BAD_SOURCES[case]
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    source = make(tmp_path / "in", *sources.some_digits())
    error = command(capsys, "train", "--data", source, "--out", tmp_path / "out" / "m.safetensors", code=2)
    assert error.startswith("inksight: ")
    assert error.count("\n") == 1
    assert words.lower() in error.lower()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--epochs", "0"], "epochs must be 1 to 100000, got 0"),
        (["train", "--epochs", "many"], "'many' is not a valid integer"),
        (["train", "--until", "99"], "until must be an accuracy from 0 to 1"),
        (["train", "--network", "resnet"], "network must be one of post"),
        (["train", "--recipe", "fast"], "recipe must be one of seconds, default, best"),
        (["train", "--budget", "hours"], "budget must be one of seconds, default, best, got 'hours'"),
        (
            ["train", "--from", "tiny", "--network", "post"],
            "network must be left out when training goes on from a model, got 'post'",
        ),
        (
            ["train", "--budget", "best", "--network", "post", "--recipe", "post"],
            "budget must be left out when both network and recipe are given, got 'best'",
        ),
        (["prune", "tiny", "--network", "post"], "--network must be left out when a MODEL is given, got 'post'"),
        (["look", "tiny", "list", "--out", "x"], "--out must be left out with `list`, which writes nothing, got 'x'"),
        (["train", "--from", "worst"], "model must be a file that exists, or one of post, best"),
        (["train", "--out", "none/m.safetensors"], "does not exist"),
        (["train", "--from", "none.safetensors"], "must be a file that exists"),
        (["train", "--color"], "No such option"),
        (["evaluate", "none.safetensors"], "must be a file that exists"),
        (
            ["evaluate", "tiny", "--images", "5"],
            "--images and --preprocessed are options of --robustness",
        ),
        (["evaluate", "tiny", "--robustness", "--picture", "a.jpg"], "suffix of a picture file must be .png or .svg"),
        (["evaluate", __file__], "is not an inksight model"),
        (["summary", "none"], "network must be one of"),
        (["bake"], "No such command"),
        (["kaggle", "train.csv"], "Missing argument"),
        (["explore", "--out", __file__], "cannot make folder"),
    ],
)
def test_bad_arguments_give_one_line_and_exit_2(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = command(capsys, *arguments, code=2)
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_unknown_pictures_rows_and_splits_are_named(capsys, model_file, csv_pair, tmp_path):
    look = ("look", model_file, "--data", csv_pair[0], "--out", tmp_path / "pictures")
    assert "picture must be one of one-of-each" in command(capsys, *look, "selfie", code=2)
    assert "image must be a row from 0 to 599, got 600" in command(capsys, *look, "--image", 600, code=2)
    assert "train, validation, all, got 'test'" in command(capsys, *look, "--split", "test", code=2)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_exits_1_without_a_traceback(capsys, monkeypatch, csv_pair, tmp_path):
    def broken(*arguments, **options):
        raise RuntimeError("the machine is\non fire")

    monkeypatch.setattr(importlib.import_module("inksight.training.fitting"), "fit", broken)
    error = command(capsys, "train", "--data", csv_pair[0], "--out", tmp_path / "m.safetensors", code=1)
    assert error == "inksight: unexpected RuntimeError: the machine is on fire (set INKSIGHT_DEBUG=1 for a traceback)\n"
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_stops_training_and_keeps_the_model(csv_pair, tmp_path, ctrl_c):
    out = tmp_path / "m.safetensors"
    arguments = [
        "train",
        "--data",
        str(csv_pair[0]),
        "--network",
        SMALL,
        "--epochs",
        "5000",
        "--out",
        str(out),
        "--json",
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", "from inksight.cli import main; main()", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    result = json.loads(printed)
    assert result["stopped"] == "interrupted"
    assert len(Model.load(out).history) == result["epochs"] < 5000
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
