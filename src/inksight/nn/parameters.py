"""The structure of a network, in numbers: names and shapes of weights, stages, layers and their table.

And the weights to start from. No JAX here.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.config import Network

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


def bank_stage(network: Network, bank: int) -> str:
    """Return the stage name of a bank, counted from 1.

    Raises
    ------
    InputError
        If the network has no such bank.
    """
    banks = len(network.banks)
    check(is_count(bank) and bank <= banks, "bank", bank, f"1 to {banks}")
    return f"bank{bank}"


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


def flatten_weights(network: Network, params: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return all weights in the order the engine reads them: kernel and bias, bank by bank, then the dense layers.

    Separable kernels are multiplied out; the normalization is not among them.
    """
    parts = [x for i in range(1, len(network.banks) + 1) for x in (kernel(params, i), params[f"bank{i}.bias"])]
    layers = [*(["dense"] if network.dense else []), "output"]
    parts += [params[f"{layer}.{part}"] for layer in layers for part in ("kernel", "bias")]
    return np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)
