"""The build backend: scikit-build-core, and a compiler from PyPI for machines that have none."""

import os
import platform
import shutil
import subprocess

from scikit_build_core.build import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_editable as editable_requires,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel as wheel_requires,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

# Zig is a C++ compiler, Clang, with the headers and libraries of every platform. native/CMakeLists.txt looks for it.
ZIG = "ziglang>=0.16"
# The platforms for which PyPI has it. Elsewhere the package installs without its engine.
SYSTEMS = ("Linux", "Darwin", "Windows")
MACHINES = ("x86_64", "amd64", "aarch64", "arm64")
Settings = dict[str, str | list[str]] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Return what building a wheel needs in addition to pyproject.toml's list."""
    return [*wheel_requires(config_settings), *compiler_requires()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """Return what building an editable wheel needs in addition to pyproject.toml's list."""
    return [*editable_requires(config_settings), *compiler_requires()]


def compiler_requires() -> list[str]:
    """Return the package that brings a compiler, or nothing if this machine has one or ``CXX`` names one.

    ``CXX`` always decides, even if it names no compiler: the engine is then left out, and nothing is downloaded.
    """
    offered = platform.system() in SYSTEMS and platform.machine().lower() in MACHINES
    if not offered or os.environ.get("CXX") or any(compiles(name) for name in ("c++", "g++", "clang++")):
        return []
    return [ZIG]


def compiles(compiler: str) -> bool:
    """Return whether a compiler is installed and usable. macOS has a c++ that only asks to install one."""
    path = shutil.which(compiler)
    if path is None:
        return False
    command = [path, "-x", "c++", "-std=c++17", "-fsyntax-only", "-"]
    return subprocess.run(command, input=b"#include <vector>\n", capture_output=True, check=False).returncode == 0
