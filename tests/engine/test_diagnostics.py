import json

from inksight import cli
from inksight.engine import diagnostics as doctor, library as native


def test_it_says_what_computes_and_why():
    found = doctor.examine()
    assert found["training"] in ("native-avx512", "native-avx2", "native", "xla")
    assert found["why"]
    if native.library():
        assert str(native.isa()) in found["instruction sets"]
        assert "GFLOP/s" in found["peak"]


def test_without_the_engine_it_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(native, "library_path", lambda: None)
    monkeypatch.setattr(native, "library", lambda: None)
    assert cli.run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["prediction"], found["library"], found["peak"]) == ("xla", None, None)
    assert "install a C++ compiler" in found["why"]


def test_a_wish_for_xla_is_named(monkeypatch):
    monkeypatch.setenv("INKSIGHT_ENGINE", "xla")
    found = doctor.examine()
    assert found["prediction"] == "xla"
    if native.library():
        assert found["why"] == "INKSIGHT_ENGINE asks for XLA"
