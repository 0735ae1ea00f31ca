"""The engine's library: its interface number, and settings in the environment."""

import re
from pathlib import Path

import pytest

from inksight import InputError
from inksight.engine import library as native
from inksight.imaging.preprocessing import prepare

HEADER = Path(__file__).parents[2] / "native" / "api" / "inksight.h"


def test_python_and_the_header_agree_on_the_interface_number():
    defined = re.search(r"^#define INKSIGHT_ABI (\d+)$", HEADER.read_text(), re.MULTILINE)
    assert defined is not None
    assert int(defined[1]) == native.ABI


@pytest.mark.skipif(native.library() is None, reason="the native engine is not built here")
def test_the_engine_reports_its_interface_number():
    library = native.library()
    assert library is not None
    assert library.inksight_abi() == native.ABI
    assert native.problem() is None


def test_an_engine_of_another_interface_counts_as_missing(other_abi, rng):
    assert native.library() is None
    assert native.engine() is None
    assert not native.preprocesses()
    assert prepare(rng.random((30, 30))).image.any()
    problem = native.problem()
    assert problem is not None
    assert f"has interface {other_abi}, but this inksight needs {native.ABI}" in problem
    assert "\n" not in problem


def test_an_engine_built_for_another_machine_counts_as_missing(monkeypatch, tmp_path):
    path = tmp_path / "libinksight.so"
    path.write_bytes(b"not a library")
    monkeypatch.setenv("INKSIGHT_LIBRARY", str(path))
    native.library.cache_clear()
    try:
        assert native.library() is None
        assert native.problem() == f"{path} was built for another machine: install inksight again"
    finally:
        native.library.cache_clear()


def test_unknown_settings_are_named(monkeypatch):
    for name, value, words in (
        ("INKSIGHT_ISA", "sse9", "INKSIGHT_ISA must be one of avx512, avx2, portable, or unset, got 'sse9'"),
        ("INKSIGHT_ENGINE", "abacus", "INKSIGHT_ENGINE must be native or xla, or unset, got 'abacus'"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            native.library.cache_clear()
            with pytest.raises(InputError) as caught:
                native.engine()
            assert words in str(caught.value)
        native.library.cache_clear()
    assert not native.use("sse9")
