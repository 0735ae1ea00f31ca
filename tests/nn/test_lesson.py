"""`Lesson`: it survives the model's file, and nothing else passes for one."""

import pytest

from inksight import InputError, Model
from inksight.config import get_network
from inksight.nn.lesson import Lesson

LESSON = Lesson("my hand", {"1": 5, "7": 6}, "ab" * 32)


def test_a_model_keeps_its_lessons_in_its_file(tmp_path):
    model = Model.untrained(get_network("4x5p,8x3"))
    taught = Model(model.network, model.params, lessons=(LESSON, Lesson("another", {}, "")))
    taught.save(tmp_path / "m.safetensors")
    assert Model.load(tmp_path / "m.safetensors").lessons == taught.lessons
    content = (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "m.safetensors").write_bytes(content.replace(b"my hand", b"my feet"))
    with pytest.raises(InputError, match="checksum"):
        Model.load(tmp_path / "m.safetensors")


def test_a_file_of_a_model_that_was_taught_nothing_has_no_word_of_it(tmp_path):
    Model.untrained(get_network("4x5p,8x3")).save(tmp_path / "m.safetensors")
    assert b"lessons" not in (tmp_path / "m.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "lesson must be an object"),
        ({"name": "a", "pictures": {}}, "digest of a lesson must be given"),
        ({"name": 7, "pictures": {}, "digest": ""}, "name of a lesson must be a text, got 7"),
        ({"name": "a", "pictures": {"1": -1}, "digest": ""}, "pictures of a lesson must be a number of each class"),
        ({"name": "a", "pictures": [1], "digest": ""}, "pictures of a lesson must be a number of each class"),
        ({"name": "a", "pictures": {}, "digest": None}, "digest of a lesson must be a text"),
        ({"name": "a", "pictures": {}, "digest": "", "grade": 1}, "lesson field must be one of name, pictures, digest"),
    ],
)
def test_what_is_no_lesson_is_refused(values, words):
    assert Lesson.from_dict(LESSON.to_dict()) == LESSON
    with pytest.raises(InputError, match=words):
        Lesson.from_dict(values)
