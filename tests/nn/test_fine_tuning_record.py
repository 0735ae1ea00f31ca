"""`FineTuningRecord`: stored in model files, and validated."""

from dataclasses import replace

import pytest

from inksight import InputError, Model
from inksight.config import get_network
from inksight.nn.fine_tuning_record import FineTuningRecord

RECORD = FineTuningRecord("my hand", {"1": 5, "7": 6}, "ab" * 32)


def test_model_file_stores_its_fine_tunings(tmp_path):
    model = Model.untrained(get_network("4x5p,8x3"))
    taught = replace(model, fine_tunings=(RECORD, FineTuningRecord("another", {}, "")))
    taught.save(tmp_path / "m.safetensors")
    assert Model.load(tmp_path / "m.safetensors").fine_tunings == taught.fine_tunings
    content = (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "m.safetensors").write_bytes(content.replace(b"my hand", b"my feet"))
    with pytest.raises(InputError, match="checksum"):
        Model.load(tmp_path / "m.safetensors")


def test_model_file_without_fine_tunings_has_no_field_for_them(tmp_path):
    Model.untrained(get_network("4x5p,8x3")).save(tmp_path / "m.safetensors")
    assert b"lessons" not in (tmp_path / "m.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "fine tuning record must be an object"),
        ({"name": "a", "pictures": {}}, "digest of the fine tuning record must be given"),
        ({"name": 7, "pictures": {}, "digest": ""}, "name of a fine-tuning must be a string, got 7"),
        (
            {"name": "a", "pictures": {"1": -1}, "digest": ""},
            "pictures of a fine-tuning must be a dict of class names to",
        ),
        (
            {"name": "a", "pictures": [1], "digest": ""},
            "pictures of a fine-tuning must be a dict of class names to counts",
        ),
        ({"name": "a", "pictures": {}, "digest": None}, "digest of a fine-tuning must be a string"),
        (
            {"name": "a", "pictures": {}, "digest": "", "grade": 1},
            "fine tuning record field must be one of name",
        ),
    ],
)
def test_invalid_records_raise_errors(values, words):
    assert FineTuningRecord.from_dict(RECORD.to_dict()) == RECORD
    with pytest.raises(InputError, match=words):
        FineTuningRecord.from_dict(values)
