"""Files are written completely or not at all, and nothing else is changed or left behind."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from inksight._shared.files import check_writable, growing, make_folder, part_of, replacing, write_bytes, write_text
from inksight._shared.temporary import sweep, temporary_folder
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
    with pytest.raises(InputError, match="null"):
        write_text("a\0b", "")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"cannot write .*symbolic links"):
        write_text(tmp_path / "loop", "")
    (tmp_path / "loop").unlink()

    with pytest.raises(InputError, match="No space left"), replacing(tmp_path / "a.csv"):
        raise OSError(28, "No space left on device")
    with pytest.raises(InputError, match="cannot write '/dev/full': No space left"):
        write_text("/dev/full", "text")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to protected files")
def test_a_protected_file_is_not_replaced(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    path.chmod(0o400)
    with pytest.raises(InputError, match="write-protected"):
        check_writable(path)
    assert path.read_text() == "old"


@pytest.mark.parametrize("write", [write_text, "growing"])
def test_modes_and_links_are_kept(write, tmp_path):
    if write == "growing":

        def write(path, text):
            with growing(path) as file:
                file.write(text)

    target, link = tmp_path / "inner" / "a.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    link.symlink_to("inner/a.txt")
    write(link, "created")
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~current_umask()
    for mode in (0o600, 0o755):
        target.chmod(mode)
        write(link, "new")
        assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", mode)
    assert link.is_symlink()
    assert list(target.parent.iterdir()) == [target]
    link.unlink()
    link.symlink_to("nowhere/a.txt")
    with pytest.raises(InputError, match=r"nowhere' does not exist; create it first"):
        write(link, "new")


def current_umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_a_temporary_file_is_as_private_as_the_file_that_it_replaces(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("secret")
    path.chmod(0o600)
    with replacing(path) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
    with growing(path) as file:
        file.write("secret")
        assert stat.S_IMODE(part_of(path).stat().st_mode) == 0o600


def test_a_socket_is_refused(tmp_path, monkeypatch):
    import socket

    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(InputError, match="cannot write 'socket': it is a socket"):
            write_text("socket", "")


def fill(path, text, error):
    with growing(path) as file:
        file.write(text)
        raise error


def test_lines_written_before_an_error_are_kept(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        fill(path, "", KeyboardInterrupt)
    assert list(tmp_path.iterdir()) == [path]
    for error in (KeyboardInterrupt, KeyError):
        with pytest.raises(error):
            fill(path, "a line\n", error)
        assert (path.read_text(), part_of(path).read_text()) == ("old", "a line\n")
    with growing(path) as file:
        file.write("new\n")
    assert path.read_text() == "new\n"
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys, time
from inksight._shared.files import replacing
from inksight._shared.temporary import temporary_folder
with replacing(sys.argv[1]) as temporary, temporary_folder() as folder:
    temporary.write_text("half")
    (folder / "a.npy").write_text("")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "a.csv"
    process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    folder = process.stdout.readline().strip()
    left = {item.name for item in tmp_path.iterdir()}
    assert len(left) == 2
    check_writable(path)
    make_folder(tmp_path)
    with temporary_folder():
        pass
    assert {item.name for item in tmp_path.iterdir()} == left  # the process still runs
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    process.stdout.close()
    others = [".inksight-notes", "inksight-1.csv", f".inksight-00000000-{process.pid}-00000000.csv"]
    for name in others:  # the last is from another machine
        (tmp_path / name).write_text("")
    with temporary_folder() as own:
        assert not Path(folder).exists()
        check_writable(path)
        assert sorted(item.name for item in tmp_path.iterdir()) == sorted([*others, own.name])
    sweep(tmp_path / "none")
