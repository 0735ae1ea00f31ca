"""`Predictor`: prediction on the native engine."""

import weakref
from collections.abc import Sequence
from ctypes import addressof, byref, c_void_p

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE, Network
from inksight.engine import library as native
from inksight.engine.interface import Stages, describe
from inksight.errors import InksightError


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
        self.network, self.library = network, library
        count = len(network.banks)
        description, banks = describe(network, mean, variance)
        self.handle = library.inksight_predictor_new(byref(description), banks, native.address(weights))
        if not self.handle:
            raise InksightError("not enough memory for the network's weights")
        free = weakref.finalize(self, library.inksight_predictor_free, self.handle)
        free.atexit = False  # daemon threads may still predict when Python exits
        self.shapes = _stage_shapes(network)
        self.bank_numbers = {f"bank{i + 1}": i for i in range(count)}
        self.bank_addresses = c_void_p * count

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
        banks = self.bank_addresses()
        stages = Stages(banks=addressof(banks))
        for name, array in result.items():
            if name in self.bank_numbers:
                banks[self.bank_numbers[name]] = native.address(array)
            else:
                setattr(stages, name, native.address(array))
        bytes_or_floats = (native.address(images), None) if images.dtype == np.uint8 else (None, native.address(images))
        if n and not self.library.inksight_predict(self.handle, *bytes_or_floats, n, byref(stages)):
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
