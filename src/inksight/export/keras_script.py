"""`write_keras`: a model as a Keras script, with its weights in a NumPy file."""

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight.export.script import Framework, write_script
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike

SCRIPT = '''{head}
from pathlib import Path

import keras
import numpy as np
from keras import layers

CLASS_NAMES = {class_names!r}


def build():
    """Return the network with random weights."""
    return keras.Sequential([
        {layers},
    ], name="inksight")


def load(weights=Path(__file__).with_name({weights!r})):
    """Return the network with its trained weights."""
    network = build()
    with np.load(weights) as arrays:
        for layer in network.layers:
            layer.set_weights([arrays[f"{{layer.name}}.{{weight.name}}"] for weight in layer.weights])
    return network


if __name__ == "__main__":
    load().summary()
'''


def write_keras(model: ModelLike, path: str | os.PathLike[str]) -> list[Path]:
    """Write a model as a short script that builds it in Keras 3, and its weights as ``.npz`` beside it.

    The function ``load`` of the script returns a `keras.Sequential` with the layers of the network, from uint8 images
    (n, 28, 28) to probabilities. Its layer ``barcode`` gives the barcode.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    path : path-like
        The script to write; its name ends in ``.py``.

    Returns
    -------
    list of Path
        The script and the weights.

    Raises
    ------
    InputError
        If the model does not exist, or the name is another one or cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     [path.name for path in write_keras("tiny", Path(folder) / "tiny.py")]
    ['tiny.py', 'tiny.npz']
    """
    return write_script(model, path, Framework("Keras", SCRIPT, ".npz", _layers, lambda model: _as_npz(_arrays(model))))


def _layers(model: Model) -> Iterator[str]:
    """Yield the layers as Python."""
    network, normalization = model.network, model.normalization
    leaky = f"layers.LeakyReLU({network.leak!r})"
    yield 'keras.Input((28, 28), dtype="uint8")'
    yield "layers.Reshape((28, 28, 1))"
    yield "layers.Rescaling(1 / 255)"
    yield f"layers.Normalization(mean={normalization.mean!r}, variance={normalization.variance!r})"
    for number, bank in enumerate(network.banks, start=1):
        kind = "SeparableConv2D" if bank.separable else "Conv2D"
        yield f'layers.{kind}({bank.filters}, {bank.kernel}, name="bank{number}")'
        if bank.pool == 2:
            yield "layers.MaxPooling2D(2)"
        yield leaky
    yield 'layers.GlobalAveragePooling2D(name="barcode")'
    if network.dense:
        yield f'layers.Dense({network.dense}, name="dense")'
        yield leaky
    yield f'layers.Dense({network.classes}, name="output")'
    yield 'layers.Softmax(name="probabilities")'


def _arrays(model: Model) -> dict[str, NDArray[np.float32]]:
    """Return the weights by the names and in the shapes of Keras."""
    arrays = {}
    for name, array in model.params.items():
        layer, part = name.split(".")
        if part == "depthwise":
            arrays[f"{layer}.depthwise_kernel"] = array[..., None]
        elif part == "pointwise":
            arrays[f"{layer}.pointwise_kernel"] = array[None, None]
        else:
            arrays[name] = array
    return arrays


def _as_npz(arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Return the bytes of an ``.npz`` file without times, so that the same weights always give the same file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return content.getvalue()
