"""Pictures in, digits out, or why not."""

import csv
import json
import os

import numpy as np
import pytest
from PIL import Image

from inksight import InputError, Model, cli
from inksight.model import load_model
from inksight.reading import BATCH, read


@pytest.fixture(scope="module")
def pictures(mnist, tmp_path_factory):
    """A folder of five digits, dark on white, called by what they are."""
    folder = tmp_path_factory.mktemp("digits")
    for i in range(60_000, 60_005):
        Image.fromarray(255 - mnist.images[i]).resize((90, 90)).save(folder / f"{mnist.labels[i]}-{i}.png")
    return folder


def test_pictures_are_read(pictures):
    paths = sorted(pictures.iterdir())
    found = read(paths)
    assert [str(reading) for reading in found] == [path.name[0] for path in paths]
    assert all(reading.confidence > 0.9 and not reading.reason for reading in found)
    alone = read(paths[0])
    assert (alone.digit, alone.confidence) == (found[0].digit, pytest.approx(found[0].confidence, abs=1e-5))
    assert alone.runner_up != alone.digit
    assert alone[0].image.shape == (28, 28)


def test_what_was_prepared_is_what_is_read(mnist):
    images = mnist.images[:300]  # more than a batch
    assert len(images) > BATCH
    model = load_model("small")
    found = read(list(images), model)
    again = model.probabilities(np.stack([page[0].image for page in found])).max(axis=1)
    np.testing.assert_allclose([reading.confidence for reading in found], again, atol=1e-6)


def test_no_digit_is_no_guess(mnist):
    blank, small = read([np.full((30, 30), 255, np.uint8), np.pad(np.zeros((2, 2)), 30, constant_values=1.0)])
    assert (blank.digit, blank.reason, str(blank)) == (None, "blank", "?")
    assert (small.digit, small.reason) == (None, "small")
    unsure = Model.untrained(load_model("tiny").network)
    found = read(mnist.images[0], unsure)
    assert (found.digit, found.reason) == (None, "unsure")
    assert found.runner_up is not None
    assert read(mnist.images[0], unsure, accept_all=True).digit is not None


def test_the_command_prints_what_it_reads(pictures, capsys, tmp_path):
    assert cli.run(["read", str(pictures), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["text"] for line in lines] == [line["path"].split("/")[-1][0] for line in lines]
    assert set(lines[0]) == {"path", "text", "digits", "milliseconds"}
    assert set(lines[0]["digits"][0]) == {"digit", "confidence", "reason", "runner_up", "box", "line"}
    out = tmp_path / "digits.csv"
    assert cli.run(["read", str(pictures), "--csv", str(out)]) == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [line["text"] for line in lines]
    assert "5 pictures" in capsys.readouterr().out


def test_files_that_cannot_be_read_are_named_and_the_rest_is_read(pictures, capsys, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    good = next(iter(sorted(pictures.iterdir())))
    assert cli.run(["read", str(bad), str(good), str(tmp_path / "none.png")]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{good}: {good.name[0]} (")
    assert "bad.png' is damaged or no picture" in captured.err
    assert "2 of 3 files could not be read" in captured.err
    assert "Traceback" not in captured.err


def test_odd_names_and_folders_do_not_lose_the_rest(pictures, capsys, tmp_path):
    good = next(iter(sorted(pictures.iterdir())))
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / os.fsdecode(b"caf\xe9.png")).write_bytes(good.read_bytes())
    out = tmp_path / "out.csv"
    assert cli.run(["read", "x" * 300, str(odd), str(good), "--csv", str(out)]) == 1
    assert "cannot read" in capsys.readouterr().err
    assert len(out.read_text().splitlines()) == 3
    assert cli.run(["read", str(odd)]) == 0
    assert f": {good.name[0]} (" in capsys.readouterr().out


def test_what_cannot_be_done_at_all_is_bad_input(pictures, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    assert cli.run(["read", str(tmp_path / "empty")]) == 2
    assert "holds no file to read" in capsys.readouterr().err
    out = tmp_path / "kept.csv"
    out.write_text("mine")
    assert cli.run(["read", str(pictures), "--json", "--csv", str(out)]) == 2
    assert "got both" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_of_several_the_one_that_fails_is_named(mnist):
    with pytest.raises(InputError, match=r"picture 1: values of a picture"):
        read((mnist.images[0], np.full((3, 3), np.nan)))


def test_an_unknown_model_is_bad_input(pictures, capsys):
    assert cli.run(["read", str(pictures), "--model", "worst"]) == 2
    with pytest.raises(InputError):
        read(np.zeros((4, 4)), "worst")


def test_lines_of_digits_are_told_and_written(mnist, capsys, tmp_path):
    rows = [np.hstack(255 - mnist.images[60_000 + 3 * i : 60_003 + 3 * i]) for i in range(2)]
    texts = ["".join(str(label) for label in mnist.labels[60_000 + 3 * i : 60_003 + 3 * i]) for i in range(2)]
    path = tmp_path / "two lines.png"
    Image.fromarray(np.pad(np.vstack(rows), 10, constant_values=255)).resize((416, 304)).save(path)
    assert cli.run(["read", str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{path}:"
    assert [line.split(" (")[0] for line in out[1:]] == [f"  {text}" for text in texts]
    assert cli.run(["read", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["text"] == "\n".join(texts)
    assert [digit["line"] for digit in found["digits"]] == [0] * 3 + [1] * 3
    assert all(len(digit["box"]) == 4 and min(digit["box"][2:]) > 0 for digit in found["digits"])
    table = tmp_path / "out.csv"
    assert cli.run(["read", str(path), "--csv", str(table)]) == 0
    with table.open(newline="") as file:
        assert next(csv.DictReader(file))["text"] == "\n".join(texts)
    capsys.readouterr()
    assert cli.run(["read", str(path), "--single"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    page = read(path)
    assert (len(page), page.digit, page.runner_up) == (6, None, None)
    assert page.confidence == min(one.confidence for one in page)
    assert [str(one) for one in page] == list("".join(texts))
    assert page.lines[1][0] is page[3]
    assert page.to_dict()["text"] == str(page)
