"""A script that builds a network in another framework, and the file of its weights: written next to each other."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from inksight import __version__
from inksight._shared.files import as_path, check_writable, write_bytes, write_text
from inksight._shared.validation import check
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model

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


@dataclass(frozen=True)
class Framework:
    """A framework that a network is written for.

    Parameters
    ----------
    name : str
    template : str
        The script, with places for ``head`` (its docstring), ``class_names``, ``weights`` (their file) and ``layers``.
    suffix : str
        Of the name of the file of the weights.
    layers : callable
        Yields the layers of a model as Python.
    content : callable
        Returns the bytes of the file of the weights.
    """

    name: str
    template: str
    suffix: str
    layers: Callable[[Model], Iterable[str]]
    content: Callable[[Model], bytes]


def write_script(model: ModelLike, script: str | os.PathLike[str], framework: Framework) -> list[Path]:
    """Write a script and its weights, and return their paths.

    Raises
    ------
    InputError
        If the model does not exist, the name does not end in ``.py`` or cannot be written, or the weights would replace
        the model.
    """
    loaded = as_model(model)
    weights = weights_path(script, framework.suffix)
    is_model = isinstance(model, str | os.PathLike) and weights.exists() and weights.resolve() == Path(model).resolve()
    check(
        not is_model, "name of the script", str(script), f"another one: its weights would replace the model {weights}"
    )
    head = HEAD.format(
        framework=framework.name, classes=loaded.network.classes, version=__version__, digest=loaded.digest[:16]
    )
    text = framework.template.format(
        head=head, class_names=loaded.class_names, weights=weights.name,
        layers=",\n        ".join(framework.layers(loaded)),
    )  # fmt: skip
    check_writable(script)  # before the first file is replaced
    write_bytes(weights, framework.content(loaded))
    write_text(script, text)
    return [as_path(script), weights]
