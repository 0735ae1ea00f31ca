"""The documentation is true: its code runs, its names and commands exist, its tables are complete, its links work."""

import ast
import importlib
import importlib.util
import inspect
import json
import re
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from commands import command, import_script
from PIL import Image

import inksight
from benchmarks import accuracy
from benchmarks.synthetic import example
from inksight import Augmentation, Recipe
from inksight.cli import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = {
    str(path.relative_to(ROOT)): path
    for path in sorted(
        [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("examples/*.md")]
    )
}
EXAMPLES = ROOT / "examples"
SOURCES = sorted(Path(inksight.__file__).parent.rglob("*.py"))
NOTEBOOK = ROOT / "notebooks" / "exploring.ipynb"
SETTINGS = {
    *(field.name for field in fields(Recipe)),
    *(f"augmentation.{field.name}" for field in fields(Augmentation)),
}


def test_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    found = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert found is not None
    code = found[1]
    assert "seconds=5" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("seconds=5", "seconds=0.5"), "README.md", "exec"), {})
    assert "of 10,000 images right" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "barcodes.png"}


def test_the_example_photo_is_read_without_a_mistake():
    assert inksight.read(EXAMPLES / "photo.jpg").text == (EXAMPLES / "photo.txt").read_text().strip()


def test_the_readme_shows_what_the_command_prints_for_the_example_photo(monkeypatch, capsys):
    shown = re.search(r"```sh\ninksight (read examples/photo\.jpg)\n```\n\n```\n(.*?)```", README, flags=re.DOTALL)
    assert shown is not None
    monkeypatch.chdir(ROOT)
    assert command(capsys, *shown[1].split()) == shown[2]


def test_the_script_composes_the_example_photo(tmp_path):
    assert example.main(tmp_path) == 0
    assert (tmp_path / "photo.txt").read_text() == (EXAMPLES / "photo.txt").read_text()
    made, shown = (np.asarray(Image.open(folder / "photo.jpg"), int) for folder in (tmp_path, EXAMPLES))
    assert made.shape == shown.shape
    assert np.abs(made - shown).mean() < 1  # of 255: versions of the libraries round differently


def test_accuracies_in_the_readme_are_the_stored_results():
    found = {row.name: accuracy.protocol(accuracy.known(row)) for row in accuracy.ROWS}
    assert accuracy.table(found) in README
    assert min(protocol["seeds"] for protocol in found.values()) >= 10
    for number in (found["post"]["mean"], found["best"]["mean"]):
        assert f"{number:.2%}".replace("%", " %") in README.split("##")[0]


@pytest.mark.parametrize("name", cli.commands)
def test_every_command_is_in_the_readmes_table(name):
    assert re.search(rf"^\| `inksight {name}\b", README, flags=re.MULTILINE)


def test_the_reference_of_commands_is_up_to_date():
    module = import_script(ROOT / "docs" / "make_cli.py")
    assert module.PAGE.read_text() == module.reference(), "run docs/make_cli.py"


def test_the_table_of_functions_and_classes_is_up_to_date():
    module = import_script(ROOT / "docs" / "make_api.py")
    assert module.PAGE.read_text() == module.page(), "run docs/make_api.py"


def test_the_table_holds_every_public_function_and_class():
    module = import_script(ROOT / "docs" / "make_api.py")
    listed = {module.home(value) for value in module.public_values().values()}
    package = Path(inksight.__file__).parent
    for stub in package.rglob("__init__.pyi"):
        owner = importlib.import_module(".".join(("inksight", *stub.parent.relative_to(package).parts)))
        names = re.findall(r"\b(\w+) as \1\b", stub.read_text())
        assert names
        values = [getattr(owner, name) for name in names]
        public = {module.home(value) for value in values if inspect.isfunction(value) or inspect.isclass(value)}
        assert public <= listed


def test_the_list_of_modules_is_up_to_date():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert import_script(ROOT / "docs" / "make_modules.py").page(text) == text, "run docs/make_modules.py"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", PAGES[page].read_text()):
        assert (PAGES[page].parent / link).exists(), link


def test_makefile_targets_of_the_readme_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def names_in(text):
    """Return the dotted names under `inksight` that a text mentions or imports."""
    names = set(re.findall(r"(?<![\w./-])inksight(?:\.[A-Za-z_]\w*)+", text))
    for module, parenthesized, plain in re.findall(r"from (inksight[\w.]*) import (?:\(([^)]*)\)|(.*))", text):
        imported = re.sub(r"#.*", "", parenthesized or plain).split(",")
        names |= {f"{module}.{name.split()[0]}" for name in imported if name.strip()}
    return names


def exists(name):
    """Return whether a dotted name is a module, or an attribute reached from its longest prefix that is one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            target = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[count:]:
            if attribute in getattr(target, "__dataclass_fields__", ()):
                return True
            if not hasattr(target, attribute):
                return False
            target = getattr(target, attribute)
        return True
    return False


def missing(text):
    return sorted(name for name in names_in(text) if not exists(name))


def docstrings(path):
    """Return all texts of a source file that stand alone as statements."""
    return "\n".join(
        node.value.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )


def test_missing_names_are_found():
    text = "`inksight.read`, inksight.reading.page.Page.lines, docs/inksight.nothing, inksight.nothing.\n"
    text += (
        "from inksight.nn.model import Model, Nothing  # comment, comment\nfrom inksight.cli import (\n    cli,\n)\n"
    )
    assert names_in(text) == {
        "inksight.read", "inksight.reading.page.Page.lines", "inksight.nothing", "inksight.nn.model",
        "inksight.nn.model.Model", "inksight.nn.model.Nothing", "inksight.cli", "inksight.cli.cli",
    }  # fmt: skip
    assert missing(text) == ["inksight.nn.model.Nothing", "inksight.nothing"]


@pytest.mark.parametrize("page", PAGES)
def test_names_in_the_documentation_exist(page):
    assert missing(PAGES[page].read_text()) == []


def test_names_in_docstrings_exist():
    absent = {str(path.relative_to(ROOT)): missing(docstrings(path)) for path in SOURCES}
    assert {path: names for path, names in absent.items() if names} == {}


def test_names_in_the_notebook_exist():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert missing("\n".join("".join(cell["source"]) for cell in cells)) == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_documentation_exist(page):
    """Check the command, options and settings of each `inksight ...` in code blocks and in inline code."""
    text = PAGES[page].read_text().replace("\\\n", " ")
    blocks = "".join(re.findall(r"```.*?```", text, flags=re.DOTALL))
    lines = re.findall(r"^ *inksight (?!\[)[a-z-].*", blocks, flags=re.MULTILINE)
    lines += re.findall(r"`(inksight [a-z-][^`]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in lines:
        words = re.sub(r"( #|  ).*", "", line.strip()).split()[1:]
        if words[0].startswith("-"):
            continue
        assert words[0] in cli.commands, line
        options = {name for option in cli.commands[words[0]].params for name in (*option.opts, *option.secondary_opts)}
        given = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert given <= {*options, "-h", "--help", "-"}, line
        settings = {word.partition("=")[0] for before, word in pairwise(words) if before == "--set"}
        assert settings <= SETTINGS, line


def test_modules_that_the_documentation_runs_exist():
    texts = [path.read_text() for path in (*PAGES.values(), *SOURCES, ROOT / "Makefile")]
    modules = {module for text in texts for module in re.findall(r"-m ((?:benchmarks|inksight)[\w.]*\w)", text)}
    assert "benchmarks.ship" in modules
    assert [module for module in sorted(modules) if importlib.util.find_spec(module) is None] == []


def test_figures_of_ensembles_are_those_of_the_records():
    guide, records = ((ROOT / page).read_text() for page in ("docs/how-to/ensemble.md", "benchmarks/RECORDS.md"))
    stated = re.findall(r"^\| (\d+) \| ([\d.]+) % \|$", guide, flags=re.MULTILINE)
    assert stated == re.findall(r"^(\d+) of 10: ([\d.]+)% \(lowest", records, flags=re.MULTILINE)
    assert len(stated) == 4
