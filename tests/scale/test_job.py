"""Jobs: the rows of every shard are there once, whatever is killed, and they are those of `inksight.read`."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from processes import workers_of
from pyarrow import parquet
from work import die_always, parts

import inksight
from inksight import InksightError, InputError
from inksight._shared import tasks
from inksight._shared.claim import claimed
from inksight.cli import run
from inksight.scale import job, read_in_shards
from inksight.scale.manifest import NAME
from inksight.scale.shard import Shard


@pytest.fixture(scope="module")
def whole(array_file, tmp_path_factory):
    """The folder of a job of ten shards that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    result = read_in_shards(array_file, out, model="tiny", shards=10, workers=1, progress=False)
    assert (result.shards, result.done, result.rows, result.failed, result.interrupted) == (10, 10, 2000, 0, False)
    return out


def test_rows_of_images_are_the_predictions(mnist, whole):
    table = parquet.read_table(whole)  # leaves the manifest out
    probabilities = inksight.load_model("tiny").probabilities(mnist.images[:2000])
    assert table["image"].to_pylist() == list(range(2000))
    assert table["label"].to_pylist() == probabilities.argmax(axis=1).tolist()
    # The engine computes the last images of a call, which do not fill a vector, in another way.
    np.testing.assert_allclose(table["confidence"].to_numpy(), probabilities.max(axis=1), rtol=1e-5)


def test_barcodes_are_those_of_the_model(mnist, array_file, tmp_path):
    read_in_shards(array_file, tmp_path, model="tiny", shards=3, workers=1, barcodes=True, progress=False)
    found = np.stack(parquet.read_table(tmp_path)["barcode"].to_numpy(zero_copy_only=False))
    np.testing.assert_array_equal(found, inksight.load_model("tiny").barcodes(mnist.images[:2000]))


def test_rows_of_pictures_are_the_readings(mnist, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    pages = [Image.fromarray(255 - np.hstack(mnist.images[i : i + 3])) for i in range(4)]
    pages[0].save(folder / "a.tif", save_all=True, append_images=pages[1:3])
    pages[3].save(folder / "b.png")
    (folder / "c.png").write_bytes(b"no picture")
    result = read_in_shards(
        str(folder / "**.*"), tmp_path / "out", shards=2, workers=1, progress=False, accept_all=True
    )
    assert (result.rows, result.failed) == (5, 1)
    rows = parquet.read_table(tmp_path / "out").to_pylist()
    assert [(Path(row["path"]).name, row["page"]) for row in rows] == [
        ("a.tif", 1), ("a.tif", 2), ("a.tif", 3), ("b.png", 1), ("c.png", 1),
    ]  # fmt: skip
    expected = [inksight.read(page, accept_all=True) for page in pages]
    assert [(row["text"], row["confidence"]) for row in rows[:4]] == [(page.text, page.confidence) for page in expected]
    assert rows[4]["text"] is None
    assert rows[4]["error"].startswith("UnsupportedFileError: ")


def test_the_number_of_processes_changes_nothing(array_file, whole, tmp_path):
    read_in_shards(array_file, tmp_path, model="tiny", shards=10, workers=2, progress=False)
    assert parts(tmp_path) == parts(whole)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the process in /proc")
def test_a_killed_worker_loses_no_rows(array_file, whole, tmp_path, monkeypatch):
    killed: list[int] = []

    def outcomes(*arguments, **options):
        for outcome in unharmed(*arguments, **options):
            if not killed:
                killed.extend(workers_of(os.getpid()))
                for number in killed:
                    os.kill(number, signal.SIGKILL)
            yield outcome

    unharmed = tasks.outcomes
    monkeypatch.setattr(job, "outcomes", outcomes)
    result = read_in_shards(array_file, tmp_path, model="tiny", shards=10, workers=2, progress=False)
    assert len(killed) == 2
    assert (result.done, result.rows) == (10, 2000)
    assert parts(tmp_path) == parts(whole)


def test_a_shard_that_kills_its_processes_is_named(array_file, tmp_path, monkeypatch):
    monkeypatch.setattr("inksight.scale.job.read_shard", die_always)
    with pytest.raises(InksightError, match=r"shard 0 \(from 0 to 1,999\) was ended by SIGKILL, 3 times: use fewer"):
        read_in_shards(array_file, tmp_path, model="tiny", shards=1, workers=1, progress=False)


def test_a_killed_command_resumes(array_file, whole, tmp_path):
    code = (
        "import os, signal\n"
        "from inksight.scale import job\n"
        "unharmed = job.outcomes\n"
        "def outcomes(*arguments, **options):\n"
        "    for number, outcome in enumerate(unharmed(*arguments, **options)):\n"
        "        if number == 4:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield outcome\n"
        "job.outcomes = outcomes\n"
        f"job.read_in_shards({str(array_file)!r}, {str(tmp_path)!r}, model='tiny', shards=10, workers=1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=120)
    assert done.returncode == -signal.SIGKILL
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("part-*")}
    assert 4 <= len(before) < 10
    result = read_in_shards(array_file, tmp_path, model="tiny", shards=10, workers=1, progress=False)
    assert (result.done, result.rows) == (10, 2000)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in before} == before  # nothing is read twice
    assert parts(tmp_path) == parts(whole)


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of the folder of the job, and a function that runs the job again there."""
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


DAMAGES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "text": lambda path: path.write_bytes(b"some text"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_missing_or_damaged_part_is_read_again(damage, array_file, whole, copy, capsys):
    DAMAGES[damage](copy / "part-000003.parquet")
    others = {path.name: path.stat().st_mtime_ns for path in copy.iterdir() if path.name != "part-000003.parquet"}
    assert read_in_shards(array_file, copy, model="tiny", shards=10, workers=1).rows == 2000
    assert parts(copy) == parts(whole)
    assert {name: (copy / name).stat().st_mtime_ns for name in others} == others
    warnings = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(warnings) == (damage != "missing")
    assert all("part-000003.parquet' is damaged" in line and "again" in line for line in warnings)


def test_a_part_that_is_not_of_the_job_is_refused(array_file, copy, tmp_path):
    other = tmp_path / "other"
    read_in_shards(array_file, other, model="small", shards=10, workers=1, progress=False)
    foreign = tmp_path / "foreign.parquet"
    parquet.write_table(pa.table({"image": [1]}), foreign)
    whole = parts(copy)
    for name, content in (
        ("part-000003.parquet", whole["part-000004.parquet"]),  # as if their names were swapped
        ("part-000003.parquet", parts(other)["part-000003.parquet"]),
        ("part-000003.parquet", foreign.read_bytes()),
        ("part-000010.parquet", whole["part-000000.parquet"]),  # readers of the folder would read these rows twice
    ):
        (copy / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name}' is not the part of that name of this job: delete it"):
            read_in_shards(array_file, copy, model="tiny", shards=10, workers=1, progress=False)
        assert (copy / name).read_bytes() == content
        (copy / name).write_bytes(whole.get(name, b""))


def test_a_lost_manifest_mixes_no_jobs(array_file, whole, copy):
    (copy / NAME).unlink()
    assert read_in_shards(array_file, copy, model="tiny", shards=10, workers=1, progress=False).done == 10
    assert (copy / NAME).read_bytes() == (whole / NAME).read_bytes()
    (copy / NAME).unlink()
    for model, shards in (("small", 10), ("tiny", 9)):
        with pytest.raises(InputError, match="is not the part of that name of this job"):
            read_in_shards(array_file, copy, model=model, shards=shards, workers=1, progress=False)
        (copy / NAME).unlink()
    (copy / "part-000003.parquet").write_bytes(b"of another program")
    with pytest.raises(InputError, match="is damaged or is not a Parquet file"):
        read_in_shards(array_file, copy, model="tiny", shards=10, workers=1, progress=False)


def test_the_second_process_in_a_folder_is_refused(array_file, whole):
    words = r"another process is using .*: wait until it has ended, or give another"
    with claimed(whole), pytest.raises(InputError, match=words):
        read_in_shards(array_file, f"file://{whole}", model="tiny", shards=10, workers=1, progress=False)


def test_pictures_resume_with_options_of_every_kind(mnist, tmp_path, monkeypatch):
    Image.fromarray(255 - mnist.images[0]).save(tmp_path / "a.png")
    options: dict[str, Any] = {"length": (1, 4), "invert": False, "accept_all": False, "progress": False, "workers": 1}
    out = tmp_path / "out"
    first = read_in_shards(tmp_path / "a.png", out, model="tiny", **options)
    monkeypatch.setattr(job, "start_workers", lambda *arguments: pytest.fail("read again"))
    assert read_in_shards(tmp_path / "a.png", out, model="tiny", **options) == first
    assert read_in_shards(tmp_path / "a.png", out, model="tiny", **options | {"accept_all": False}) == first
    for change, words in (
        ({"invert": None}, r"whose options\.invert is False, not None"),
        ({"length": 2}, r"whose options\.length is \[1, 4\], not 2"),
    ):
        with pytest.raises(InputError, match=words):
            read_in_shards(tmp_path / "a.png", out, model="tiny", **options | change)


@pytest.mark.parametrize("model", ["tiny", "ensemble"])
def test_a_model_of_the_same_weights_is_another_one(model, array_file, tmp_path, monkeypatch):
    tiny = inksight.load_model("tiny")
    one = tiny if model == "tiny" else inksight.Ensemble([tiny, inksight.load_model("small")])
    monkeypatch.setattr(job, "_read_all", lambda *arguments: None)
    read_in_shards(array_file, tmp_path, model=one, workers=1, progress=False)
    with pytest.raises(InputError, match="whose model is"):
        read_in_shards(array_file, tmp_path, model=replace(one, temperature=2.0), workers=1, progress=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "small"}, "whose model is"),
        ({"shards": 9}, "whose shards is 10, not 9"),
        ({"barcodes": True}, "whose barcodes is False, not True"),
        ({"accept_all": True}, r"whose options.accept_all is None, not True"),
        ({"sources": "other.npy"}, "whose sources is"),
    ],
)
def test_the_folder_of_another_job_is_refused(array_file, whole, mnist, tmp_path, change, words):
    arguments = {"sources": array_file, "model": "tiny", "shards": 10, "workers": 1} | change
    if change.get("sources"):
        arguments["sources"] = tmp_path / "other.npy"
        np.save(tmp_path / "other.npy", mnist.images[:2000])
    before = parts(whole)
    with pytest.raises(InputError, match=words):
        read_in_shards(arguments.pop("sources"), whole, **arguments, progress=False)
    assert parts(whole) == before


def test_a_changed_input_is_refused(mnist, tmp_path):
    np.save(tmp_path / "a.npy", mnist.images[:100])
    read_in_shards(tmp_path / "a.npy", tmp_path / "out", model="tiny", workers=1, progress=False)
    np.save(tmp_path / "a.npy", mnist.images[100:200])
    with pytest.raises(InputError, match="whose input is"):
        read_in_shards(tmp_path / "a.npy", tmp_path / "out", model="tiny", workers=1, progress=False)


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"format": "inksight read 1"}', '{"format": "inksight read 1", "job": 5}',
     '{"format": "inksight read 1", "job": ' + '{"a": ' * 5000 + "1" + "}" * 5001],
)  # fmt: skip
def test_a_damaged_manifest_is_refused(array_file, tmp_path, content):
    (tmp_path / NAME).write_text(content)
    with pytest.raises(InputError, match="is not that of a job, or damaged"):
        read_in_shards(array_file, tmp_path, model="tiny", workers=1, progress=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shards": 0}, r"shards must be 1 to 2,000, got 0"),
        ({"shards": 2001}, r"shards must be 1 to 2,000, got 2001"),
        ({"workers": 0}, "workers must be 1 to 1024, got 0"),
        ({"engine": "dask"}, "engine must be local or ray, got 'dask'"),
        ({"grid": "auto"}, "grid must be left out when reading in shards, got 'auto'"),
        ({"allow": "x"}, "allow"),
    ],
)
def test_invalid_options_raise_errors_before_any_work(array_file, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        read_in_shards(array_file, tmp_path / "out", model="tiny", **options, progress=False)
    assert not (tmp_path / "out").exists()


def test_shards_differ_by_one_image_at_most(array_file, tmp_path):
    read_in_shards(array_file, tmp_path, model="tiny", shards=7, workers=1, progress=False)
    rows = [parquet.read_metadata(path).num_rows for path in sorted(tmp_path.glob("part-*"))]
    assert (sum(rows), len(rows)) == (2000, 7)
    assert max(rows) - min(rows) <= 1
    assert Shard(12, 0, 1).name == "part-000012.parquet"


def test_command(array_file, whole, tmp_path, capsys):
    command = ["read", str(array_file), "--model", "tiny", "--shards", "10", "--workers", "1", "--out", str(tmp_path)]
    assert run(command) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}: 2,000 rows in 10 of 10 shards\n"
    assert "2,000 of 2,000, " in captured.err
    assert parts(tmp_path) == parts(whole)
    assert run([*command, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["done"] == 10
    assert captured.err == f"10 of 10 shards are already in '{tmp_path}'\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "rows", "--csv", "a.csv"], "--csv must be left out with --out, which writes Parquet files"),
        (["--out", "rows", "--grid", "9x9"], "--grid must be left out with --out"),
        (["--shards", "3"], "--shards must be given with --out only, got 3"),
        (["--engine", "ray"], "--engine must be given with --out only, got 'ray'"),
    ],
)
def test_options_of_jobs_go_with_out(arguments, words, array_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["read", str(array_file), *arguments]) == 2
    assert words in capsys.readouterr().err
