"""The package's metadata, the files that pin dependencies and tools, and what `make` says where it cannot install."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [*PROJECT["dependencies"], *(each for extra in EXTRAS.values() for each in extra)]
PRODUCT_EXTRAS = ("arrow", "heif", "jax", "keras", "onnx", "pdf", "ray", "remote", "serve", "sklearn")
PRODUCT = [*PROJECT["dependencies"], *(each for name in PRODUCT_EXTRAS for each in EXTRAS[name])]
TOOLS = [*EXTRAS["docs"], *EXTRAS["post"], *EXTRAS["test"]]

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def pinned(name):
    """Return the versions that a constraints file pins, by name."""
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith(("#", "-c ")))


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(requirements):
    """Return the normalized names of what is installed for requirements: they, what they require, and so on."""
    names, rest = set(), [Requirement(each) for each in requirements]
    while rest:
        requirement = rest.pop()
        name = normalized(requirement.name)
        if name in names or name == "inksight":
            continue
        try:
            needed = [Requirement(each) for each in requires(name) or ()]
        except PackageNotFoundError:  # needed on another system, or a tool that is not installed here
            continue
        names.add(name)
        chosen = requirement.extras or {""}
        rest += [
            each
            for each in needed
            if not each.marker or any(each.marker.evaluate({"extra": extra}) for extra in chosen)
        ]
    return names


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_dependency_has_a_lower_bound(requirement):
    assert ">=" in requirement or requirement.startswith("inksight[")


def test_the_oldest_versions_are_the_lower_bounds():
    bounds = dict(re.split(">=", requirement) for requirement in PRODUCT)
    oldest = pinned("constraints-oldest.txt")
    others = ("aiobotocore", "boto3", "botocore", "jaxlib", "hypothesis", "pyparsing", "pytest")
    assert {name: version for name, version in oldest.items() if name not in others} == bounds
    assert oldest["jaxlib"] == oldest["jax"]


def test_dependencies_and_tools_are_pinned_apart():
    product = {normalized(name) for name in pinned("constraints.txt")}
    tools = {normalized(name) for name in pinned("constraints-tools.txt")}
    needed = closure(PRODUCT)
    assert {"jax", "jaxlib", "numpy", "markupsafe", "pyarrow", "scikit-learn"} <= needed
    assert needed - product == set()
    assert needed & tools == set()
    assert {"hypothesis", "mypy", "pytest", "pytest-xdist"} <= closure(TOOLS) - needed
    assert closure(TOOLS) - needed - tools == set()
    assert (closure(TOOLS) - needed) & product == set()
    assert product & tools == set()
    assert "\n-c constraints.txt\n" in (ROOT / "constraints-tools.txt").read_text()


def make(*arguments, folder=ROOT, **environment):
    """Run `make` in a folder, in the environment of the tests; return its exit code and its output."""
    command = ["make", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True)
    return done.returncode, done.stdout


@needs_make
def test_make_says_why_the_engine_is_missing(tmp_path):
    binaries = f"BIN={Path(sys.executable).parent}"
    (tmp_path / "broken.so").touch()
    code, output = make("engine", binaries, INKSIGHT_LIBRARY=str(tmp_path / "broken.so"))
    assert code == 0
    assert re.fullmatch(r"Everything works, but training is about ten times slower .*install inksight again\n", output)


@needs_make
def test_make_says_what_to_install_where_there_is_no_python(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in ("native", "src"):
        (tmp_path / folder).mkdir()
    code, output = make(".venv/python", "PYTHON=", folder=tmp_path)
    assert code == 2
    assert "python3-venv" in output
    assert "PYTHON=/path/to/python3" in output
    assert not (tmp_path / ".venv" / "python").exists()


@needs_make
def test_make_says_so_where_the_installation_fails(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in ("native", "src", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("pyproject.toml", "constraints.txt", ".venv/python"):
        (tmp_path / file).touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    code, output = make(".venv/product", folder=tmp_path)
    assert code == 2
    assert "The installation failed" in output
    assert not (tmp_path / ".venv" / "product").exists()


@needs_make
def test_make_explore_ends_with_the_next_commands(tmp_path):
    inksight = tmp_path / "inksight"
    inksight.write_text('#!/bin/sh\necho "$@"\n')
    inksight.chmod(0o755)
    code, output = make("-o", ".venv/product", "explore", f"BIN={tmp_path}")
    assert code == 0
    assert "\nexplore --out explore\n" in output
    assert "\n  source .venv/bin/activate " in output
    picture = re.search(r"\n  inksight read (\S+) ", output)
    assert picture is not None
    assert (ROOT / picture[1]).is_file()
