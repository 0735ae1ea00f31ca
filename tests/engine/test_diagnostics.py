"""What `inksight doctor` reports."""

import json

import pytest
from trials import QUICK, SMALL

from inksight import Splits, cli
from inksight.engine import diagnostics, library as native
from inksight.engine.ops import lanes
from inksight.training.fitting import fit

NOT_BUILT = "the native engine was not built: install a C++ compiler, then inksight again"


def test_the_report_names_what_computes_and_why():
    report = diagnostics.examine()
    assert report["training"] in ("native-avx512", "native-avx2", "native", "xla")
    assert report["why"]
    if native.library():
        assert str(native.isa()) in str(report["instruction sets"])
        assert "GFLOP/s" in str(report["peak"])


@pytest.fixture
def no_engine(monkeypatch, forget_engine):
    """An installation without the engine."""
    monkeypatch.setattr(native, "library_path", lambda: None)


@pytest.fixture
def no_training(monkeypatch, forget_engine):
    """An engine that was built without XLA's headers."""
    monkeypatch.setattr(lanes, "register", lambda: False)


def test_without_the_engine_the_report_says_what_to_do(no_engine, capsys):
    assert cli.run(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["training"], report["prediction"]) == ("xla", "xla")
    assert [report[name] for name in ("library", "instruction sets", "threads", "peak")] == [None] * 4
    assert report["why"] == NOT_BUILT


def test_without_the_engine_the_printed_report_consists_of_plain_words(no_engine, capsys):
    assert cli.run(["doctor"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    facts = {name.strip(): value.strip() for name, value in lines.items()}
    assert facts["why"] == NOT_BUILT
    assert facts["library"] == "not installed"
    assert {facts[name] for name in ("instruction sets", "threads", "peak")} == {
        "not available without the native engine"
    }
    assert "None" not in facts.values()


@pytest.mark.skipif(native.library() is None, reason="the native engine is not built here")
def test_an_engine_that_cannot_train_is_reported(no_training):
    report = diagnostics.examine()
    assert (report["training"], report["prediction"]) == ("xla", f"native-{native.isa()}".removesuffix("-portable"))
    assert "built without XLA's headers" in str(report["why"])


@pytest.mark.parametrize(
    ("progress", "lines"), [(True, [f"training on XLA, about ten times slower: {NOT_BUILT}"]), (False, [])]
)
def test_a_training_without_the_engine_says_so_once(no_engine, few, capsys, progress, lines):
    fit(Splits(few.train), SMALL, QUICK, epochs=1, progress=progress)
    assert [line for line in capsys.readouterr().err.splitlines() if "XLA" in line] == lines


def test_a_training_on_xla_by_request_says_nothing(monkeypatch, forget_engine, few, capsys):
    monkeypatch.setenv("INKSIGHT_ENGINE", "xla")
    fit(Splits(few.train), SMALL, QUICK, epochs=1)
    assert "XLA" not in capsys.readouterr().err


def test_the_report_names_a_request_for_xla(monkeypatch, forget_engine):
    monkeypatch.setenv("INKSIGHT_ENGINE", "xla")
    report = diagnostics.examine()
    assert report["prediction"] == "xla"
    if native.library():
        assert report["why"] == "INKSIGHT_ENGINE asks for XLA"


def test_the_report_asks_to_rebuild_an_engine_of_another_interface(other_abi, capsys):
    assert cli.run(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["training"], report["prediction"]) == ("xla", "xla")
    assert (report["peak"], report["instruction sets"]) == (None, None)
    assert report["why"].startswith(report["library"])
    assert "install inksight again to rebuild the engine" in report["why"]
