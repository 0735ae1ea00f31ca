"""Prediction on the native engine, without JAX."""

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
    """A network on the native engine, with its weights packed for the engine's kernels.

    Parameters
    ----------
    network : Network
    weights : (w,) float32
        In the order of `inksight.nn.parameters.flatten_weights`.
    mean, variance : float
        Normalization of pixels scaled to 0..1.

    Raises
    ------
    InksightError
        If memory runs out.
    """

    def __init__(self, network: Network, weights: NDArray[np.float32], mean: float, variance: float) -> None:
        library = native.library()
        assert library is not None
        library.inksight_predictor_new.restype = c_void_p
        library.inksight_predictor_free.argtypes = [c_void_p]
        library.inksight_predict.argtypes = [c_void_p, c_void_p, c_void_p, c_long, c_void_p]
        self.network, self.library = network, library
        banks = [value for bank in network.banks for value in (bank.filters, bank.kernel, bank.pool)]
        self.handle = library.inksight_predictor_new(
            (c_int * len(banks))(*banks), c_int(len(network.banks)), c_int(IMAGE_SIZE), c_int(network.dense),
            c_int(network.classes), (c_float * 3)(network.leak, mean, variance), weights.ctypes.data_as(Floats),
        )  # fmt: skip
        if not self.handle:
            raise InksightError("not enough memory for the network's weights")
        weakref.finalize(self, library.inksight_predictor_free, self.handle)
        self.shapes = _stage_shapes(network)
        self.indices = {name: i for i, name in enumerate(self.shapes)}
        self.pointer_array = c_void_p * len(self.shapes)

    def __call__(self, images: NDArray[np.generic], names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Compute some stages of the network.

        Parameters
        ----------
        images : (n, 28, 28) uint8, or float32 0..1
        names : sequence of str
            Stages of `inksight.nn.parameters.stage_names`.

        Returns
        -------
        dict of str to (n, ...) float32
            The stages named. Other stages take no memory.

        Raises
        ------
        InksightError
            If memory runs out.
        """
        images = np.ascontiguousarray(images)
        n = len(images)
        result = {name: np.empty((n, *self.shapes[name]), np.float32) for name in names}
        pointers = self.pointer_array()
        for name, array in result.items():
            pointers[self.indices[name]] = native.address(array)
        bytes_or_floats = (native.address(images), None) if images.dtype == np.uint8 else (None, native.address(images))
        if n and not self.library.inksight_predict(self.handle, *bytes_or_floats, n, pointers):
            raise InksightError(f"not enough memory to predict {n:,} images")
        return result


def _stage_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the shape of each stage for one image."""
    shapes: dict[str, tuple[int, ...]] = {"normalized": (IMAGE_SIZE, IMAGE_SIZE, 1)}
    for number, (bank, side) in enumerate(zip(network.banks, network.sides, strict=True), start=1):
        shapes[f"bank{number}"] = (side, side, bank.filters)
    shapes["barcode"] = (network.banks[-1].filters,)
    if network.dense:
        shapes["dense"] = (network.dense,)
    return shapes | {"logits": (network.classes,), "probabilities": (network.classes,)}
