"""Every output option respects what is already there, and interrupted commands keep what they have."""

import csv
import errno
import json
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import command, outputs
from PIL import Image
from sources import picture_bytes, write
from trials import TINY

from inksight import Dataset
from inksight.cli.options import check_outputs
from inksight.data.loading import write_csv
from inksight.errors import InputError
from inksight.training import fine_tuning

pytestmark = pytest.mark.usefixtures("few_training_digits")

MAIN = [sys.executable, "-c", "from inksight.cli import main; main()"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, mnist, model):
    """A folder with a model, 100 labeled and 5 unlabeled images as CSV, and a folder of pictures."""
    folder = tmp_path_factory.mktemp("inputs")
    model.save(folder / "model.safetensors")
    write_csv(mnist[:100], folder / "train.csv")
    write_csv(Dataset(mnist.images[:5], None, "test"), folder / "test.csv")
    for number in range(3):
        write(folder, f"scans/{number}.png", picture_bytes(255 - mnist.images[number]))
    return folder


HTML, PNG, MODEL = b"<!doctype html>", b"\x89PNG", b'{"__metadata__":'
TRAINING = ("--network", TINY, "--epochs", "1")
PRUNING = (
    "prune", "model.safetensors", "--data", "train.csv", "--keep-accuracy", "0.5", "--epochs", "1", "--steps", "1",
)  # fmt: skip
# The command up to the option, the suffix of the file, and what the file contains near its beginning.
OPTIONS = {
    "read --csv": (["read", "scans", "--csv"], ".csv", b"path,page,text,confidence"),
    "read --show": (["read", "scans/0.png", "--show"], ".html", HTML),
    "data --csv": (["data", "test.csv", "--csv"], ".csv", b"pixel0,pixel1"),
    "data --picture": (["data", "train.csv", "--picture"], ".png", PNG),
    "card --out": (["card", "tiny", "--out"], ".md", b"#"),
    "evaluate --picture": (["evaluate", "model.safetensors", "--data", "train.csv", "--picture"], ".png", PNG),
    "train --out": (["train", "--data", "train.csv", *TRAINING, "--out"], ".safetensors", MODEL),
    "kaggle --out": (["kaggle", "train.csv", "test.csv", *TRAINING, "--out"], ".csv", b"ImageId,Label"),
    "kaggle --model": (
        ["kaggle", "train.csv", "test.csv", *TRAINING, "--out", os.devnull, "--model"], ".safetensors", MODEL
    ),
    "teach --out": (["teach", "train.csv", "--out"], ".safetensors", MODEL),
    "labels --out": (["labels", "train.csv", *TRAINING, "--folds", "2", "--repeats", "1", "--out"], ".html", HTML),
    "labels --csv": (
        ["labels", "train.csv", *TRAINING, "--folds", "2", "--repeats", "1", "--out", os.devnull, "--csv"],
        ".csv", b"row,image_id,given,suggested",
    ),
    "prune --out": (
        [*PRUNING, "--out"],
        ".safetensors", MODEL,
    ),
    "prune --picture": (
        [*PRUNING, "--out", os.devnull, "--picture"], ".png", PNG,
    ),
}  # fmt: skip


@pytest.fixture
def run(capsys, inputs, monkeypatch, model):
    """Run the command of an option with the file to write."""
    taught = SimpleNamespace(model=model, record="a record", seconds=1.0)
    monkeypatch.setattr(fine_tuning, "teach", lambda *arguments, **options: taught)
    monkeypatch.chdir(inputs)
    return lambda option, path: command(capsys, *OPTIONS[option][0], path)


@pytest.mark.parametrize("option", OPTIONS)
def test_a_link_stays_a_link_and_a_mode_is_kept(option, run, tmp_path):
    _, suffix, content = OPTIONS[option]
    target, link = write(tmp_path, f"inner/target{suffix}", b"old"), tmp_path / f"link{suffix}"
    target.chmod(0o600)
    link.symlink_to(target)
    run(option, link)
    assert link.is_symlink()
    assert content in target.read_bytes()[:40]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("option", OPTIONS)
def test_a_fifo_gets_the_whole_output_once(option, run, tmp_path):
    _, suffix, content = OPTIONS[option]
    fifo, received = tmp_path / f"fifo{suffix}", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: received.append(fifo.read_bytes()))
    reader.start()
    run(option, fifo)
    reader.join(60)
    assert not reader.is_alive()
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert content in received[0][:40]
    assert received[0].count(content) == 1 or suffix == ".md"
    assert list(tmp_path.iterdir()) == [fifo]


@pytest.fixture
def null(tmp_path):
    """A device like /dev/null that no other process needs, if this process may make one."""
    path = tmp_path / "null.csv"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        path.write_bytes(b"")
    except OSError:
        return Path(os.devnull)
    return path


@pytest.mark.parametrize("option", [name for name, (_, suffix, _) in OPTIONS.items() if suffix == ".csv"])
def test_a_device_stays_a_device(option, run, null):
    run(option, null)
    assert stat.S_ISCHR(null.stat().st_mode)


@pytest.mark.parametrize("option", ["read --csv", "data --csv", "card --out"])
def test_a_full_device_is_reported_in_one_line(option, capsys, inputs, monkeypatch):
    monkeypatch.chdir(inputs)
    error = command(capsys, *OPTIONS[option][0], "/dev/full", code=2)
    assert error.splitlines()[-1] == "inksight: cannot write '/dev/full': No space left on device"


def contents(folder):
    """The bytes, mode and target of everything in a folder."""
    return {
        path: (path.lstat().st_mode, path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes())
        for path in folder.rglob("*")
    }


@contextmanager
def full_disk():
    """No file can grow beyond a few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def failing_rename():
    """No file can be renamed, which is the last step of every output."""
    with pytest.MonkeyPatch.context() as patch:

        def fail(path, target):
            raise OSError(errno.EIO, "Input/output error")

        patch.setattr(Path, "replace", fail)
        yield


@pytest.mark.parametrize("failure", [full_disk, failing_rename])
@pytest.mark.parametrize("option", OPTIONS)
def test_an_output_that_fails_at_the_last_moment_changes_nothing(option, failure, capsys, run, tmp_path):
    arguments, suffix, _ = OPTIONS[option]
    target, link = write(tmp_path, f"out/old{suffix}", b"old"), tmp_path / "out" / f"link{suffix}"
    target.chmod(0o640)
    link.symlink_to(target)
    before = contents(target.parent)
    with failure():
        error = command(capsys, *arguments, link, code=2)
    assert re.fullmatch(r"inksight: cannot write '.*': (File too large|Input/output error)", error.splitlines()[-1])
    after = contents(target.parent)
    part = after.pop(target.with_name(f"old{suffix}.part"), None)  # the rows that a table has so far
    assert after == before
    assert (part is not None) == (option == "read --csv")


def test_all_outputs_are_checked_before_anything_is_written(capsys, inputs, tmp_path):
    arguments = ("data", inputs / "train.csv", "--csv", tmp_path / "a.csv", "--picture")
    assert "must be .png or .svg" in command(capsys, *arguments, tmp_path / "a.jpg", code=2)
    assert "does not exist" in command(capsys, *arguments, tmp_path / "none" / "a.png", code=2)
    assert list(tmp_path.iterdir()) == []


def test_two_options_must_not_name_the_same_file(tmp_path):
    (tmp_path / "link.csv").symlink_to("a.csv")
    with pytest.raises(InputError, match=r"must be different ones, got .*link.csv': give each option another name"):
        check_outputs(str(tmp_path / "a.csv"), str(tmp_path / "link.csv"))
    check_outputs(os.devnull, None, os.devnull)


# Commands that would replace what they read, or a picture, by the file at their end.
LOSSES = {
    "read --csv": ("read", "scans/0.png", "--csv", "scans/0.png"),
    "read --csv, the first of *.png": ("read", "scans/1.png", "--csv", "scans/0.png"),
    "read --csv, the first of *.pdf": ("read", "--csv", "scan.pdf", "scans"),
    "read --csv, a model": ("read", "scans/0.png", "--model", "model.safetensors", "--csv", "model.safetensors"),
    "data --csv": ("data", "train.csv", "--csv", "train.csv"),
    "data --csv, by another path": ("data", "train.csv", "--csv", "scans/../train.csv"),
    "labels --csv": ("labels", "train.csv", "--csv", "train.csv"),
    "labels --out": ("labels", "train.csv", "--out", "train.csv"),
    "kaggle --out": ("kaggle", "train.csv", "test.csv", "--out", "test.csv"),
    "kaggle --model": ("kaggle", "train.csv", "test.csv", "--model", "train.csv"),
    "train --out": ("train", "--data", "train.csv", "--out", "train.csv"),
    "teach --out": ("teach", "train.csv", "--out", "train.csv"),
    "prune --out": ("prune", "model.safetensors", "--data", "train.csv", "--out", "train.csv"),
    "prune --out, the model": ("prune", "model.safetensors", "--data", "train.csv", "--out", "model.safetensors"),
    "data --picture, in the folder": ("data", "classes", "--picture", "classes/3/0.png"),
    "data --csv, in the folder": ("data", ".", "--csv", "train.csv"),
    "read --csv, in the folder": ("read", "scans", "--csv", "scans/notes.csv"),
    "sweep --picture": ("sweep", "--data", "classes", "--picture", "classes/3/0.png"),
    "card --out": ("card", "model.safetensors", "--out", "model.safetensors"),
    "card --out, the data": ("card", "model.safetensors", "--data", "train.csv", "--out", "train.csv"),
    "evaluate --picture": ("evaluate", "model.safetensors", "--data", "drawn.png", "--picture", "drawn.png"),
}


@pytest.mark.parametrize("case", LOSSES)
def test_no_command_replaces_what_it_reads(case, capsys, inputs, tmp_path, monkeypatch):
    shutil.copytree(inputs, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "drawn.png", (tmp_path / "train.csv").read_bytes())
    write(tmp_path, "scan.pdf", b"%PDF-")
    write(tmp_path, "classes/3/0.png", picture_bytes(np.zeros((28, 28), np.uint8)))
    write(tmp_path, "scans/notes.csv", b"by hand")
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    error = command(capsys, *LOSSES[case], code=2)
    assert re.search(r"must be (other than the files to read|a file other than a picture), got ", error)
    assert error.count("\n") == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["", "-"])
@pytest.mark.parametrize("option", OPTIONS)
def test_an_empty_name_or_a_dash_is_not_that_of_a_file(option, name, capsys, inputs, monkeypatch):
    monkeypatch.chdir(inputs)
    error = command(capsys, *OPTIONS[option][0], name, code=2)
    assert error.startswith("inksight: ")
    assert not (inputs / "-").exists()
    assert f"got {name!r}" in error
    assert error.count("\n") == 1


def test_an_empty_name_of_a_picture_is_not_the_current_folder(capsys, inputs, monkeypatch):
    monkeypatch.chdir(inputs / "scans")
    error = command(capsys, "read", "", code=2)
    assert error == "inksight: name of a picture must be that of a file or folder, got ''\n"


def test_a_name_of_the_package_is_also_a_name_of_a_file(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command(capsys, "card", "small", "--out", "small")
    assert Path("small").read_text().startswith("# Model card: small")


def test_names_that_are_formulas_get_a_quote(capsys, inputs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("=cmd|' C'!A0.png", "+1.png", "@a.png", "plain.png"):
        write(tmp_path, name, (inputs / "scans" / "0.png").read_bytes())
    command(capsys, "read", *sorted(path.name for path in tmp_path.iterdir()), "--csv", "table.csv")
    paths = [row["path"] for row in table_rows(Path("table.csv"))]
    assert paths == ["'+1.png", "'=cmd|' C'!A0.png", "'@a.png", "plain.png"]


def test_a_picture_is_printed_on_one_line_whatever_its_name(capsys, inputs, tmp_path):
    for number, name in enumerate(("two\nlines", "\x1b]0;title\x07", "back\rspace", "caf\xe9 \u202f \u3000", "\u2028")):
        write(tmp_path, f"{number}{name}.png", (inputs / "scans" / "0.png").read_bytes())
    lines = command(capsys, "read", tmp_path).split("\n")[:-1]
    assert [Path(line.rpartition(": ")[0]).name for line in lines] == [
        r"0two\nlines.png", r"1\x1b]0;title\x07.png", r"2back\rspace.png", "3caf\xe9 \u202f \u3000.png", r"4\u2028.png",
    ]  # fmt: skip
    paths = [json.loads(line)["path"] for line in command(capsys, "read", tmp_path, "--json").splitlines()]
    assert sorted(map(Path, paths)) == sorted(tmp_path.iterdir())


def test_an_output_without_a_name_is_refused(capsys, inputs):
    for words in (["read", "scans/0.png", "--csv", ""], ["train", "--out", ""], ["evaluate", "best", "--picture", ""]):
        assert "name of a file to write must be given" in command(capsys, *words, code=2)


def test_files_that_cannot_be_read(capsys, inputs, tmp_path):
    table, good = write(tmp_path, "table.csv", b"old"), inputs / "scans" / "0.png"
    error = command(capsys, "read", "none.png", "--csv", table, code=2)
    assert error.count("\n") == 1
    assert error.startswith("inksight: cannot read 'none.png': No such file")
    error = command(capsys, "read", "none.png", "nothing.png", "--csv", table, code=2)
    assert error.splitlines()[-1] == "inksight: none of the 2 pages could be read"
    assert table.read_bytes() == b"old"
    error = command(capsys, "read", "none.png", good, "--csv", table, code=1)
    assert [line[:20] for line in error.splitlines()] == ["inksight: cannot rea", "inksight: 1 of 2 pag"]
    rows = table_rows(table)
    assert [(row["path"], row["page"], row["error"].split(":")[0]) for row in rows] == [
        ("none.png", "", "MissingFileError"), (str(good), "1", ""),
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.csv"]


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """A folder of sixty pages with many digits, so that a signal arrives before all of them are read."""
    folder, ink = tmp_path_factory.mktemp("pages") / "scans", np.random.default_rng(0).integers(0, 2, (45, 45))
    folder.mkdir()
    Image.fromarray(np.kron(ink, np.full((16, 16), 255)).astype(np.uint8)).save(folder / "00.png")
    for number in range(1, 60):
        (folder / f"{number:02}.png").hardlink_to(folder / "00.png")
    return folder


@pytest.mark.parametrize(
    ("number", "code", "workers"),
    [(signal.SIGINT, 130, 1), (signal.SIGTERM, 143, 1), (signal.SIGKILL, -9, 1), (signal.SIGINT, 130, 2)],
)
def test_an_interrupted_table_keeps_its_rows(number, code, workers, scans, capsys, tmp_path, ctrl_c):
    table, part = write(tmp_path, "table.csv", b"old"), tmp_path / "table.csv.part"
    process = subprocess.Popen(
        [*MAIN, "read", scans, "--csv", table, "--workers", str(workers)], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (part.exists() and b"00.png" in part.read_bytes()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert table.read_bytes() == b"old"
    rows = table_rows(part)
    assert [Path(row["path"]).name for row in rows] == [f"{i:02}.png" for i in range(len(rows))]
    assert 1 <= len(rows) < 60
    if number != signal.SIGKILL:
        assert errors.strip("\n") == f"inksight: interrupted: {part} holds the first {len(rows)} pages"
    printed = outputs(capsys, "read", scans / "00.png", "--csv", table)
    assert printed.err == f"{part}: rows of an interrupted run, which this run replaces\n"
    assert not part.exists()
    assert len(table_rows(table)) == 1


def table_rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def shell(line, folder):
    """Run a line of shell in which `inksight` is the command; return exit code and standard error."""
    source = f"inksight() {{ {sys.executable} -c 'from inksight.cli import main; main()' \"$@\"; }}\n{line}"
    done = subprocess.run(["bash", "-c", source], cwd=folder, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("inksight read scans > /dev/full", 1, "inksight: cannot write to standard output: No space left on device\n"),
        ("inksight read scans >&-", 1, "inksight: cannot write to standard output: Bad file descriptor\n"),
        ("inksight read scans --csv /dev/null >&- 2>&-", 1, ""),
        ("inksight --help > /dev/full", 1, "inksight: cannot write to standard output: No space left on device\n"),
        ("inksight read scans | head -c 0; exit ${PIPESTATUS[0]}", 1, ""),
        ("inksight read scans --csv /dev/stdout >> all.csv", 0, ""),
    ],
)
def test_standard_streams_that_fail(line, code, error, inputs):
    (inputs / "all.csv").write_text("before\n")
    assert shell(line, inputs) == (code, error)
    assert (inputs / "all.csv").read_text().startswith("before\n")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-8"])
def test_every_console_shows_every_name(encoding, inputs, tmp_path):
    """Letters that the console lacks are escaped, on standard output and standard error alike.

    click takes ASCII for a missing setting and writes UTF-8, of which ASCII is a part.
    """
    (tmp_path / "\u6570\u5b57").mkdir()
    for name in ("\u6570.png", "\xe9.png", "\u20ac.png"):
        shutil.copy(inputs / "scans" / "0.png", tmp_path / "\u6570\u5b57" / name)
    names = ["\u6570\u5b57/\xe9.png", "\u6570\u5b57/\u20ac.png", "\u6570\u5b57/\u6570.png"]
    shown = "utf-8" if encoding == "ascii" else encoding
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*MAIN, "read", "\u6570\u5b57", "\u6570"], cwd=tmp_path, env=environment, capture_output=True, timeout=120
    )
    lines = done.stdout.decode(shown).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        name.encode(shown, "backslashreplace").decode(shown) for name in names
    ]
    missing = "\u6570".encode(shown, "backslashreplace").decode(shown)
    assert f"inksight: cannot read '{missing}': No such file" in done.stderr.decode(shown)
    assert done.returncode == 1
    for number, words in enumerate((["read", "\u6570\u5b57", "--csv", "\u6570.csv"], ["data", "\u6570"])):
        done = subprocess.run([*MAIN, *words], cwd=tmp_path, env=environment, capture_output=True, timeout=120)
        assert (done.returncode, b"unexpected" in done.stdout + done.stderr) == (2 * number, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", "{}.png"], ["read", "scans", "--csv", "{}.csv"], ["read", "scans", "--show", "{}.html"],
        ["read", "scans", "--model", "{}"], ["data", "{}"], ["summary", "{}"], ["card", "{}"],
        ["train", "--from", "{}"], ["explore", "--out", "{}"], ["card", "tiny", "--out", "{}"], ["labels", "{}"],
        ["teach", "{}"], ["evaluate", "tiny", "--picture", "{}.png"],
    ],
)  # fmt: skip
def test_names_of_300_letters_are_reported_in_one_line(arguments, capsys, inputs, monkeypatch):
    monkeypatch.chdir(inputs)
    error = command(capsys, *(argument.format("x" * 300) for argument in arguments), code=2)
    assert error.startswith("inksight: ")
    assert error.count("\n") == 1
    assert "unexpected" not in error
