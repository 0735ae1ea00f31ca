"""Files are written completely or not at all."""

import pytest

from inksight._shared.files import replacing, write_bytes, write_text
from inksight.errors import InputError


def write_half(path):
    with replacing(path) as temporary:
        assert (temporary.suffix, temporary.parent) == (path.suffix, path.parent)
        temporary.write_text("half")
        raise KeyError


def test_a_file_is_replaced_completely_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "one\n")
    with pytest.raises(KeyError):
        write_half(path)
    assert path.read_bytes() == b"one\n"
    write_bytes(path, b"two")
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_paths_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="does not exist; create it first"):
        write_text(tmp_path / "none" / "a.txt", "")
    with pytest.raises(InputError, match="it is a folder"):
        write_text(tmp_path, "")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="does not exist"):  # the parent is a file
        write_text(tmp_path / "file" / "a.txt", "")
    (tmp_path / "file").unlink()
    for folder in ("", "/", ".."):
        with pytest.raises(InputError, match="it is a folder"):
            write_text(folder, "")
    with pytest.raises(InputError, match="cannot write"):
        write_text(tmp_path / ("x" * 300), "")

    with pytest.raises(InputError, match="No space left"), replacing(tmp_path / "a.csv"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []
