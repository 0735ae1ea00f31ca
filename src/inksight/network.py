"""The network as pure functions: its weights, its forward pass by stage name, its table.

Weights and normalisation are one flat dict, `Params`, under the names they have in the model file:
``normalization.mean``, ``bank1.kernel``, ``bank1.bias``, ..., ``dense.kernel``, ``output.bias``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from inksight.config import SIDE, Network
from inksight.ops import conv_block

Params = Mapping[str, Array]
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


def stages(network: Network) -> tuple[str, ...]:
    """Return the names of the stages an image passes, in order, as `activations` has them."""
    banks = [f"bank{number}" for number in range(1, len(network.banks) + 1)]
    return ("normalized", *banks, "barcode", *(["dense"] if network.dense else []), "logits", "probabilities")


def init(network: Network, seed: int) -> dict[str, Array]:
    """Draw starting weights: Glorot-uniform kernels, zero biases, the normalisation still the identity.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010; it is what Keras draws from by default.
    """
    glorot = jax.nn.initializers.glorot_uniform()
    params: dict[str, Array] = {}
    for number, (name, shape) in enumerate(shapes(network).items()):
        key = jax.random.fold_in(jax.random.key(seed), number)
        params[name] = glorot(key, shape) if name.endswith(".kernel") else jnp.zeros(shape)
    params[NORMALIZATION + "variance"] = jnp.ones(())
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


def normalize(params: Params, images: Array) -> Array:
    """Bring images (n, 28, 28), uint8 or float 0..1, to (n, 28, 28, 1) of the training set's mean 0, variance 1."""
    pixels = images.astype(jnp.float32) / 255 if images.dtype == jnp.uint8 else images
    normalized = (pixels - params[NORMALIZATION + "mean"]) / jnp.sqrt(params[NORMALIZATION + "variance"])
    return normalized[..., None]


def head(network: Network, params: Params, barcodes: Array) -> dict[str, Array]:
    """Return the stages above the barcodes (n, filters): ``dense`` if there is one, and ``logits`` (n, classes)."""
    result = {}
    x = barcodes
    if network.dense:
        x = x @ params["dense.kernel"] + params["dense.bias"]
        x = result["dense"] = jnp.where(x > 0, x, network.leak * x)
    result["logits"] = x @ params["output.kernel"] + params["output.bias"]
    return result


def forward(network: Network, params: Params, normalized: Array) -> dict[str, Array]:
    """Return every stage above the normalised images (n, 28, 28, 1), up to ``logits``."""
    result = {}
    x = normalized
    for number, bank in enumerate(network.banks, start=1):
        kernel, bias = jnp.asarray(params[f"bank{number}.kernel"]), jnp.asarray(params[f"bank{number}.bias"])
        x = conv_block(x, kernel, bias, pool=bank.pool, leak=network.leak)  # (n, side, side, filters)
        result[f"bank{number}"] = x
    barcodes = result["barcode"] = x.mean(axis=(1, 2))  # (n, filters): global average pooling
    return result | head(network, params, barcodes)


def activations(network: Network, params: Params, images: Array) -> dict[str, Array]:
    """Return every stage by name, from the same forward pass that predicts.

    Parameters
    ----------
    network : Network
    params : Params
    images : (n, 28, 28) uint8, or float 0..1
        High = ink.

    Returns
    -------
    dict of str to Array
        ``normalized`` (n, 28, 28, 1); ``bank1``, ``bank2``, ... (n, side, side, filters), after pooling and
        leaky ReLU; ``barcode`` (n, filters of the last bank); ``dense`` (n, units) if there is one;
        ``logits`` (n, classes); ``probabilities`` (n, classes), each row summing to 1.
    """
    normalized = normalize(params, images)
    result = {"normalized": normalized} | forward(network, params, normalized)
    return result | {"probabilities": jax.nn.softmax(result["logits"])}


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
        rows.append(Layer(f"bank{number}", "Conv2D", (side, side, bank.filters), count(f"bank{number}")))
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
