"""A file is whole whatever fails while it is written, and whatever a crash leaves on the disk."""

import errno
import math
import os
from contextlib import suppress

import pytest
from disk import Disk, failing

from inksight._shared import files
from inksight._shared.files import growing, write_bytes, write_text
from inksight._shared.temporary import sweep
from inksight.errors import InputError

OLD, NEW = b"old\n" * 100, b"new\n" * 100


def grow(path, content):
    with growing(path) as file:
        file.write(content.decode())


def write_as_text(path, content):
    write_text(path, content.decode())


@pytest.mark.parametrize("count", [1, math.inf], ids=["once", "for good"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("before", [None, OLD], ids=["new file", "replaced"])
@pytest.mark.parametrize("write", [write_bytes, write_as_text, grow])
def test_every_failing_call_leaves_the_old_file_or_the_new_one(write, before, error, count, tmp_path, monkeypatch):
    path, failures = tmp_path / "a.txt", 0
    for first in range(1, 100):
        if before is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(before)
        written, message = False, ""
        with failing(first, count, error) as calls:
            try:
                write(path, NEW)
                written = True
            except InputError as failure:
                message = str(failure)
        failures += not written
        assert written or os.strerror(error) in message, calls
        content = path.read_bytes() if path.exists() else None
        assert content == NEW if written else content in (before, NEW), calls
        with monkeypatch.context() as patch:  # as if the process had ended
            patch.setattr("inksight._shared.temporary._is_running", lambda process: False)
            sweep(tmp_path)
        # A table keeps its lines in a part of its own.
        assert {item.name for item in tmp_path.iterdir()} <= {"a.txt", "a.txt.part"}
        if len(calls) < first:
            assert written
            break
    assert failures >= 8


@pytest.mark.parametrize("count", [1, math.inf], ids=["once", "for good"])
def test_a_call_that_fails_leaves_no_temporary_file_unless_removing_it_fails(count, tmp_path):
    for first in range(1, 100):
        with failing(first, count, errno.ENOSPC) as calls, suppress(InputError):
            write_bytes(tmp_path / "a.txt", NEW)
        if not (count > 1 or calls[first - 1 : first] == ["unlink"]):
            assert {item.name for item in tmp_path.iterdir()} <= {"a.txt"}, calls
        if len(calls) < first:
            break


def test_a_crash_leaves_the_old_file_or_the_new_one(tmp_path):
    disk = Disk(tmp_path)
    with disk.recorded():
        for content in (OLD, NEW):
            write_bytes(tmp_path / "a.txt", content)
    assert disk.states == {frozenset(), frozenset({("a.txt", OLD)}), frozenset({("a.txt", NEW)})}


def test_what_has_been_written_is_not_lost(tmp_path):
    disk = Disk(tmp_path)
    with disk.recorded():
        write_bytes(tmp_path / "a.txt", OLD)
        disk.states.clear()
        disk.crash()
    assert disk.states == {frozenset({("a.txt", OLD)})}


@pytest.mark.parametrize("kept", [os.O_RDWR, os.O_RDONLY], ids=["the file", "the folder"])
def test_both_the_file_and_the_folder_must_be_flushed(kept, tmp_path, monkeypatch):
    disk, sync = Disk(tmp_path), files._sync
    monkeypatch.setattr(files, "_sync", lambda path, flags: sync(path, flags) if flags == kept else None)
    with disk.recorded():
        write_bytes(tmp_path / "a.txt", NEW)
    damaged = frozenset({("a.txt", b"")})
    assert (damaged in disk.states) is (kept == os.O_RDONLY)
    disk.states.clear()
    disk.crash()
    assert len(disk.states) > 1  # not certain to be there
