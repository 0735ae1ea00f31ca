"""The packaged MNIST: unpacked when it is asked for, or ahead of that in a thread."""

import threading
import zipfile

import numpy as np
import pytest

from inksight import InputError
from inksight.data import packaged
from inksight.data.loading import load
from inksight.data.readers import npz
from inksight.errors import DamagedFileError, TooLargeError


@pytest.fixture(autouse=True)
def nothing_ahead(monkeypatch):
    monkeypatch.setattr(packaged, "_ahead", [])


def test_the_members_are_those_of_the_archive_with_its_digits(mnist, tmp_path):
    members = packaged.members()
    assert sorted(members) == ["x_test.npy", "x_train.npy", "y_test.npy", "y_train.npy"]
    path = tmp_path / "again.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    raw = npz.read(path, 1 << 30)  # the reader of everybody's files
    assert raw.test_count == mnist.test_count == 10_000
    np.testing.assert_array_equal(raw.images, mnist.images)
    np.testing.assert_array_equal(raw.labels, mnist.labels)


def test_what_is_unpacked_ahead_is_taken_once(monkeypatch):
    started = []
    monkeypatch.setattr(packaged._Unpacking, "start", lambda self: started.append(self))
    monkeypatch.setattr(packaged._Unpacking, "join", threading.Thread.run)
    packaged.unpack_ahead()
    packaged.unpack_ahead()
    assert len(started) == 1
    packaged.members()
    assert len(started) == 1
    packaged.members()
    assert len(started) == 2


@pytest.mark.parametrize("ahead", [False, True])
def test_damage_is_an_input_error_where_the_digits_are_needed(ahead, monkeypatch, tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / packaged.NAME).write_bytes(b"PK damaged")
    monkeypatch.setattr("importlib.resources.files", lambda _package: tmp_path)
    if ahead:
        packaged.unpack_ahead()
    with pytest.raises(DamagedFileError, match=r"'mnist\.npz' is damaged or is not an npz file \(BadZipFile"):
        load("mnist")


def test_memory_is_limited():
    with pytest.raises(TooLargeError, match=r"'mnist\.npz' needs 109,\d{3},\d{3} bytes of memory, 1,000 are allowed"):
        load("mnist", memory_limit=1000)


def test_mnist_has_no_columns_to_choose():
    with pytest.raises(InputError, match="label must be left out"):
        load("mnist", label="digit")
