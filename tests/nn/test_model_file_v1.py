"""Model files of format 1, which has other field names, can still be read."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from inksight import InputError, Model, load_model
from inksight.nn.model import digest

FILE = Path(__file__).with_name("format-1.safetensors")  # the shipped model `tiny`, as format 1 wrote it


def test_format_1_file_holds_the_same_model_as_format_2():
    old, new = Model.load(FILE), load_model("tiny")
    assert old.digest == new.digest
    assert old.ood_detector is not None
    assert new.ood_detector is not None
    assert digest(old.ood_detector.arrays) == digest(new.ood_detector.arrays)
    assert old.ood_detector.threshold == new.ood_detector.threshold
    assert (old.recipe, old.history, old.temperature) == (new.recipe, new.history, new.temperature)
    assert old.recipe is not None
    assert old.recipe.learning_rate == 0.01
    assert old.recipe.batch_size == 256


def test_format_1_file_is_saved_in_format_2(tmp_path):
    Model.load(FILE).save(tmp_path / "again.safetensors")
    with safe_open(tmp_path / "again.safetensors", framework="numpy") as file:
        assert '"format": "inksight model 2"' in file.metadata()["inksight"]
    assert Model.load(tmp_path / "again.safetensors").digest == Model.load(FILE).digest


@pytest.mark.parametrize("name", ["output.bias", "clouds.centres"])
def test_damaged_format_1_file_raises_an_error(name, tmp_path):
    with safe_open(FILE, framework="numpy") as file:
        arrays, metadata = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118
    arrays[name] = arrays[name] + np.float32(1)
    save_file(arrays, tmp_path / "damaged.safetensors", metadata)
    with pytest.raises(InputError, match=r"not an inksight model, or damaged|must be that of the content"):
        Model.load(tmp_path / "damaged.safetensors")
