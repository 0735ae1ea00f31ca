"""Prediction by the native engine: arrays in, the stages asked for out, without JAX."""

import weakref
from collections.abc import Sequence
from ctypes import POINTER, c_float, c_int, c_long, c_void_p

import numpy as np
from numpy.typing import NDArray

from inksight.config import SIDE, Network
from inksight.engine import library as native
from inksight.errors import InksightError
from inksight.nn.parameters import NORMALIZATION, kernel

Floats = POINTER(c_float)


class Predictor:
    """One network with its weights, held by the native engine in the order its kernels read them.

    Parameters
    ----------
    network : Network
    params : dict of str to float32 array
        As `inksight.nn.parameters.shapes` lists them.
    """

    def __init__(self, network: Network, params: dict[str, NDArray[np.float32]]) -> None:
        library = native.library()
        assert library is not None
        library.inksight_predictor.restype = c_void_p
        library.inksight_predictor_free.argtypes = [c_void_p]
        library.inksight_predict.argtypes = [c_void_p, c_void_p, c_void_p, c_long, c_void_p]
        self.network, self.library = network, library
        banks = [value for bank in network.banks for value in (bank.filters, bank.kernel, bank.pool)]
        normalization = (params[NORMALIZATION + name] for name in ("mean", "variance"))
        numbers = [network.leak, *(float(value) for value in normalization)]
        parts = [x for i in range(1, len(network.banks) + 1) for x in (kernel(params, i), params[f"bank{i}.bias"])]
        layers = [*(["dense"] if network.dense else []), "output"]
        parts += [params[f"{layer}.{part}"] for layer in layers for part in ("kernel", "bias")]
        weights = np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)
        self.handle = library.inksight_predictor(
            (c_int * len(banks))(*banks), c_int(len(network.banks)), c_int(SIDE), c_int(network.dense),
            c_int(network.classes), (c_float * 3)(*numbers), weights.ctypes.data_as(Floats),
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
    sizes: dict[str, tuple[int, ...]] = {"normalized": (SIDE, SIDE, 1)}
    for number, (bank, side) in enumerate(zip(network.banks, network.sides, strict=True), start=1):
        sizes[f"bank{number}"] = (side, side, bank.filters)
    sizes["barcode"] = (network.banks[-1].filters,)
    if network.dense:
        sizes["dense"] = (network.dense,)
    return sizes | {"logits": (network.classes,), "probabilities": (network.classes,)}
