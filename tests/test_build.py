"""The scripts that build the engine: where they need a compiler from PyPI, and what they compile and export."""

import importlib
import platform
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from inksight.engine.interface import FUNCTIONS

ROOT = Path(__file__).parents[1]
NATIVE = ROOT / "native"


@pytest.fixture
def tool(monkeypatch):
    """Return a function that imports a script of tools/, with a stand-in for scikit-build-core."""
    names = ("build_editable", "build_sdist", "build_wheel", "get_requires_for_build_sdist")
    build = SimpleNamespace(
        **dict.fromkeys(names), get_requires_for_build_editable=lambda settings: ["ninja"],
        get_requires_for_build_wheel=lambda settings: ["cmake"],
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "scikit_build_core.build", build)
    monkeypatch.setitem(sys.modules, "scikit_build_core", SimpleNamespace(build=build))
    monkeypatch.syspath_prepend(str(ROOT / "tools"))

    def load(name):
        monkeypatch.delitem(sys.modules, name, raising=False)
        module = importlib.import_module(name)
        monkeypatch.delitem(sys.modules, name)  # leave nothing behind
        return module

    return load


@pytest.fixture
def compilers(monkeypatch, tmp_path):
    """Return a function that puts programs on an otherwise empty PATH, each of which ends with the given code."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")

    def install(**codes):
        for name, code in codes.items():
            program = tmp_path / name.replace("cxx", "c++").replace("gxx", "g++")
            program.write_text(f"#!/bin/sh\nexit {code}\n")
            program.chmod(0o755)

    return install


needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins for compilers are shell scripts")


def test_the_build_downloads_a_compiler_where_there_is_none(tool, compilers):
    backend = tool("backend")
    assert backend.get_requires_for_build_wheel() == ["cmake", backend.ZIG]
    assert backend.get_requires_for_build_editable() == ["ninja", backend.ZIG]


@needs_shell
def test_a_compiler_that_only_asks_to_install_one_is_none(tool, compilers):
    compilers(cxx=1)
    backend = tool("backend")
    assert backend.compiler_requires() == [backend.ZIG]


@needs_shell
@pytest.mark.parametrize("codes", [{"cxx": 0}, {"gxx": 0}, {"cxx": 1, "gxx": 0}])
def test_the_build_downloads_no_compiler_where_there_is_one(tool, compilers, codes):
    compilers(**codes)
    assert tool("backend").get_requires_for_build_wheel() == ["cmake"]


def test_cxx_decides_even_if_it_names_no_compiler(tool, compilers, monkeypatch):
    monkeypatch.setenv("CXX", "none")
    assert tool("backend").compiler_requires() == []


@pytest.mark.parametrize(("system", "machine"), [("FreeBSD", "x86_64"), ("Linux", "riscv64")])
def test_the_build_downloads_nothing_for_a_platform_without_the_package(tool, compilers, monkeypatch, system, machine):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert tool("backend").compiler_requires() == []


def test_the_wheels_are_checked_for_every_function_of_the_interface(tool):
    assert {*tool("zig").exported_functions()} == {"inksight_abi", "inksight_interface", *FUNCTIONS}


def test_webassembly_has_the_whole_engine_except_threads(tool):
    script = tool("build_wasm")
    sources = {path.relative_to(NATIVE).as_posix() for path in NATIVE.rglob("*.cpp")}
    assert sources - set(script.SOURCES) == {"api/interface.cpp", "runtime/pool.cpp"}
    assert set(script.SOURCES) <= sources
    assert set(script.EXPORTS) - {"malloc", "free"} <= {*tool("zig").exported_functions()}
