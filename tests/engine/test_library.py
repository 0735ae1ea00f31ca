"""The engine's library: what makes it unusable, and settings in the environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inksight import InputError, cli
from inksight._shared.validation import shown
from inksight.engine import library as native
from inksight.engine.interface import ABI
from inksight.imaging.preprocessing import prepare

TASKS = Path("/proc/self/task")
NUMBER = "INKSIGHT_THREADS must be a whole number from 1 to 1024, or unset, got"


def test_an_engine_of_another_interface_counts_as_missing(other_abi, rng):
    assert native.library() is None
    assert native.engine() is None
    assert not native.computes()
    assert prepare(rng.random((30, 30))).image.any()
    problem = native.problem()
    assert problem is not None
    assert f"has interface {other_abi}, but this inksight needs {ABI}: install inksight again" in problem
    assert "\n" not in problem


def test_an_engine_built_for_another_machine_counts_as_missing(monkeypatch, tmp_path, forget_engine):
    path = tmp_path / "libinksight.so"
    path.write_bytes(b"not a library")
    monkeypatch.setenv("INKSIGHT_LIBRARY", str(path))
    assert native.library() is None
    assert native.problem() == f"{path} was built for another machine: install inksight again"


def test_a_library_that_does_not_exist_is_named_with_its_setting(monkeypatch, tmp_path, forget_engine):
    path = tmp_path / "none.so"
    monkeypatch.setenv("INKSIGHT_LIBRARY", str(path))
    assert native.library() is None
    assert native.problem() == f"{path} does not exist: correct INKSIGHT_LIBRARY, or unset it"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("INKSIGHT_ISA", "sse9", "INKSIGHT_ISA must be one of avx512, avx2, neon, portable, or unset, got 'sse9'"),
        ("INKSIGHT_ENGINE", "abacus", "INKSIGHT_ENGINE must be native, jax or numpy, or unset, got 'abacus'"),
        *(
            ("INKSIGHT_THREADS", value, f"{NUMBER} {shown(value)}")
            for value in ("abc", "-1", "1.5", "0", "1025", "+4", "4 ", "1_0", "0x2", "\u0664", "9" * 5000)
        ),
    ],
)
def test_an_unknown_setting_is_named(monkeypatch, forget_engine, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as caught:
        native.engine()
    assert str(caught.value) == words


def test_a_wrong_number_of_threads_is_one_line_of_the_command(monkeypatch, forget_engine, capsys):
    monkeypatch.setenv("INKSIGHT_THREADS", "1.5")
    assert cli.run(["doctor"]) == 2
    assert capsys.readouterr().err == f"inksight: {NUMBER} '1.5'\n"


def test_an_unknown_instruction_set_changes_nothing():
    before = native.isa()
    assert not native.use("sse9")
    assert native.isa() == before


@pytest.mark.skipif(native.library() is None, reason="the native engine is not built here")
@pytest.mark.parametrize(("setting", "threads"), [("1", 1), ("3", 3), ("1024", 1024), ("", None)])
def test_the_number_of_threads_is_the_one_asked_for_or_that_of_the_usable_cores(
    monkeypatch, forget_engine, setting, threads
):
    monkeypatch.setenv("INKSIGHT_THREADS", setting)
    if threads is None:
        assert 1 <= native.threads() <= len(os.sched_getaffinity(0))
    else:
        assert native.threads() == threads


@pytest.mark.skipif(native.library() is None or not TASKS.exists(), reason="needs the native engine, and Linux")
def test_threads_are_started_by_the_first_loop_that_needs_them_and_no_more_than_it_needs():
    code = (
        "import os, numpy as np, inksight; from inksight.engine import library\n"
        "count = lambda: len(os.listdir('/proc/self/task'))\n"
        "model, before = inksight.load_model('tiny'), count()\n"
        "print(library.threads(), count() - before)\n"
        "for n in (16, 32, 33, 48, 480):\n"
        "    model.predict(np.zeros((n, 28, 28), np.uint8)); print(count() - before)\n"
    )
    env = os.environ | {"INKSIGHT_THREADS": "4"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    # Groups of sixteen images are one task each; of 33 images the last is computed alone.
    assert done.stdout.split() == ["4", "0", "0", "1", "1", "2", "3"]


@pytest.mark.skipif(native.library() is None, reason="the native engine is not built here")
def test_hundreds_of_threads_predict_and_measure_like_one():
    code = (
        "import hashlib, numpy as np, inksight; from inksight.engine import library\n"
        "images = np.random.default_rng(0).integers(0, 256, (6400, 28, 28), np.uint8)\n"
        "print(hashlib.sha256(inksight.load_model('tiny').probabilities(images)).hexdigest(), library.peak() > 0.1)"
    )
    printed = set()
    for threads in ("1", "300"):
        env = os.environ | {"INKSIGHT_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
        printed.add(done.stdout)
    assert len(printed) == 1
    assert printed.pop().endswith(" True\n")
