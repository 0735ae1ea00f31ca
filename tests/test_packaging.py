"""The package's metadata: lower bounds for every dependency, and a file that pins exactly those."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [*PROJECT["dependencies"], *(each for extra in EXTRAS.values() for each in extra)]
OLDEST = dict(
    line.split("==") for line in (ROOT / "constraints-oldest.txt").read_text().splitlines() if not line.startswith("#")
)


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_dependency_has_a_lower_bound(requirement):
    assert ">=" in requirement or requirement.startswith("inksight[")


def test_the_oldest_versions_are_the_lower_bounds():
    tested = [*PROJECT["dependencies"], *EXTRAS["arrow"], *EXTRAS["sklearn"]]
    bounds = dict(re.split(">=", requirement) for requirement in tested)
    pinned = {
        name: version for name, version in OLDEST.items() if name not in ("jaxlib", "hypothesis", "pyparsing", "pytest")
    }
    assert pinned == bounds
    assert OLDEST["jaxlib"] == OLDEST["jax"]
