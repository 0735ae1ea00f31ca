"""Runs commands and scripts in the process of the tests."""

import importlib.util
from pathlib import Path
from types import ModuleType

from inksight import cli


def outputs(capsys, *arguments, code=0):
    """Run one command in this process; return its standard output and error as ``out`` and ``err``."""
    assert cli.run([str(argument) for argument in arguments]) == code, capsys.readouterr().err
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return captured


def command(capsys, *arguments, code=0):
    """Run one command in this process; return its output, or its errors if the exit code is not 0."""
    captured = outputs(capsys, *arguments, code=code)
    return captured.out if code == 0 else captured.err


def import_script(path: Path) -> ModuleType:
    """Import a script that is not part of a package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
