"""Build the wheels for all platforms on one machine: ``python tools/build_wheels.py [PLATFORM...]``, into ``dist/``.

Zig compiles the engine for each platform, with the lists and options of native/CMakeLists.txt. Needs the packages
``build``, ``cmake``, ``lief``, ``ninja``, ``wheel`` and ``ziglang``.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import lief
from zig import NATIVE, ROOT, exported_functions, zig

MAX_SIZE = 16_000_000  # bytes of a wheel; MNIST has 11.5 million


@dataclass(frozen=True)
class Platform:
    """A platform that a wheel is for."""

    target: str  # in Zig's words
    tag: str  # in the wheel's name
    system: str  # in CMake's words
    processor: str
    library: str


PLATFORMS = {
    "linux-x86_64": Platform(
        "x86_64-linux-gnu.2.28", "manylinux_2_28_x86_64", "Linux", "x86_64", "libinksight.so"),
    "linux-aarch64": Platform(
        "aarch64-linux-gnu.2.28", "manylinux_2_28_aarch64", "Linux", "aarch64", "libinksight.so"),
    "macos-arm64": Platform("aarch64-macos.11.0", "macosx_11_0_arm64", "Darwin", "arm64", "libinksight.dylib"),
    "macos-x86_64": Platform("x86_64-macos.11.0", "macosx_11_0_x86_64", "Darwin", "x86_64", "libinksight.dylib"),
    "windows-amd64": Platform("x86_64-windows-gnu", "win_amd64", "Windows", "AMD64", "libinksight.dll"),
}  # fmt: skip


def main(names: list[str]) -> None:
    """Build the wheels for some platforms, by default for all.

    Raises
    ------
    SystemExit
        If there is no such platform, a library lacks a function of the interface, or a wheel is too large.
    """
    for name in names:
        if name not in PLATFORMS:
            sys.exit(f"the platform must be one of {', '.join(PLATFORMS)}, got {name!r}")
    with tempfile.TemporaryDirectory() as temporary:
        pure = build_pure_wheel(Path(temporary))
        for name in names or PLATFORMS:
            wheel = pack(pure, build_library(name), PLATFORMS[name], Path(temporary) / name)
            size = wheel.stat().st_size
            if size > MAX_SIZE:
                sys.exit(f"{wheel} has {size:,} bytes: at most {MAX_SIZE:,} are allowed")
            print(f"{wheel}: {size:,} bytes")


def build_pure_wheel(folder: Path) -> Path:
    """Build the wheel without an engine, which all platforms share."""
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, env=os.environ | {"CXX": "none"})
    (wheel,) = folder.glob("*.whl")
    return wheel


def build_library(name: str) -> Path:
    """Compile the engine for a platform, and check that it exports the whole interface."""
    platform, folder = PLATFORMS[name], ROOT / "build" / name
    definitions = {
        "CMAKE_SYSTEM_NAME": platform.system,
        "CMAKE_SYSTEM_PROCESSOR": platform.processor,
        # The options are those of native/CMakeLists.txt.
        "CMAKE_CXX_COMPILER": f"{zig()};c++;-target;{platform.target};-mcpu=baseline;-s;-O3",
        # CMake wants these for Windows and for macOS, but there is nothing to do for them.
        "CMAKE_RC_COMPILER": zig(),
        "CMAKE_INSTALL_NAME_TOOL": zig(),
        "Python_EXECUTABLE": sys.executable,
    }
    run("cmake", "-S", NATIVE, "-B", folder, "-GNinja", *(f"-D{key}={value}" for key, value in definitions.items()))
    run("cmake", "--build", folder)
    library = folder / platform.library
    check(library, platform)
    return library


def check(library: Path, platform: Platform) -> None:
    """Check that a library exports every function of the interface, and holds no path of the machine that built it.

    Raises
    ------
    SystemExit
        If a function is missing, with which Python would refuse the library, or there is such a path. On Linux, also if
        the library exports anything else: see native/api/exports.map.
    """
    if str(ROOT).encode() in library.read_bytes():
        sys.exit(f"{library} holds the path of the folder that it was built in")
    declared, exported = set(exported_functions()), exports(library)
    if missing := declared - exported:
        sys.exit(f"{library} lacks {', '.join(sorted(missing))}")
    if platform.system == "Linux" and (others := exported - declared):
        sys.exit(f"{library} must export only the interface, but it exports {', '.join(sorted(others))}")


def exports(library: Path) -> set[str]:
    """Return the names of the functions that a library of any platform exports. On macOS they begin with ``_``."""
    parsed = lief.parse(str(library))
    assert parsed is not None, library
    return {str(symbol.name).removeprefix("_") for symbol in parsed.exported_functions}


def pack(pure: Path, library: Path, platform: Platform, folder: Path) -> Path:
    """Add a library to the wheel that all platforms share; return the platform's wheel, in ``dist/``."""
    run(sys.executable, "-m", "wheel", "unpack", "--dest", folder, pure)
    (root,) = folder.iterdir()
    (root / "inksight" / platform.library).write_bytes(library.read_bytes())
    (tags,) = root.glob("*.dist-info/WHEEL")
    lines = [
        line for line in tags.read_text().splitlines() if line and not line.startswith(("Tag:", "Root-Is-Purelib:"))
    ]
    lines += ["Root-Is-Purelib: false", f"Tag: py3-none-{platform.tag}"]
    tags.write_text("\n".join(lines) + "\n")
    (ROOT / "dist").mkdir(exist_ok=True)
    run(sys.executable, "-m", "wheel", "pack", "--dest-dir", ROOT / "dist", root)
    return next((ROOT / "dist").glob(f"*-py3-none-{platform.tag}.whl"))


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a command; stop if it fails."""
    if subprocess.run(command, env=env, check=False).returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")


if __name__ == "__main__":
    main(sys.argv[1:])
