"""The structure of a network, in numbers: names and shapes of weights, stages, layers and their table.

And the weights to start from. No JAX here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight.config import SIDE, Network

NORMALIZATION = "normalization."


def shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array in the network's `Params`, from the image upward.

    Examples
    --------
    >>> from inksight.config import NETWORKS
    >>> shapes(NETWORKS["post"])["bank2.kernel"]
    (5, 5, 20, 20)
    """
    result: dict[str, tuple[int, ...]] = {NORMALIZATION + name: () for name in ("mean", "variance", "count")}
    channels = 1
    for number, bank in enumerate(network.banks, start=1):
        if bank.separable:
            result[f"bank{number}.depthwise"] = (bank.kernel, bank.kernel, channels)
            result[f"bank{number}.pointwise"] = (channels, bank.filters)
        else:
            result[f"bank{number}.kernel"] = (bank.kernel, bank.kernel, channels, bank.filters)
        result[f"bank{number}.bias"] = (bank.filters,)
        channels = bank.filters
    if network.dense:
        result["dense.kernel"] = (channels, network.dense)
        result["dense.bias"] = (network.dense,)
        channels = network.dense
    result["output.kernel"] = (channels, network.classes)
    result["output.bias"] = (network.classes,)
    return result


def kernel(params: Mapping[str, Any], bank: int) -> Any:
    """Return the kernels (k, k, channels, filters) of a bank, counted from 1; a separable one's are multiplied out.

    Of NumPy's arrays or JAX's, as the weights are.
    """
    name = f"bank{bank}."
    if name + "kernel" in params:
        return params[name + "kernel"]
    return params[name + "depthwise"][..., None] * params[name + "pointwise"]


def stages(network: Network) -> tuple[str, ...]:
    """Return the names of the stages an image passes, in order, as `activations` has them."""
    banks = [f"bank{number}" for number in range(1, len(network.banks) + 1)]
    return ("normalized", *banks, "barcode", *(["dense"] if network.dense else []), "logits", "probabilities")


def init(network: Network, seed: int) -> dict[str, NDArray[np.float32]]:
    """Draw starting weights: Glorot-uniform kernels, zero biases, the normalisation still the identity.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010; it is what Keras draws from by default.

    Examples
    --------
    >>> from inksight.config import NETWORKS
    >>> init(NETWORKS["post"], seed=0)["bank1.kernel"].shape
    (5, 5, 1, 20)
    """
    params = {}
    for number, (name, shape) in enumerate(shapes(network).items()):
        params[name], limit = np.zeros(shape, np.float32), 0.0
        if name.endswith(".depthwise"):  # so that, times the pointwise weights, it is as if drawn whole
            limit = math.sqrt(3 / math.prod(shape[:2]))
        elif not name.endswith(".bias") and shape:
            positions = math.prod(shape[:-2])  # of the kernel; 1 for a dense layer
            limit = math.sqrt(6 / (positions * (shape[-2] + shape[-1])))
        if limit:
            params[name] += np.random.default_rng([seed, number]).uniform(-limit, limit, shape)
    params[NORMALIZATION + "variance"] += 1
    return params


def parameter_count(network: Network, *, layer: str = "", trained: bool = False) -> int:
    """Count all parameters, those of one layer, or only the trained ones (all but the three of normalisation).

    Examples
    --------
    >>> from inksight.config import NETWORKS
    >>> parameter_count(NETWORKS["post"]), parameter_count(NETWORKS["post"], trained=True)
    (18813, 18810)
    """
    return sum(
        math.prod(shape)
        for name, shape in shapes(network).items()
        if name.startswith(layer and layer + ".") and not (trained and name.startswith(NORMALIZATION))
    )


@dataclass(frozen=True, slots=True)
class Layer:
    """One row of the summary table; `parameters` counts trained and untrained ones alike."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def layers(network: Network) -> list[Layer]:
    """List the network's layers as Keras names and counts them, for one image."""

    def count(layer: str) -> int:
        return parameter_count(network, layer=layer)

    rows = [Layer("normalization", "Normalization", (SIDE, SIDE, 1), count("normalization"))]
    side = SIDE
    for number, (bank, after) in enumerate(zip(network.banks, network.sides, strict=True), start=1):
        side = side - bank.kernel + 1
        kind = "SeparableConv2D" if bank.separable else "Conv2D"
        rows.append(Layer(f"bank{number}", kind, (side, side, bank.filters), count(f"bank{number}")))
        if bank.pool > 1:
            rows.append(Layer(f"bank{number}_pool", "MaxPooling2D", (after, after, bank.filters), 0))
        side = after
    rows.append(Layer("barcode", "GlobalAveragePooling2D", (network.banks[-1].filters,), 0))
    if network.dense:
        rows.append(Layer("dense", "Dense", (network.dense,), count("dense")))
    rows.append(Layer("output", "Dense", (network.classes,), count("output")))
    return rows


def summary(network: Network) -> str:
    """Return the table that Keras' ``model.summary()`` prints."""
    rows = [(f"{row.name} ({row.kind})", str((None, *row.shape)), f"{row.parameters:,}") for row in layers(network)]
    heads = ("Layer (type)", "Output Shape", "Param #")
    widths = [max(len(line[column]) for line in [heads, *rows]) for column in range(3)]

    def line(cells: tuple[str, str, str]) -> str:
        return f"{cells[0]:<{widths[0]}}  {cells[1]:<{widths[1]}}  {cells[2]:>{widths[2]}}"

    rule = "─" * len(line(heads))
    total, trained = parameter_count(network), parameter_count(network, trained=True)
    totals = [
        f"Total params: {total:,}",
        f"Trainable params: {trained:,}",
        f"Non-trainable params: {total - trained:,}",
    ]
    return "\n".join([rule, line(heads), rule, *map(line, rows), rule, *totals])
