"""Zig's C++ compiler, from the package ``ziglang``, and the engine's source files."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NATIVE = ROOT / "native"


def zig() -> Path:
    """Return the path of the compiler.

    Raises
    ------
    SystemExit
        If the package is not installed.
    """
    try:
        import ziglang
    except ImportError:
        sys.exit("the compiler is missing: pip install ziglang")
    return Path(str(ziglang.__file__)).with_name("zig.exe" if sys.platform == "win32" else "zig")


def exported_functions() -> list[str]:
    """Return the names of the functions that the C interface declares."""
    header = re.sub(r"/\*.*?\*/", "", (NATIVE / "api" / "inksight.h").read_text(), flags=re.DOTALL)
    return re.findall(r"\b(inksight_\w+)\([^)]*\);", header)
