"""Names, shapes, number and starting values of a network's weights, and the names of its stages."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.config import Network

UNTRAINED = 3  # the statistics of `inksight.nn.normalization.Normalization`, which Keras counts as parameters


def param_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the shape of every trained parameter by name, from the input to the output.

    Examples
    --------
    >>> from inksight.config import NETWORKS
    >>> param_shapes(NETWORKS["post"])["bank2.kernel"]
    (5, 5, 20, 20)
    """
    result: dict[str, tuple[int, ...]] = {}
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

    For a separable bank, this is the product of its depthwise and pointwise weights. The result is an
    array of their type.
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
    """Draw starting weights: Glorot-uniform kernels (the default in Keras) and zero biases.

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
    # Each array has a random stream of its own. Their numbers follow those of the statistics, which draw nothing:
    # other numbers would give other weights for the same seed.
    for number, (name, shape) in enumerate(param_shapes(network).items(), start=UNTRAINED):
        params[name], limit = np.zeros(shape, np.float32), 0.0
        if name.endswith(".depthwise"):  # gives the effective kernel the variance of a Glorot-uniform one
            limit = math.sqrt(3 / math.prod(shape[:2]))
        elif not name.endswith(".bias"):
            area = math.prod(shape[:-2])  # of the kernel; 1 for a dense layer
            limit = math.sqrt(6 / (area * (shape[-2] + shape[-1])))
        if limit:
            params[name] += np.random.default_rng([seed, number]).uniform(-limit, limit, shape)
    return params


def parameter_count(network: Network, *, layer: str = "", trained: bool = False) -> int:
    """Return the number of parameters.

    Parameters
    ----------
    network : Network
    layer : str
        Count only the trained parameters of this layer, such as ``"bank1"``.
    trained : bool
        Leave out the three statistics of the normalization, which are not trained.

    Examples
    --------
    >>> from inksight.config import NETWORKS
    >>> parameter_count(NETWORKS["post"]), parameter_count(NETWORKS["post"], trained=True)
    (18813, 18810)
    """
    prefix = layer and layer + "."
    count = sum(math.prod(shape) for name, shape in param_shapes(network).items() if name.startswith(prefix))
    return count if layer or trained else count + UNTRAINED


def flatten_weights(network: Network, params: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return all weights, (n,), in the order in which the native engine reads them.

    These are the effective kernel and the bias of each bank, then those of the dense layers.
    """
    parts = [
        x for i in range(1, len(network.banks) + 1) for x in (effective_kernel(params, i), params[f"bank{i}.bias"])
    ]
    layers = [*(["dense"] if network.dense else []), "output"]
    parts += [params[f"{layer}.{part}"] for layer in layers for part in ("kernel", "bias")]
    return np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)
