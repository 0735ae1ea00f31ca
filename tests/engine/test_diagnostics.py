"""What `inksight doctor` reports, and which engine trains."""

import json
import re

import pytest
from trials import QUICK, SMALL

from inksight import InksightError, Splits, cli
from inksight.engine import choice, diagnostics, library as native
from inksight.training.fitting import fit

NOT_BUILT = "the native engine was not built: install a C++ compiler, then inksight again"


def test_the_report_names_what_computes_and_why():
    report = diagnostics.examine()
    assert report["training"] in ("native-avx512", "native-avx2", "native", "jax", None)
    assert report["why"]
    if native.library():
        assert str(native.isa()) in str(report["instruction sets"])
        assert "GFLOP/s" in str(report["peak"])
        assert re.fullmatch(r"(GCC|Clang|Apple Clang) \d+\.\d+\.\d+", str(report["compiler"]))


@pytest.fixture
def no_engine(monkeypatch, forget_engine):
    """An installation without the engine."""
    monkeypatch.setattr(native, "library_path", lambda: None)


@pytest.fixture
def no_jax(monkeypatch):
    """An installation without JAX."""
    monkeypatch.setattr(choice, "find_spec", lambda name: None)


def test_without_the_engine_the_report_says_what_to_do(no_engine, capsys):
    assert cli.run(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["training"], report["prediction"]) == ("jax", "numpy")
    missing = ("library", "compiler", "instruction sets", "threads", "peak", "interface")
    assert [report[name] for name in missing] == [None] * 6
    assert report["why"] == NOT_BUILT


def test_without_the_engine_the_printed_report_consists_of_plain_words(no_engine, no_jax, capsys):
    assert cli.run(["doctor"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    facts = {name.strip(): value.strip() for name, value in lines.items()}
    assert facts["why"] == NOT_BUILT
    assert facts["library"] == "not installed"
    assert facts["training"] == "not possible"
    missing = ("compiler", "instruction sets", "threads", "peak", "interface")
    assert {facts[name] for name in missing} == {"not available without the native engine"}
    assert "None" not in facts.values()


@pytest.mark.parametrize(
    ("progress", "lines"), [(True, [f"training in JAX, about ten times slower: {NOT_BUILT}"]), (False, [])]
)
def test_a_training_in_jax_for_want_of_the_engine_says_so_once(no_engine, few, capsys, progress, lines):
    fit(Splits(few.train), SMALL, QUICK, epochs=1, progress=progress)
    assert [line for line in capsys.readouterr().err.splitlines() if "JAX" in line] == lines


def test_a_training_in_jax_by_request_says_nothing_and_learns(monkeypatch, digits, capsys):
    monkeypatch.setenv("INKSIGHT_ENGINE", "jax")
    result = fit(digits, SMALL, QUICK, epochs=1)
    assert "JAX" not in capsys.readouterr().err
    assert result.model.history["val_accuracy"][-1] > 0.3
    assert result.to_dict()["engine"] == "jax"


def test_without_any_engine_training_is_an_error_that_says_what_to_install(no_engine, no_jax, few, capsys):
    with pytest.raises(InksightError) as caught:
        fit(Splits(few.train), SMALL, QUICK, epochs=1)
    assert str(caught.value) == (
        f"training needs an engine, and {NOT_BUILT}; or install JAX: pip install 'inksight[jax]'"
    )


def test_jax_that_is_asked_for_but_missing_is_an_error(monkeypatch, no_jax, few):
    monkeypatch.setenv("INKSIGHT_ENGINE", "jax")
    with pytest.raises(InksightError, match=r"INKSIGHT_ENGINE is jax, which is not installed: pip install 'inksight"):
        fit(Splits(few.train), SMALL, QUICK, epochs=1)


def test_numpy_cannot_train(monkeypatch, few):
    monkeypatch.setenv("INKSIGHT_ENGINE", "numpy")
    with pytest.raises(InksightError, match="INKSIGHT_ENGINE is numpy, which only predicts: unset it"):
        fit(Splits(few.train), SMALL, QUICK, epochs=1)


@pytest.mark.parametrize(("engine", "prediction"), [("numpy", "numpy"), ("jax", native.engine() or "numpy")])
def test_the_report_names_a_request(monkeypatch, engine, prediction):
    monkeypatch.setenv("INKSIGHT_ENGINE", engine)
    report = diagnostics.examine()
    assert report["prediction"] == prediction
    if native.library():
        assert f"INKSIGHT_ENGINE is {engine}" in str(report["why"])


def test_the_report_asks_to_rebuild_an_engine_of_another_interface(other_abi, capsys):
    assert cli.run(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["training"], report["prediction"]) == ("jax", "numpy")
    assert (report["peak"], report["compiler"], report["instruction sets"]) == (None, None, None)
    assert report["why"].startswith(report["library"])
    assert "install inksight again to rebuild the engine" in report["why"]
