"""What the documents say is so: their code runs, their tables are whole, their links lead somewhere."""

import importlib.util
import re
from pathlib import Path

import pytest

from benchmarks import accuracy
from inksight.cli import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]


def test_the_readmes_python_runs(tmp_path, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)[1]
    assert "seconds=5" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("seconds=5", "seconds=0.5"), "README.md", "exec"), {})
    assert "of 10,000 images right" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "barcodes.png"}


def test_the_readmes_table_of_accuracies_is_that_of_the_kept_results():
    found = {row.name: accuracy.protocol(accuracy.known(row)) for row in accuracy.ROWS}
    assert accuracy.table(found) in README
    assert min(protocol["seeds"] for protocol in found.values()) >= 10
    for number in (found["post"]["mean"], found["best"]["mean"]):
        assert f"{number:.2%}".replace("%", " %") in README.split("##")[0]


@pytest.mark.parametrize("name", cli.commands)
def test_every_command_is_in_the_readmes_table(name):
    assert re.search(rf"^\| `inksight {name}\b", README, flags=re.MULTILINE)


def test_the_reference_of_commands_is_fresh():
    spec = importlib.util.spec_from_file_location("make_cli", ROOT / "docs" / "make_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.reference(), "run docs/make_cli.py"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / link).exists(), link


def test_makefile_targets_of_the_readme_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets
