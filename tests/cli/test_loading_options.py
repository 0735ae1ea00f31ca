"""``--label`` and ``--prepare`` reach every command that loads digits, and a warning is one line."""

import json
import subprocess
import sys

import numpy as np
import pytest
from commands import command
from sources import HEADER, csv_bytes, write

from inksight import cli


@pytest.fixture(scope="module")
def tables(mnist, tmp_path_factory):
    """Write a table of inverted digits, and one in which two columns may be the label."""
    folder = tmp_path_factory.mktemp("tables")
    some = mnist[50_000:50_120]
    write(folder, "inverted.csv", csv_bytes(255 - some.images, some.labels))
    rows = [[label, *image.ravel(), (label + 1) % 10] for image, label in zip(some.images, some.labels, strict=True)]
    names = ";".join([*HEADER.split(","), "class"])
    np.savetxt(folder / "two.csv", rows, "%d", delimiter=";", header=names, comments="")
    return folder


def test_a_warning_is_one_line_that_names_the_option(tables):
    arguments = [sys.executable, "-m", "inksight", "evaluate", "tiny", "--data", str(tables / "inverted.csv")]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    warning, *rest = result.stderr.splitlines()
    assert warning.startswith("inksight: warning: 'inverted.csv': the images have dark ink on light ground")
    assert "--prepare" in warning
    assert rest == []


def test_prepared_images_are_recognized(tables, capsys):
    found = command(capsys, "evaluate", "tiny", "--data", tables / "inverted.csv", "--prepare", "--json")
    assert json.loads(found)["accuracy"] > 0.95


@pytest.mark.parametrize("label", ["first", "1", "label"])
def test_the_label_is_chosen(tables, label, capsys):
    assert cli.run(["evaluate", "tiny", "--data", str(tables / "two.csv")]) == 2
    assert "--label" in capsys.readouterr().err
    found = command(capsys, "evaluate", "tiny", "--data", tables / "two.csv", "--label", label, "--json")
    assert json.loads(found)["accuracy"] > 0.95


@pytest.mark.parametrize("arguments", [["data"], ["train", "--epochs", "1", "--data"], ["explore", "--data"]])
def test_a_label_for_what_has_no_columns_is_refused(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run([*arguments, "mnist", "--label", "y"]) == 2
    assert "label must be left out" in capsys.readouterr().err
