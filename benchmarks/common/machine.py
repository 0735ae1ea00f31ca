"""What a benchmark ran on, in one line."""

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path


def describe(*packages: str) -> str:
    """Return processor, usable cores, Python, the packages' versions and the date."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = "".join(f", {name} {version(name)}" for name in packages)
    return f"{_processor()}, {cores} cores, Python {platform.python_version()}{versions}, {date.today()}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor() or platform.machine()
