"""Prediction by the native engine: arrays in, the stages asked for out, without JAX."""

import weakref
from collections.abc import Sequence
from ctypes import POINTER, c_float, c_int, c_long, c_void_p

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE, Network
from inksight.engine import library as native
from inksight.errors import InksightError

Floats = POINTER(c_float)


class Predictor:
    """One network with its weights, held by the native engine in the order its kernels read them.

    Parameters
    ----------
    network : Network
    weights : (w,) float32
        As `inksight.nn.parameters.flatten_weights` orders them.
    mean, variance : float
        Normalization of pixels scaled to 0..1.
    """

    def __init__(self, network: Network, weights: NDArray[np.float32], mean: float, variance: float) -> None:
        library = native.library()
        assert library is not None
        library.inksight_predictor.restype = c_void_p
        library.inksight_predictor_free.argtypes = [c_void_p]
        library.inksight_predict.argtypes = [c_void_p, c_void_p, c_void_p, c_long, c_void_p]
        self.network, self.library = network, library
        banks = [value for bank in network.banks for value in (bank.filters, bank.kernel, bank.pool)]
        self.handle = library.inksight_predictor(
            (c_int * len(banks))(*banks), c_int(len(network.banks)), c_int(IMAGE_SIZE), c_int(network.dense),
            c_int(network.classes), (c_float * 3)(network.leak, mean, variance), weights.ctypes.data_as(Floats),
        )  # fmt: skip
        if not self.handle:
            raise InksightError("not enough memory for the network's weights")
        weakref.finalize(self, library.inksight_predictor_free, self.handle)
        self.sizes = _sizes(network)
        self.positions = {name: i for i, name in enumerate(self.sizes)}
        self.places = c_void_p * len(self.sizes)

    def __call__(self, images: NDArray[np.generic], names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the stages named, for images (n, 28, 28) uint8 or float32 0..1; only they take memory."""
        images = np.ascontiguousarray(images)
        n = len(images)
        result = {name: np.empty((n, *self.sizes[name]), np.float32) for name in names}
        places = self.places()
        for name, array in result.items():
            places[self.positions[name]] = native.address(array)
        form = (native.address(images), None) if images.dtype == np.uint8 else (None, native.address(images))
        if n and not self.library.inksight_predict(self.handle, *form, n, places):
            raise InksightError(f"not enough memory to predict {n:,} images")
        return result


def _sizes(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the shape of each stage of one image."""
    sizes: dict[str, tuple[int, ...]] = {"normalized": (IMAGE_SIZE, IMAGE_SIZE, 1)}
    for number, (bank, side) in enumerate(zip(network.banks, network.sides, strict=True), start=1):
        sizes[f"bank{number}"] = (side, side, bank.filters)
    sizes["barcode"] = (network.banks[-1].filters,)
    if network.dense:
        sizes["dense"] = (network.dense,)
    return sizes | {"logits": (network.classes,), "probabilities": (network.classes,)}
