"""A FIFO, socket, device, dangling link or folder is named in one line, for every reader, and never waited for."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sources import csv_bytes, picture_bytes, refused, some_digits, write

from inksight.data.dataset import Dataset
from inksight.data.kaggle import write_submission
from inksight.errors import InputError
from inksight.imaging.arrays import as_images
from inksight.imaging.preprocessing import prepare
from inksight.nn.model_file import load_model
from inksight.reading.reader import read

X, Y = some_digits()
KINDS = {"FIFO": "a FIFO", "socket": "a socket", "device": "a device", "link": "a link to a file that does not exist"}


def make(kind, path):
    """Make a file of a special kind, and return what must stay open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("nowhere")
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        listener, before = socket.socket(socket.AF_UNIX), Path.cwd()
        os.chdir(path.parent)  # the name of a socket must be short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(before)
        return listener
    return None


@pytest.fixture(params=KINDS)
def special(request, tmp_path):
    """A special file and what it is called."""
    path = tmp_path / "special"
    listener = make(request.param, path)
    yield path, KINDS[request.param]
    if listener is not None:
        listener.close()


def test_no_reader_opens_a_special_file(special):
    path, words = special
    refused(path, f"special' is {words}")
    for reader in (read, prepare):
        with pytest.raises(InputError, match=f"special' is {words}.*give a picture file"):
            reader(path)
    with pytest.raises(InputError, match=f"special' is {words}.*give a model file"):
        load_model(path)


def test_a_special_file_in_a_folder_of_classes_is_named(special, tmp_path):
    path, words = special
    write(tmp_path, "classes/1/a.png", picture_bytes(X[0]))
    path.rename(tmp_path / "classes" / "1" / "special")
    refused(tmp_path / "classes", f"special' is {words}")


def test_a_special_file_beside_a_dataset_is_ignored(special):
    path, _ = special
    write(path.parent, "train.csv", csv_bytes(X, Y))
    from inksight.data.loading import load

    assert len(load(path.parent)) == len(X)


COMMANDS = [
    "read all/1", "data all", "teach all", "labels all", "data all/1/fifo", "read all/1/fifo", "card all/1/fifo",
    "read x --model all/1/fifo", "summary all/1/fifo",
]  # fmt: skip


@pytest.mark.parametrize("line", COMMANDS)
def test_no_command_hangs(line, tmp_path):
    write(tmp_path, "all/1/a.png", picture_bytes(X[0]))
    make("FIFO", tmp_path / "all" / "1" / "fifo")
    done = subprocess.run(
        [sys.executable, "-c", "from inksight.cli import main; main()", *line.split()],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    others_are_read = line == "read all/1"
    assert done.returncode == (1 if others_are_read else 2)
    assert done.stderr.count("\n") == (2 if others_are_read else 1)
    assert done.stderr.startswith("inksight: ")


def test_file_objects_that_cannot_be_read(tmp_path):
    path = write(tmp_path, "a.png", picture_bytes(X[0]))
    closed = path.open("rb")
    closed.close()
    with (tmp_path / "b.png").open("wb") as writing, path.open(encoding="latin-1") as text:
        for file, words in ((closed, "closed file"), (writing, "open it for reading bytes"), (text, "TextIOWrapper")):
            with pytest.raises(InputError, match=words):
                prepare(file)


def test_ragged_lists_are_named():
    ragged = [np.zeros((28, 28)), np.zeros((28, 27))]
    with pytest.raises(InputError, match="images must all have the same shape, got list of different ones: prepare"):
        as_images(ragged)
    with pytest.raises(InputError, match="predictions must be one whole number per row"):
        write_submission([[1], [1, 2]], "unused.csv")
    with pytest.raises(InputError, match="images must be uint8"):
        Dataset(ragged)  # type: ignore[arg-type]
