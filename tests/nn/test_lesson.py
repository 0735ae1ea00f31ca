"""`Lesson`: stored in model files, and validated."""

from dataclasses import replace

import pytest

from inksight import InputError, Model
from inksight.config import get_network
from inksight.nn.lesson import Lesson

LESSON = Lesson("my hand", {"1": 5, "7": 6}, "ab" * 32)


def test_model_file_stores_lessons(tmp_path):
    model = Model.untrained(get_network("4x5p,8x3"))
    taught = replace(model, lessons=(LESSON, Lesson("another", {}, "")))
    taught.save(tmp_path / "m.safetensors")
    assert Model.load(tmp_path / "m.safetensors").lessons == taught.lessons
    content = (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "m.safetensors").write_bytes(content.replace(b"my hand", b"my feet"))
    with pytest.raises(InputError, match="checksum"):
        Model.load(tmp_path / "m.safetensors")


def test_model_file_without_lessons_has_no_lessons_field(tmp_path):
    Model.untrained(get_network("4x5p,8x3")).save(tmp_path / "m.safetensors")
    assert b"lessons" not in (tmp_path / "m.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "lesson must be an object"),
        ({"name": "a", "pictures": {}}, "digest of the lesson must be given"),
        ({"name": 7, "pictures": {}, "digest": ""}, "name of a lesson must be a string, got 7"),
        ({"name": "a", "pictures": {"1": -1}, "digest": ""}, "pictures of a lesson must be a dict of class names to"),
        ({"name": "a", "pictures": [1], "digest": ""}, "pictures of a lesson must be a dict of class names to counts"),
        ({"name": "a", "pictures": {}, "digest": None}, "digest of a lesson must be a string"),
        ({"name": "a", "pictures": {}, "digest": "", "grade": 1}, "lesson field must be one of name, pictures, digest"),
    ],
)
def test_invalid_lessons_raise_errors(values, words):
    assert Lesson.from_dict(LESSON.to_dict()) == LESSON
    with pytest.raises(InputError, match=words):
        Lesson.from_dict(values)
