"""`write_torch`: a model as a PyTorch script, with its weights as a state dict in a safetensors file."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from inksight.export.script import Framework, write_script
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike

SCRIPT = '''{head}
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

CLASS_NAMES = {class_names!r}


class Normalization(nn.Module):
    """Pixels (n, 28, 28), uint8 or 0 to 1, to (n, 1, 28, 28), minus the mean, divided by the standard deviation."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("variance", torch.ones(()))

    def forward(self, images):
        pixels = images.unsqueeze(1).float() / (255 if images.dtype == torch.uint8 else 1)
        return (pixels - self.mean) / self.variance.sqrt()


def build():
    """Return the network with random weights."""
    return nn.Sequential(OrderedDict(
        {layers},
    ))


def load(weights=Path(__file__).with_name({weights!r})):
    """Return the network with its trained weights."""
    network = build()
    network.load_state_dict(load_file(weights))
    return network.eval()


if __name__ == "__main__":
    print(load())
'''


def write_torch(model: ModelLike, path: str | os.PathLike[str]) -> list[Path]:
    """Write a model as a short script that builds it in PyTorch, and its weights as ``.safetensors`` beside it.

    The function ``load`` of the script returns a `torch.nn.Sequential` with the layers of the network, from images
    (n, 28, 28) to probabilities. The weights are its state dict, which `import_model` reads again.

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
        If the model does not exist, or the name is another one or cannot be written, or the weights would replace the
        model.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     [path.name for path in write_torch("tiny", Path(folder) / "tiny.py")]
    ['tiny.py', 'tiny.safetensors']
    """
    return write_script(model, path, Framework("PyTorch", SCRIPT, ".safetensors", _layers, _as_safetensors))


def _layers(model: Model) -> Iterator[str]:
    """Yield the layers as Python."""
    network, channels = model.network, 1
    leaky = f"nn.LeakyReLU({network.leak!r})"
    yield "normalization=Normalization()"
    for number, bank in enumerate(network.banks, start=1):
        name = f"bank{number}"
        if bank.separable:
            yield f"{name}_depthwise=nn.Conv2d({channels}, {channels}, {bank.kernel}, groups={channels}, bias=False)"
            yield f"{name}_pointwise=nn.Conv2d({channels}, {bank.filters}, 1)"
        else:
            yield f"{name}=nn.Conv2d({channels}, {bank.filters}, {bank.kernel})"
        if bank.pool == 2:
            yield f"{name}_pool=nn.MaxPool2d(2)"
        yield f"{name}_activation={leaky}"
        channels = bank.filters
    yield "barcode=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())"
    if network.dense:
        yield f"dense=nn.Linear({channels}, {network.dense})"
        yield f"dense_activation={leaky}"
        channels = network.dense
    yield f"output=nn.Linear({channels}, {network.classes})"
    yield "probabilities=nn.Softmax(dim=1)"


def _arrays(model: Model) -> dict[str, NDArray[np.float32]]:
    """Return the weights by the names and in the shapes of PyTorch."""
    arrays = {name: model.normalization.arrays[name] for name in ("normalization.mean", "normalization.variance")}
    for name, array in model.params.items():
        layer, part = name.split(".")
        if part == "depthwise":  # (k, k, channels) to (channels, 1, k, k)
            arrays[f"{layer}_depthwise.weight"] = array.transpose(2, 0, 1)[:, None]
        elif part == "pointwise":  # (channels, filters) to (filters, channels, 1, 1)
            arrays[f"{layer}_pointwise.weight"] = array.T[..., None, None]
        elif part == "kernel":  # (k, k, channels, filters) to (filters, channels, k, k), or (in, out) to (out, in)
            arrays[f"{layer}.weight"] = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
        else:
            is_separable = f"{layer}.pointwise" in model.params
            arrays[f"{layer}_pointwise.bias" if is_separable else name] = array
    return arrays


def _as_safetensors(model: Model) -> bytes:
    """Return the state dict as the bytes of a file."""
    return save({name: np.asarray(array, order="C") for name, array in _arrays(model).items()})
