"""A claim on a file: a second process warns, until the first one ends."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from inksight import cli
from inksight._shared import claim
from inksight._shared.claim import claimed
from inksight.data.loading import write_csv
from inksight.errors import InputError
from inksight.report import report
from inksight.report.pictures import gallery

HOLD = """
import sys
from inksight._shared.claim import claimed
with claimed(sys.argv[1]):
    print("claimed", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(path):
    """A process that holds a claim."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        yield process
        process.kill()


@pytest.fixture
def table(mnist, tmp_path):
    write_csv(mnist[:200], tmp_path / "data.csv")
    return str(tmp_path / "data.csv")


QUICK = ["--network", "4x5p,8x3", "--epochs", "1"]
WARNING = "inksight: warning: another process is writing '{}', and each replaces what the other writes: stop one of"


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--data", "{table}", *QUICK, "--out", "{out}"],
        ["kaggle", "{table}", "{table}", *QUICK, "--out", "{folder}/rows.csv", "--model", "{out}"],
        ["explore", "--data", "{table}", *QUICK, "--out", "{folder}"],
        ["sweep", "--data", "{table}", *QUICK, "--workers", "1", "--out", "{folder}"],
    ],
)
def test_commands_warn_if_another_process_writes_the_same(words, table, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(report, "gallery", lambda *arguments: gallery(*arguments)[:1])  # `tests/report` draws all
    folder = tmp_path / "folder"
    folder.mkdir()
    target = folder if words[0] in ("explore", "sweep") else folder / "m.safetensors"
    words = [word.format(table=table, out=target, folder=folder) for word in words]
    with another_process(target):
        assert cli.run(words) == 0
        assert WARNING.format(target) in capsys.readouterr().err
    assert cli.run(words) == 0  # the process was killed
    assert "warning" not in capsys.readouterr().err
    assert not list(folder.glob(".*"))


def test_a_folder_that_must_not_be_shared_is_refused(tmp_path, capsys):
    refused = pytest.raises(InputError, match="another process is using")
    with another_process(tmp_path), refused, claimed(tmp_path, alone=True):
        pass
    with claimed(tmp_path, alone=True):  # the process was killed
        pass
    assert capsys.readouterr().err == ""


def test_claims_on_other_files_are_apart(tmp_path, capsys):
    with another_process(tmp_path / "a"), claimed(tmp_path / "b"), claimed(tmp_path):
        pass
    assert capsys.readouterr().err == ""


def test_file_that_its_owner_removes_meanwhile_is_locked_again(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    flock, calls = fcntl.flock, []

    def remove_before_the_first_lock(descriptor, operation):
        calls.append(descriptor)
        if len(calls) == 1:
            (tmp_path / "a").unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_before_the_first_lock)
    descriptor = claim.lock(tmp_path / "a")
    assert descriptor is not None
    assert len(calls) == 2
    with pytest.raises(BlockingIOError):
        claim.lock(tmp_path / "a")
    os.close(descriptor)


def test_folder_without_locks_changes_nothing(tmp_path, capsys):
    with claimed(tmp_path / "none" / "a"):
        pass
    assert capsys.readouterr().err == ""


def test_a_claim_leaves_the_files_of_other_programs(tmp_path, capsys):
    kept = [tmp_path / ".lock", tmp_path / ".a.lock"]
    for path in kept:
        path.write_text("")
    os.mkfifo(tmp_path / ".b.inksight.lock")
    (tmp_path / ".c.inksight.lock").symlink_to("made")
    for target in (tmp_path, tmp_path / "a", tmp_path / "c"):
        with claimed(target):
            pass
    with claimed(tmp_path / "b"):  # does not wait for the FIFO
        pass
    assert all(path.exists() for path in kept)
    assert not (tmp_path / "made").exists()
    assert capsys.readouterr().err == ""
