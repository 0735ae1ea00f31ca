"""The post, as a user's script: it runs on files like Kaggle's and draws every figure."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inksight import Dataset, load_model
from inksight.data import write_csv

SCRIPT = Path(__file__).parent / "typing" / "the_post.py"
# The figures of the post; those after the barcodes are of the package alone.
FIGURES = {
    "counts", "one-of-each", "examples", "splits", "curves", "accuracy", "confusion", "hardest", "filters-1",
    "filters-2", "maps-1", "maps-2", "maps-3", "barcode", "average-barcode", "average-barcodes", "detrended", "page",
    "reading",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, mnist, monkeypatch):
    """A folder with 1,500 training images and 60 test images in Kaggle's layout, and a photo."""
    write_csv(mnist[:1500], tmp_path / "train.csv")
    write_csv(Dataset(mnist.images[1500:1560]), tmp_path / "test.csv")
    digits = np.hstack(255 - mnist.split().test.images[:4]).repeat(3, axis=0).repeat(3, axis=1)
    Image.fromarray(digits).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_files_are_like_those_of_kaggle(folder):
    pixels = ",".join(f"pixel{i}" for i in range(784))
    assert (folder / "train.csv").read_text().splitlines()[0] == f"label,{pixels}"
    assert (folder / "test.csv").read_text().splitlines()[0] == pixels


def test_the_script_of_the_post_runs_and_draws_every_figure(folder, capsys):
    text = SCRIPT.read_text()
    assert text.count("epochs=20") == 1
    quick = folder / "the_post.py"
    quick.write_text(text.replace("epochs=20", "epochs=1"))
    names = runpy.run_path(str(quick))
    printed = capsys.readouterr().out
    assert "Total params: 18,813" in printed
    assert "Model(20-20-40 filters, 10 classes, 1 epochs)" in printed
    averaged = names["validation"].counts.clip(max=50).sum()
    assert f"(10, 40) {averaged}\n" in printed
    assert {path.stem for path in folder.glob("*.png")} == FIGURES | {"photo"}
    for figure in FIGURES:
        with Image.open(folder / f"{figure}.png") as image:
            assert np.asarray(image.convert("L")).std() > 1, figure  # not empty
    assert load_model(folder / "post.safetensors").digest == names["model"].digest
    header, *rows = (folder / "submission.csv").read_text().splitlines()
    assert header == "ImageId,Label"
    assert [row.split(",")[0] for row in rows] == [str(number) for number in range(1, 61)]
