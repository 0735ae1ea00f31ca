"""The scripts that build the engine: where they need a compiler from PyPI, and what they compile and export."""

import importlib
import platform
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import inksight
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


@pytest.fixture
def wheels(tool, monkeypatch, tmp_path):
    """Return the script that builds wheels, and a function that checks a library of the given content and exports."""
    lief = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "lief", lief)
    script = tool("build_wheels")

    def check(name, exported, content=b""):
        library = tmp_path / "library"
        library.write_bytes(content)
        lief.parse = lambda path: SimpleNamespace(exported_functions=[SimpleNamespace(name=each) for each in exported])
        script.check(library, script.PLATFORMS[name])

    return script, check


@pytest.mark.parametrize(("name", "prefix"), [("linux-x86_64", ""), ("macos-arm64", "_"), ("windows-amd64", "")])
def test_a_wheel_whose_library_lacks_a_function_is_refused(wheels, name, prefix):
    script, check = wheels
    functions = [prefix + function for function in script.exported_functions()]
    check(name, functions)
    with pytest.raises(SystemExit, match=r"library lacks inksight_abi, inksight_predict$"):
        check(name, [each for each in functions if each not in (f"{prefix}inksight_abi", f"{prefix}inksight_predict")])


def test_on_linux_a_library_exports_nothing_but_the_interface(wheels):
    script, check = wheels
    functions = [*script.exported_functions(), "_Znwm"]
    check("windows-amd64", functions)
    with pytest.raises(SystemExit, match="only the interface, but it exports Znwm"):
        check("linux-aarch64", functions)


def test_a_wheel_that_holds_a_path_of_this_machine_is_refused(wheels):
    script, check = wheels
    with pytest.raises(SystemExit, match="holds the path of the folder that it was built in"):
        check("macos-arm64", script.exported_functions(), b"\0" + str(ROOT / "build").encode() + b"\0")


def test_every_platform_has_its_wheel(wheels):
    script, _ = wheels
    tags = {platform.tag for platform in script.PLATFORMS.values()}
    manylinux, macos = ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64"), ("macosx_11_0_arm64", "macosx_11_0_x86_64")
    assert tags == {*manylinux, *macos, "win_amd64"}
    assert script.MAX_SIZE == 16_000_000


def test_webassembly_has_the_whole_engine_except_threads(tool):
    script = tool("build_wasm")
    sources = {path.relative_to(NATIVE).as_posix() for path in NATIVE.rglob("*.cpp")}
    assert sources - set(script.SOURCES) == {"api/interface.cpp", "runtime/pool.cpp"}
    assert set(script.SOURCES) <= sources
    assert set(script.EXPORTS) - {"malloc", "free"} <= {*tool("zig").exported_functions()}


def test_webassembly_ships_and_is_small(tool):
    script = tool("build_wasm")
    assert script.MAX_SIZE == 200_000
    assert Path(inksight.__file__).parent / "assets" / "engine.wasm" == script.SHIPPED
    content = script.SHIPPED.read_bytes()
    assert content.startswith(b"\0asm\1\0\0\0")
    assert len(content) <= script.MAX_SIZE
    for name in script.EXPORTS:
        assert name.encode() in content
    assert b"wasi_snapshot" not in content  # it imports nothing


@needs_shell
def test_webassembly_that_is_too_large_is_refused(tool, monkeypatch, tmp_path, capsys):
    script = tool("build_wasm")
    made = tmp_path / "engine.wasm"
    for size in (script.MAX_SIZE, script.MAX_SIZE + 1):
        compiler = tmp_path / "zig"
        compiler.write_text(f'#!/bin/sh\nfor last; do :; done\nhead -c {size} /dev/zero >"$last"\n')
        compiler.chmod(0o755)
        monkeypatch.setattr(script, "zig", lambda compiler=compiler: compiler)
        if size == script.MAX_SIZE:
            script.build(made)
            assert "200,000 bytes" in capsys.readouterr().out
        else:
            with pytest.raises(SystemExit, match="200,001 bytes: at most 200,000 are allowed"):
                script.build(made)
