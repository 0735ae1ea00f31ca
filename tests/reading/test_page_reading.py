"""Many pages are read in order, whatever the number of processes, and no process outlives its task."""

import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loky.backend import popen_loky_posix
from PIL import Image
from processes import runs, workers_of
from sources import write

from inksight import InksightError
from inksight.imaging.file_pages import FilePage, pages_of
from inksight.nn.model_file import load_model
from inksight.reading.page import Page
from inksight.reading.page_reading import AHEAD, read_pages

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
OPTIONS: dict[str, Any] = {"invert": None, "accept_all": False, "single": False, "grid": None}


@pytest.fixture(scope="module")
def files(mnist, tmp_path_factory):
    """Twenty-one files, two of which cannot be read, and one with two lines of digits."""
    folder = tmp_path_factory.mktemp("files")
    for number in range(19):
        Image.fromarray(255 - mnist.images[number]).save(folder / f"{number:02}.png")
    two_lines = np.vstack([np.hstack(255 - mnist.images[:3]), np.hstack(255 - mnist.images[3:6])])
    Image.fromarray(two_lines.repeat(4, axis=0).repeat(4, axis=1)).save(folder / "05.png")
    write(folder, "07.png", b"no picture")
    return [*map(FilePage, [*sorted(folder.iterdir()), folder / "none.png", folder / "00.png"])]


def test_the_number_of_workers_changes_nothing(files):
    model, found = load_model("tiny"), {}
    for workers in (1, 2, 3):
        with closing(read_pages(files, model, **OPTIONS, workers=workers)) as readings:
            found[workers] = [
                (reading.source, reading.page and reading.page.to_dict(), repr(reading.error)) for reading in readings
            ]
    assert [source for source, _, _ in found[1]] == files
    assert [bool(page) for _, page, _ in found[1]] == [number not in (7, 19) for number in range(21)]
    assert [error.split("(")[0] for _, page, error in found[1] if not page] == [
        "UnsupportedFileError", "MissingFileError",
    ]  # fmt: skip
    assert found[1] == found[2] == found[3]
    assert not workers_of(os.getpid())


def test_pages_from_workers_are_those_of_the_model_given(files):
    model = load_model("tiny")
    for reading in read_pages(files[:3], model, **OPTIONS, workers=2):
        page = reading.page
        assert isinstance(page, Page)
        assert page[0].model is model
        assert page.picture.shape == page[0].prepared.grayscale.shape == (28, 28)


def test_processes_end_with_the_generator(files):
    readings = read_pages(files, load_model("tiny"), **OPTIONS, workers=2)
    next(readings)
    processes = workers_of(os.getpid())
    assert len(processes) == 2
    readings.close()
    assert not any(runs(process) for process in processes)


def test_a_killed_process_is_named_with_its_file(files):
    readings = read_pages(files[:2] * 2 * AHEAD, load_model("tiny"), **OPTIONS, workers=2)
    first = [next(readings), next(readings)]
    os.kill(max(workers_of(os.getpid())), signal.SIGKILL)
    message = r"^the process that read '.*0[01].png' was ended by SIGKILL: use fewer --workers, or leave the file out$"
    with pytest.raises(InksightError, match=message):
        first.extend(readings)
    assert [reading.source for reading in first] == (files[:2] * 2 * AHEAD)[: len(first)]
    assert len(first) < 4 * AHEAD
    assert not workers_of(os.getpid())


def test_large_input_and_output_do_not_block_each_other(mnist, tmp_path):
    pages = [Image.fromarray(255 - image.repeat(30, axis=0).repeat(30, axis=1)) for image in mnist.images[:4]]
    file = tmp_path / "scan.tif"
    pages[0].save(file, save_all=True, append_images=pages[1:])
    sources = pages_of(FilePage(file, content=file.read_bytes()))
    options = OPTIONS | {"single": True}
    assert sources[0].content is not None
    assert len(sources[0].content) > 1 << 20  # pipes hold less
    command = (
        "import sys, pickle\n"
        "from inksight.nn.model_file import load_model\n"
        "from inksight.reading.page_reading import read_pages\n"
        "sources, options = pickle.load(sys.stdin.buffer)\n"
        "print([reading.page.text for reading in read_pages(sources, load_model('tiny'), **options, workers=2)])"
    )
    found = subprocess.run(
        [sys.executable, "-c", command], input=pickle.dumps((sources * 3, options)), capture_output=True, timeout=120
    )
    assert found.stdout.decode().strip() == str([*map(str, mnist.labels[:4])] * 3)


def test_too_many_processes_for_the_system_are_one_error(files, monkeypatch):
    started: list[object] = []

    def start(self, *arguments):
        if len(started) == 2:
            raise OSError(errno.EMFILE, "Too many open files")
        started.append(self)
        return launch(self, *arguments)

    launch = popen_loky_posix.Popen._launch
    monkeypatch.setattr(popen_loky_posix.Popen, "_launch", start)
    message = "^cannot start a process: Too many open files; use fewer workers$"
    with pytest.raises(InksightError, match=message):
        list(read_pages(files, load_model("tiny"), **OPTIONS, workers=3))
    assert len(started) == 2
    assert not workers_of(os.getpid())


def test_an_unexpected_error_in_a_process_is_raised_here(files):
    model = load_model("tiny")
    object.__setattr__(model, "params", {})  # the model can still be sent, but not used
    with pytest.raises(Exception) as alone:  # noqa: PT011 - of whatever type
        list(read_pages(files[:1], model, **OPTIONS, workers=1))
    with pytest.raises(type(alone.value)):
        list(read_pages(files, model, **OPTIONS, workers=2))


def test_workers_end_when_the_command_is_killed(files, tmp_path):
    command = [sys.executable, "-c", "from inksight.cli import main; main()", "read", "--workers", "2"]
    process = subprocess.Popen(
        [*command, *(file.path for file in files * 200)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    process.stdout.readline()
    children = workers_of(process.pid)
    assert len(children) == 2
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while any(map(runs, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(runs, children))
