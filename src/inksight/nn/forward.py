"""The forward pass, as pure functions in JAX.

Weights are a flat dict, `Params`, with the names of the model file: ``bank1.kernel``, ``bank1.bias``, ...,
``dense.kernel``, ``output.bias``. Mean and variance are those of a `Normalization`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight.config import Network
from inksight.engine import ops
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import effective_kernel

Params = Mapping[str, Any]


def normalize(mean: Any, variance: Any, images: Array) -> Array:
    """Normalize images, (n, 28, 28) uint8 or float 0..1, by the training set's mean and variance: (n, 28, 28, 1)."""
    pixels = images.astype(jnp.float32) / 255 if images.dtype == jnp.uint8 else images
    normalized: Array = (pixels - mean) / jnp.sqrt(variance)
    return normalized[..., None]


def head(network: Network, params: Params, barcodes: Array) -> dict[str, Array]:
    """Return the stages after the barcodes (n, filters): ``dense`` (n, units), if any, and ``logits`` (n, classes)."""
    result = {}
    x = barcodes
    if network.dense:
        x = x @ params["dense.kernel"] + params["dense.bias"]
        x = result["dense"] = jnp.where(x > 0, x, network.leak * x)
    result["logits"] = x @ params["output.kernel"] + params["output.bias"]
    return result


def forward(network: Network, params: Params, x: Array, count: int) -> dict[str, Array]:
    """Return every stage from ``bank1`` to ``logits`` for `count` normalized images.

    The images `x` and the stages of the banks are in the layout of `inksight.engine.ops`.
    """
    result = {}
    for number, bank in enumerate(network.banks, start=1):
        weights, bias = jnp.asarray(effective_kernel(params, number)), jnp.asarray(params[f"bank{number}.bias"])
        if number < len(network.banks):
            x = ops.conv_block(x, weights, bias, pool=bank.pool, leak=network.leak)
        else:  # global average pooling: (count, filters)
            x, barcodes = ops.averaged_conv_block(x, weights, bias, pool=bank.pool, leak=network.leak, count=count)
        result[f"bank{number}"] = x
    return result | {"barcode": barcodes} | head(network, params, barcodes)


def activations(network: Network, params: Params, mean: Any, variance: Any, images: Array) -> dict[str, Array]:
    """Return the activations of every stage by name, from the same forward pass that predicts.

    Parameters
    ----------
    network : Network
    params : Params
    mean, variance : () float32
        Of pixels scaled to 0..1.
    images : (n, 28, 28) uint8, or float 0..1
        High = ink.

    Returns
    -------
    dict of str to Array
        ``normalized`` (n, 28, 28, 1); ``bank1``, ``bank2``, ... (n, side, side, filters), after pooling and
        leaky ReLU; ``barcode`` (n, filters of the last bank); ``dense`` (n, units) if there is one;
        ``logits`` (n, classes); ``probabilities`` (n, classes), each row summing to 1.
    """
    count = len(images)
    normalized = normalize(mean, variance, images)
    result = {"normalized": normalized} | forward(network, params, ops.enter(normalized), count)
    for number in range(1, len(network.banks) + 1):
        result[f"bank{number}"] = ops.leave(result[f"bank{number}"], count)
    return result | {"probabilities": jax.nn.softmax(result["logits"])}


# Images per chunk. `predict` takes the smallest size that holds all images, else the largest, and pads the last chunk.
# This bounds the memory, and the network is compiled at most once per size.
CHUNK_SIZES = (1, 32, 512)


def predict(
    network: Network,
    params: Params,
    normalization: Normalization,
    images: NDArray[np.generic],
    names: tuple[str, ...],
) -> dict[str, NDArray[np.float32]]:
    """Return the activations of the named stages for any number of images, (n, 28, 28) uint8 or float32 0..1."""
    size = next((size for size in CHUNK_SIZES if size >= len(images)), CHUNK_SIZES[-1])
    mean, variance = np.float32(normalization.mean), np.float32(normalization.variance)
    parts = []
    for start in range(0, max(len(images), 1), size):
        chunk = images[start : start + size]
        padding = np.zeros((size - len(chunk), *images.shape[1:]), images.dtype)
        result = _activations(network, names, params, mean, variance, np.concatenate([chunk, padding]))
        parts.append({name: np.asarray(result[name])[: len(chunk)] for name in names})
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


@partial(jax.jit, static_argnums=(0, 1))
def _activations(
    network: Network, names: tuple[str, ...], params: Params, mean: Array, variance: Array, images: Array
) -> dict[str, Array]:
    stages = activations(network, params, mean, variance, images)
    return {name: stages[name] for name in names}  # XLA drops the computation of all others
