"""The forward pass in NumPy: the definition of the network, and how it predicts where the native engine is missing."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from inksight.config import Network
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import effective_kernel

Floats = NDArray[np.float32]
CHUNK = 64  # images: bounds the memory


def predict(
    network: Network,
    params: Mapping[str, Floats],
    normalization: Normalization,
    images: NDArray[np.generic],
    names: Sequence[str],
) -> dict[str, Floats]:
    """Return the activations of the named stages for any number of images, (n, 28, 28) uint8 or float32 0..1."""
    starts = range(0, max(len(images), 1), CHUNK)
    parts = [activations(network, params, normalization, images[start : start + CHUNK]) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def activations(
    network: Network, params: Mapping[str, Floats], normalization: Normalization, images: NDArray[np.generic]
) -> dict[str, Floats]:
    """Return the activations of every stage by name.

    Parameters
    ----------
    network : Network
    params : dict of str to float32 array
        The weights, with the names of the model file: ``bank1.kernel``, ``bank1.bias``, ..., ``output.bias``.
    normalization : Normalization
    images : (n, 28, 28) uint8, or float 0..1
        High = ink.

    Returns
    -------
    dict of str to float32 array
        ``normalized`` (n, 28, 28, 1); ``bank1``, ``bank2``, ... (n, side, side, filters), after pooling and
        leaky ReLU; ``barcode`` (n, filters of the last bank); ``dense`` (n, units) if there is one;
        ``logits`` (n, classes); ``probabilities`` (n, classes), each row summing to 1.
    """
    leak = np.float32(network.leak)
    pixels = images.astype(np.float32) / np.float32(255) if images.dtype == np.uint8 else images.astype(np.float32)
    x = (pixels - np.float32(normalization.mean)) / np.sqrt(np.float32(normalization.variance))
    x = x[..., None]  # (n, 28, 28, 1)
    result = {"normalized": x}
    for number, bank in enumerate(network.banks, start=1):
        x = convolve(x, effective_kernel(params, number))
        if bank.pool == 2:
            x = max_pool(x)
        x = result[f"bank{number}"] = leaky_relu(x + params[f"bank{number}.bias"], leak)
    x = result["barcode"] = x.mean(axis=(1, 2))  # global average pooling
    if network.dense:
        x = result["dense"] = leaky_relu(x @ params["dense.kernel"] + params["dense.bias"], leak)
    logits = result["logits"] = x @ params["output.kernel"] + params["output.bias"]
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return result | {"probabilities": exponentials / exponentials.sum(axis=1, keepdims=True)}


def convolve(x: Floats, kernel: Floats) -> Floats:
    """Convolve without padding: (n, height, width, channels) by (k, k, channels, filters)."""
    k = kernel.shape[0]
    windows = sliding_window_view(x, (k, k), axis=(1, 2))  # (n, height - k + 1, width - k + 1, channels, k, k)
    result: Floats = np.tensordot(windows, kernel, axes=((4, 5, 3), (0, 1, 2)))
    return result


def max_pool(x: Floats) -> Floats:
    """Return the maxima of windows of 2x2 pixels. An odd last row or column is dropped."""
    n, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2].reshape(n, height // 2, 2, width // 2, 2, channels)
    result: Floats = x.max(axis=(2, 4))
    return result


def leaky_relu(x: Floats, leak: np.float32) -> Floats:
    """Multiply negative values by `leak`."""
    return np.where(x > 0, x, leak * x)
