"""Names, shapes, number and starting values of a network's parameters, and the names of its stages; without JAX."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.config import Network

NORMALIZATION_PREFIX = "normalization."  # of the names of the three normalization parameters


def param_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter by name, from the input to the output.

    Examples
    --------
    >>> from inksight.config import NETWORKS
    >>> param_shapes(NETWORKS["post"])["bank2.kernel"]
    (5, 5, 20, 20)
    """
    result: dict[str, tuple[int, ...]] = {NORMALIZATION_PREFIX + name: () for name in ("mean", "variance", "count")}
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


def effective_kernel(params: Mapping[str, Any], bank: int) -> Any:
    """Return the kernel of a bank, counted from 1, as (k, k, channels, filters).

    For a separable bank, this is the product of its depthwise and pointwise weights. The result is a NumPy or a JAX
    array, like the weights.
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


def stage_names(network: Network) -> tuple[str, ...]:
    """Return the names of all stages of the forward pass, in order; see `inksight.nn.forward.activations`."""
    banks = [f"bank{number}" for number in range(1, len(network.banks) + 1)]
    return ("normalized", *banks, "barcode", *(["dense"] if network.dense else []), "logits", "probabilities")


def init_params(network: Network, seed: int) -> dict[str, NDArray[np.float32]]:
    """Draw starting parameters: Glorot-uniform kernels (the default in Keras), zero biases, identity normalization.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.

    Examples
    --------
    >>> from inksight.config import NETWORKS
    >>> init_params(NETWORKS["post"], seed=0)["bank1.kernel"].shape
    (5, 5, 1, 20)
    """
    params = {}
    for number, (name, shape) in enumerate(param_shapes(network).items()):
        params[name], limit = np.zeros(shape, np.float32), 0.0
        if name.endswith(".depthwise"):  # gives the effective kernel the variance of a Glorot-uniform one
            limit = math.sqrt(3 / math.prod(shape[:2]))
        elif not name.endswith(".bias") and shape:
            area = math.prod(shape[:-2])  # of the kernel; 1 for a dense layer
            limit = math.sqrt(6 / (area * (shape[-2] + shape[-1])))
        if limit:
            params[name] += np.random.default_rng([seed, number]).uniform(-limit, limit, shape)
    params[NORMALIZATION_PREFIX + "variance"] += 1
    return params


def parameter_count(network: Network, *, layer: str = "", trained: bool = False) -> int:
    """Return the number of parameters.

    Parameters
    ----------
    network : Network
    layer : str
        Count only the parameters of this layer, such as ``"bank1"``.
    trained : bool
        Leave out the three parameters of the normalization, which are not trained.

    Examples
    --------
    >>> from inksight.config import NETWORKS
    >>> parameter_count(NETWORKS["post"]), parameter_count(NETWORKS["post"], trained=True)
    (18813, 18810)
    """
    return sum(
        math.prod(shape)
        for name, shape in param_shapes(network).items()
        if name.startswith(layer and layer + ".") and not (trained and name.startswith(NORMALIZATION_PREFIX))
    )


def flatten_weights(network: Network, params: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return all weights, (n,), in the order in which the native engine reads them.

    These are the effective kernel and the bias of each bank, then those of the dense layers; not the normalization.
    """
    parts = [
        x for i in range(1, len(network.banks) + 1) for x in (effective_kernel(params, i), params[f"bank{i}.bias"])
    ]
    layers = [*(["dense"] if network.dense else []), "output"]
    parts += [params[f"{layer}.{part}"] for layer in layers for part in ("kernel", "bias")]
    return np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)
