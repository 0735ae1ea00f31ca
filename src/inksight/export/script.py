"""A script that builds a network in another framework, and the file of its weights: written next to each other."""

import os
from pathlib import Path

from inksight import __version__
from inksight._shared.files import as_path, check_writable, write_bytes, write_text
from inksight._shared.validation import check
from inksight.nn.model import Model

HEAD = '''"""A network for images of 28x28 pixels in {framework}. Its weights are in the file next to this one.

Input: (n, 28, 28) uint8, high values for ink on a background of 0. As in MNIST, the digit fits a box of 20x20 pixels,
and its center of mass is in the middle. Output: the probability of each class, (n, {classes}).

Written by inksight {version} for the weights {digest}.
"""
'''


def weights_path(script: str | os.PathLike[str], suffix: str) -> Path:
    """Return the path of the weights beside a script; raise `InputError` if the script is not named ``*.py``."""
    path = as_path(script)
    check(path.suffix == ".py", "name of the script", str(script), "one that ends in .py")
    return path.with_suffix(suffix)


def head(model: Model, framework: str) -> str:
    """Return the docstring of a script."""
    return HEAD.format(
        framework=framework, classes=model.network.classes, version=__version__, digest=model.digest[:16]
    )


def write_pair(script: str | os.PathLike[str], text: str, weights: Path, content: bytes) -> list[Path]:
    """Write a script and its weights, and return their paths."""
    check_writable(script)  # before the first file is replaced
    write_bytes(weights, content)
    write_text(script, text)
    return [as_path(script), weights]
