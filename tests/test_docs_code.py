"""The Python code of the start page, the tutorial and the how-to guides runs, on a small part of MNIST."""

import ast
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import import_script
from PIL import Image

import inksight
from inksight.data import write_csv
from inksight.serve import Models, Service, serving

DOCS = Path(__file__).parents[1] / "docs"
make_tutorial = import_script(DOCS / "make_tutorial.py")

# What would take too long, and what the test runs instead; each text must stand in the page.
TINY = '"4x5p,8x3", inksight.Recipe(epochs=1)'
QUICKER = {
    "index.md": {"seconds=5": "epochs=1"},
    "ensemble.md": {'"post", "seconds"': TINY, "range(5)": "range(2)"},
    "follow-a-training.md": {'"mnist", budget="seconds"': f"small, {TINY}"},
    "find-label-errors.md": {"doubtful_labels(data)": f"doubtful_labels(data, 2, {TINY}, repeats=1)"},
    "prune.md": {'"post", keep_accuracy=0.989': f"{TINY}, keep_accuracy=None, steps=1, epochs=1"},
    "submit-to-kaggle.md": {'budget="best"': 'network="4x5p,8x3", recipe=inksight.Recipe(epochs=1)'},
    "resume-a-training.md": {'budget="best"': 'network="4x5p,8x3", recipe=inksight.Recipe(epochs=1)'},
    "sweep.md": {'["post", "12x3,12x3p,24x3"]': '["4x5p,8x3"]', "[0.005, 0.01]": "[0.01]", "range(3)": "range(1)"},
    "teach-your-handwriting.md": {'teach("my-digits/")': f'teach("my-digits/", inksight.train(small, {TINY}), small)'},
    "train-on-your-data.md": {'"post", epochs=20': TINY, "epochs=20": "epochs=1", "epochs=5": "epochs=1"},
    "write-a-report.md": {'"post", "default"': TINY, "write_report(folder,": "assert callable(write_report), ("},
}
OTHERS = ("index.md", "call-the-service.md")  # the second has a test of its own
GUIDES = [DOCS / "index.md", *sorted(path for path in (DOCS / "how-to").glob("*.md") if path.name not in OTHERS)]


@pytest.fixture
def folder(tmp_path, mnist, monkeypatch):
    """A folder with the files that the pages name; MNIST is 1,200 images, the last 200 its test set."""
    small = replace(mnist[:1200], test_count=200)
    load = inksight.load
    monkeypatch.setattr(inksight, "load", lambda source: small if source == "mnist" else load(source), raising=False)
    for digit in range(10):
        for name in ("digits", "my-digits"):
            (tmp_path / name / str(digit)).mkdir(parents=True)
            for number, image in enumerate(small.of_digit(digit).images[:3]):
                Image.fromarray(255 - image).save(tmp_path / name / str(digit) / f"{number}.png")
    write_csv(small[:300], tmp_path / "train.csv")
    write_csv(inksight.Dataset(small.images[300:320]), tmp_path / "test.csv")
    line = np.hstack(255 - small.images[:4]).repeat(3, axis=0).repeat(3, axis=1)
    Image.fromarray(line).save(tmp_path / "photo.jpg", quality=95)
    shutil.copy(DOCS.parent / "tests" / "export" / "keras" / "sequential.keras", tmp_path / "model.keras")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tutorial_runs_and_draws_every_picture_it_shows(folder):
    before = {path.name for path in folder.iterdir()}
    make_tutorial.run_page(DOCS / "tutorial.md")
    drawn = {path.name for path in folder.iterdir()} - before - {"model.safetensors"}
    shown = {Path(image).name for image in make_tutorial.images(DOCS / "tutorial.md")}
    assert drawn == shown == {path.name for path in (DOCS / "images").iterdir()}


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.stem)
def test_the_code_of_a_guide_runs(page, folder, capsys):
    make_tutorial.run_page(page, QUICKER.get(page.name, {}), small=inksight.load("mnist"))


def on_the_photo():
    """Return the digits of the folder's photo."""
    return "".join(str(label) for label in inksight.load("mnist").require_labels("the photo")[:4])


def test_the_guide_to_products_answers_for_pictures_and_for_other_bytes(folder, capsys):
    make_tutorial.run_page(DOCS / "how-to" / "deploy.md")
    answers = [ast.literal_eval(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[0]["text"] == on_the_photo()
    assert answers[0]["model"] == inksight.load_model("best").digest
    assert list(answers[1]) == ["error"]


def test_the_guide_to_the_service_gets_its_answers(folder, capsys):
    pytest.importorskip("tritonclient.http", reason="a client that the guide uses is not installed")
    with serving(Service(Models({"reader": "reader"}))) as address:
        here = address.removeprefix("http://").rstrip("/")
        make_tutorial.run_page(DOCS / "how-to" / "call-the-service.md", {"127.0.0.1:8000": here})
    assert capsys.readouterr().out.splitlines() == [on_the_photo(), "(64, 10)"]


def test_the_guide_to_known_forms_reads_the_date(folder, capsys):
    make_tutorial.run_page(DOCS / "how-to" / "read-known-forms.md")
    plain, signs, fit, sign = capsys.readouterr().out.splitlines()
    assert (plain, signs, fit.split()[0]) == ("1203", "12/03", "12/03")
    assert re.fullmatch(r"/ \(\d+, \d+, \d+, \d+\) after 2 digits", sign)


def test_the_guide_to_ensembles_averages_probabilities(folder, capsys):
    trained = 'inksight.train(splits, "post", "seconds", seed=seed)'
    replacements = {trained: 'inksight.load_model(("post", "small")[seed])', "range(5)": "range(2)"}
    make_tutorial.run_page(DOCS / "how-to" / "ensemble.md", replacements)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["alone", "alone", "together"]
    assert "".join(lines[3:-1]) == "".join(on_the_photo())
