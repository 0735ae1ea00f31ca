"""A one-line description of the machine that a benchmark runs on."""

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

from inksight.engine import library


def describe(*packages: str) -> str:
    """Return processor, engine with instruction set, usable cores, versions of Python and of packages, and the date."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    engine = library.engine() or "no native engine"
    versions = "".join(f", {name} {version(name)}" for name in packages)
    return f"{_processor()}, {engine}, {cores} cores, Python {platform.python_version()}{versions}, {date.today()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor() or platform.machine()
