"""What `inksight doctor` reports."""

import json

from inksight import cli
from inksight.engine import diagnostics, library as native


def test_the_report_names_what_computes_and_why():
    report = diagnostics.examine()
    assert report["training"] in ("native-avx512", "native-avx2", "native", "xla")
    assert report["why"]
    if native.library():
        assert str(native.isa()) in str(report["instruction sets"])
        assert "GFLOP/s" in str(report["peak"])


def test_without_the_engine_the_report_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(native, "library_path", lambda: None)
    monkeypatch.setattr(native, "library", lambda: None)
    assert cli.run(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["prediction"], report["library"], report["peak"]) == ("xla", None, None)
    assert "install a C++ compiler" in report["why"]


def test_the_report_names_a_request_for_xla(monkeypatch):
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
