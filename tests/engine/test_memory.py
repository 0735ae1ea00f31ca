"""Where memory runs out, the engine reports it and stays usable: each allocation fails once."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inksight.engine import library as native

COMPILER = shutil.which(os.environ.get("CXX", "g++"))
pytestmark = pytest.mark.skipif(
    not native.computes() or COMPILER is None or platform.libc_ver()[0] != "glibc",
    reason="needs the native engine, a C++ compiler and glibc",
)
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def allocator(tmp_path_factory):
    """The path of an allocator that fails on request."""
    path = tmp_path_factory.mktemp("allocator") / "allocator.so"
    source = HERE / "failing_allocations.cpp"
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-std=c++17", "-o", path, source, "-ldl"], check=True)
    return path


def run(script, *arguments, allocator, threads):
    """Run a script with the allocator, and return what it prints."""
    env = os.environ | {
        "LD_PRELOAD": str(allocator), "INKSIGHT_THREADS": str(threads), "PYTHONPATH": str(HERE.parent),
    }  # fmt: skip
    command = [sys.executable, HERE / script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("threads", [1, 2])
def test_each_failing_allocation_of_a_call_is_an_error_and_the_next_call_is_right(allocator, threads):
    words = run("failing_calls.py", allocator=allocator, threads=threads)
    failures = {name: int(count) for name, count in zip(words[::2], words[1::2], strict=True)}
    assert failures.keys() == {
        "inksight_trainer_new", "inksight_trainer_steps/20", "inksight_trainer_steps/300", "inksight_predictor_new",
        "inksight_predict/1", "inksight_predict/16", "inksight_predict/256",
        "inksight_preprocess/small", "inksight_preprocess/large", "inksight_peak", "inksight_threads", "inksight_use",
    }  # fmt: skip
    none = {name for name, count in failures.items() if count == 0}
    assert none == {"inksight_threads", "inksight_use"} | ({"inksight_peak"} if threads == 1 else set())
