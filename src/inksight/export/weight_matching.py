"""Weights that came without a description of their network, matched to a network by their shapes."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.config import NETWORKS, Network
from inksight.errors import InputError
from inksight.nn.parameters import param_shapes

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Weights:
    """The kernel and the bias of one layer, in the shapes of Keras.

    Parameters
    ----------
    name : str
        Name of the layer in its file.
    kernel : (k, k, channels, filters) or (in, out) float32
    bias : (filters,) float32 or None
        None for a layer without one.
    """

    name: str
    kernel: Floats
    bias: Floats | None

    def __str__(self) -> str:
        return f"{self.name} {self.kernel.shape}"


def natural_order(name: str) -> list[tuple[int, str]]:
    """Return a sort key by which ``conv10`` comes after ``conv2``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def match(layers: list[Weights], network: Network | None, classes: int) -> tuple[Network, dict[str, Floats]]:
    """Return the network that layers belong to, and its parameters.

    Parameters
    ----------
    layers : list of Weights
        In natural order of their names. For a separable bank, the depthwise kernel is a layer of its own.
    network : Network or None
        None finds the preset that has layers of these shapes.
    classes : int
        Number of classes of a preset.

    Raises
    ------
    InputError
        If a layer has no place in the network, or the network needs another one.
    """
    if network is not None:
        return network, _assign(layers, network)
    for preset in NETWORKS.values():
        candidate = replace(preset, classes=classes)
        try:
            return candidate, _assign(layers, candidate)
        except InputError:
            continue
    raise InputError(
        f"shapes of the weights must be those of one of {', '.join(NETWORKS)}, got {', '.join(map(str, layers))}: "
        "describe the network, such as --network 16x5p,32x3,d20 (p: max-pooled, s: separable, d: dense layer)"
    )


def _assign(layers: list[Weights], network: Network) -> dict[str, Floats]:
    params: dict[str, Floats] = {}
    left = list(layers)
    for kernel, bias in _expected(network):
        shape, size = kernel[1], math.prod(kernel[1])
        # Of several layers with the same shape, the first by name is the one nearest to the input.
        fitting = (
            layer
            for layer in left
            if _stripped(layer.kernel.shape) == _stripped(shape)
            and layer.kernel.size == size
            and (layer.bias is None or (bias is not None and layer.bias.shape == bias[1]))
        )
        found = next(fitting, None)
        if found is None:
            raise InputError(
                f"the network {network.spec} needs a layer of shape {shape} for {kernel[0]}, got "
                f"{', '.join(map(str, left)) or 'no more layers'}: give the network that the weights belong to"
            )
        left.remove(found)
        params[kernel[0]] = found.kernel.reshape(shape)
        if bias is not None:
            params[bias[0]] = np.zeros(bias[1], np.float32) if found.bias is None else found.bias
    check(not left, "layers", ", ".join(map(str, left)), f"those of the network {network.spec} alone")
    return params


def _stripped(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without axes of length 1, in which the layouts of depthwise and pointwise kernels differ."""
    return tuple(length for length in shape if length != 1)


Parameter = tuple[str, tuple[int, ...]]


def _expected(network: Network) -> Iterator[tuple[Parameter, Parameter | None]]:
    """Yield name and shape of the kernel and of the bias of each layer."""
    shapes = [*param_shapes(network).items()]
    while shapes:
        kernel = shapes.pop(0)
        yield kernel, None if kernel[0].endswith(".depthwise") else shapes.pop(0)


def as_floats(name: str, array: NDArray[np.generic]) -> Floats:
    """Return an array of a file as float32; raise `InputError` if it has other numbers."""
    check(array.dtype.kind == "f", f"type of {name}", str(array.dtype), "floating-point numbers")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which `Model` refuses
        return np.ascontiguousarray(array, np.float32)


def pairs(arrays: Mapping[str, Floats], kernel: str, bias: str) -> Iterator[tuple[str, Floats, Floats | None]]:
    """Yield layer, kernel and bias of arrays that are named ``LAYER.kernel`` and ``LAYER.bias``, in natural order."""
    layers = {name.rpartition(".")[0] for name in arrays}
    for layer in sorted(layers, key=natural_order):
        parts = {name.removeprefix(f"{layer}.") for name in arrays if name.rpartition(".")[0] == layer}
        check(
            kernel in parts and parts <= {kernel, bias}, f"arrays of the layer {layer!r}", sorted(parts),
            f"{kernel} and {bias}", "such a layer is not one of the networks of inksight",
        )  # fmt: skip
        yield layer, arrays[f"{layer}.{kernel}"], arrays.get(f"{layer}.{bias}")
