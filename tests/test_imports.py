"""The house is a line: a module imports only modules above it, as ARCHITECTURE.md lists them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import inksight
from inksight.engine import library as native

ROOT = Path(inksight.__file__).parent
DOCUMENT = Path(__file__).parents[1] / "ARCHITECTURE.md"
# The one arrow that points down: a result finds its drawing function, when it is drawn.
EXCEPTIONS = {("display", "plot")}


def line() -> list[str]:
    """Return the modules in the order of ARCHITECTURE.md's list, the first word of each of its rows."""
    block = DOCUMENT.read_text().split("```")[1]
    return re.findall(r"^    ([a-z]+) ", block, flags=re.MULTILINE)


def room(path: Path) -> str:
    """Return the module, or the package, directly below inksight that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path):
    """Yield the rooms that a file imports from, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "inksight":
            parts = node.module.split(".")
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
            yield from (name for name in names if not name.startswith("__"))
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("inksight."))


FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def test_the_line_names_every_room():
    assert sorted(line()) == sorted({room(path) for path in FILES})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_upward(path):
    order = line()
    here = room(path)
    for name in imports(path):
        if name != here and (here, name) not in EXCEPTIONS:
            assert order.index(name) < order.index(here), f"{here} imports {name}, which stands below it"


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import inksight", ("numpy", "jax", "matplotlib", "click")),
        ("import inksight; inksight.load('mnist')", ("jax", "matplotlib", "pyarrow")),
        ("import inksight; inksight.train", ("matplotlib", "rich", "pyarrow")),
        ("import inksight; inksight.evaluate; inksight.inspection.barcodes", ("matplotlib",)),
        pytest.param(
            "import numpy, inksight.cli; p = numpy.full((60, 60), 255, 'uint8'); p[10:50, 27:33] = 0; inksight.read(p)",
            ("jax", "matplotlib", "jinja2", "rich", "scipy", "numpy.random", "inksight.inspection.nearest"),
            marks=pytest.mark.skipif(not native.computes(), reason="without the engine JAX predicts"),
        ),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code, absent):
    check = f"{code}\nimport sys\nprint([m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    for name in inksight.__all__:
        assert getattr(inksight, name) is not None
    assert set(inksight.__all__) <= set(dir(inksight))
    with pytest.raises(AttributeError, match="no attribute 'read_minds'"):
        _ = inksight.read_minds


def test_functions_are_not_hidden_by_modules_of_the_same_name():
    code = "import inksight.training.fit, inksight.inspection.evaluation, inksight; assert callable(inksight.train)"
    subprocess.run([sys.executable, "-c", code], check=True)
