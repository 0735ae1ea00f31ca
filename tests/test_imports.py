"""The rooms: which imports are allowed, what is public, and that nothing heavy is imported early."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import inksight
from inksight.engine import library as native

ROOT = Path(inksight.__file__).parent


def test_rooms_import_only_rooms_below_them():
    assert lint_imports(config_filename=str(ROOT.parents[1] / "pyproject.toml"), no_cache=True) == 0


def test_the_top_level_holds_rooms_only():
    files = {path.name for path in ROOT.iterdir() if path.is_file() and path.suffix != ".so"}
    assert files == {"__init__.py", "__init__.pyi", "__main__.py", "errors.py", "py.typed"}


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import inksight", ("numpy", "jax", "matplotlib", "click")),
        ("import inksight; inksight.load('mnist')", ("jax", "matplotlib", "pyarrow")),
        ("import inksight; inksight.train", ("jax", "matplotlib", "rich", "pyarrow", "scipy")),
        ("import inksight; inksight.evaluate; inksight.barcode", ("jax", "matplotlib", "scipy")),
        (
            "import inksight.cli, PIL.Image, io, tempfile, pathlib\n"
            "with tempfile.TemporaryDirectory() as folder:\n"
            "    path = pathlib.Path(folder, 'one.png')\n"
            "    one = PIL.Image.new('L', (60, 60), 255)\n"
            "    one.paste(0, (27, 10, 33, 50))\n"
            "    one.save(path)\n"
            "    import contextlib\n"
            "    with contextlib.redirect_stdout(io.StringIO()):\n"
            "        assert inksight.cli.run(['read', str(path), '--json', '--model', 'small']) == 0\n",
            ("jax", "matplotlib", "scipy", "loky", "inksight.reading.grid", "inksight.imaging.perspective"),
        ),
        pytest.param(
            "import PIL.Image, PIL.ImageDraw, inksight.cli\n"
            "seven = PIL.Image.new('L', (60, 60), 255)\n"
            "PIL.ImageDraw.Draw(seven).line([(15, 14), (44, 12), (28, 50)], fill=0, width=5)\n"
            "assert inksight.read(seven).text == '7'\n",
            (
                "jax",
                "matplotlib",
                "jinja2",
                "rich",
                "scipy",
                "numpy.random",
                "inksight.inspection.nearest",
                "inksight.reading.grid",
            ),
            marks=pytest.mark.skipif(not native.computes(), reason="without the engine NumPy predicts"),
        ),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code, absent):
    check = f"{code}\nimport sys\nprint([m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ROOMS = [path.parent.name for path in sorted(ROOT.glob("*/__init__.pyi"))]


def test_every_room_but_the_inner_ones_lists_its_names_in_a_stub():
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} - {*ROOMS} == {"_shared", "cli"}


@pytest.mark.parametrize("module", ["inksight", *(f"inksight.{room}" for room in ROOMS)])
def test_every_public_name_is_there(module):
    package = __import__(module, fromlist=["__all__"])
    for name in package.__all__:
        assert getattr(package, name) is not None
    # The extra of one name may not be installed, so that `import *` leaves it out.
    assert {*dir(package)} - {"DigitClassifier"} == {*package.__all__} - {"DigitClassifier"}
    with pytest.raises(AttributeError, match="read_minds"):
        _ = package.read_minds


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_no_module_has_the_name_of_a_public_function(room):
    # The import of such a module would replace the function as an attribute of the package.
    stub = ast.parse((ROOT / room / "__init__.pyi").read_text())
    public = {a.name for node in stub.body if isinstance(node, ast.ImportFrom) and node.module for a in node.names}
    modules = {path.stem for path in (ROOT / room).iterdir() if path.suffix == ".py" or path.is_dir()}
    assert public & modules == set()


def test_a_public_function_stays_public_when_its_module_is_imported():
    code = "import inksight.training.fitting, inksight.inspection.barcodes, inksight; assert callable(inksight.train)"
    subprocess.run([sys.executable, "-c", code], check=True)
