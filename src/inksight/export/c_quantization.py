"""Post-training quantization: a network in 8-bit integers, calibrated on images, and its forward pass in NumPy."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight.config import Network
from inksight.nn.forward import convolve, max_pool
from inksight.nn.model import Model
from inksight.nn.rejection_output import RejectionOutput

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

WEIGHT_TOP = 127  # weights are -127 to 127
PIXEL_TOP = 255  # levels of the feature maps, 0 to 255
UNIT_TOP = 65535  # levels of what is not kept in memory for many places: the last bank, the barcode, the dense layer
LEAK_ONE = 65536  # the leak is a multiple of 1 / 65536
MULTIPLIER_TOP = 2**23
SHIFT_TOP = 46
BIAS_TOP = 2**28  # as a limit of a quantized bias, leaves room for the weighted sum in 32 bits
CHUNK = 64  # images: bounds the memory


@dataclass(frozen=True, slots=True)
class Levels:
    """A quantization of values: the value of level q, 0 to `top`, is ``scale * (q - zero)``."""

    scale: float
    zero: float  # a whole number, except for the pixels of the image
    top: int

    @classmethod
    def spanning(cls, low: float, high: float, top: int) -> "Levels":
        """Return the levels that span a range of values."""
        scale = max(high - low, 1e-3 * max(abs(low), abs(high)), 1e-6) / top
        return cls(scale, round(-low / scale), top)


@dataclass(frozen=True, eq=False, slots=True)
class QuantizedLayer:
    """A layer in integers: ``weights @ levels + bias`` are the sums, and `levels` those of its output.

    Parameters
    ----------
    depthwise : (k, k, channels) int, or None
        -127 to 127; only of a separable bank. Its sums are what `weights` are applied to, at full precision.
    weights : (k, k, channels, filters) int; (channels, filters) if separable or dense
        -127 to 127.
    bias : (filters,) int
    scales : (filters,) float64
        Value of a sum of 1.
    pool : {1, 2}
    levels : Levels
        Of the output.
    """

    depthwise: Integers | None
    weights: Integers
    bias: Integers
    scales: Floats
    pool: int
    levels: Levels

    @property
    def shift(self) -> int:
        """Number of bits by which the products of sums and `multipliers` are shifted to the right."""
        largest = float(self.scales.max()) / self.levels.scale
        return int(np.clip(np.floor(np.log2((MULTIPLIER_TOP - 1) / largest)), 1, SHIFT_TOP))

    @property
    def multipliers(self) -> Integers:
        """Levels of the output per sum of 1 in every filter, times ``2 ** shift``; (filters,)."""
        return np.rint(np.ldexp(self.scales / self.levels.scale, self.shift)).astype(np.int64)

    @property
    def offset(self) -> int:
        """Zero level of the output, times ``2 ** shift``, and half of a level so that the shift rounds."""
        return (int(self.levels.zero) << self.shift) + (1 << (self.shift - 1))

    def activate(self, sums: Integers, leak: int) -> Integers:
        """Return the levels of the output, (..., filters), of sums: leaky ReLU, and rounding."""
        products = sums * self.multipliers
        products = np.where(products < 0, -(-products // LEAK_ONE) * leak, products)
        levels: Integers = np.clip((products + self.offset) >> self.shift, 0, self.levels.top)
        return levels


@dataclass(frozen=True, eq=False, slots=True)
class QuantizedNetwork:
    """A network in integers.

    Parameters
    ----------
    network : Network
    banks : tuple of QuantizedLayer
    dense : QuantizedLayer or None
    output : QuantizedLayer
        One filter per class, and one for "not a digit" if the model has a `RejectionOutput`; its `levels` are unused.
    """

    network: Network
    banks: tuple[QuantizedLayer, ...]
    dense: QuantizedLayer | None
    output: QuantizedLayer

    @property
    def leak(self) -> int:
        """The slope of the leaky ReLU in multiples of 1 / 65536."""
        return round(self.network.leak * LEAK_ONE)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits of images (n, 28, 28), as the C code computes them, (n, outputs)."""
        parts = [self._logits(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.output.bias)), np.float32)

    def _logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        x = images[..., None].astype(np.int64)
        for bank in self.banks:
            x = bank.activate(_bank_sums(bank, x), self.leak)
        area = x.shape[1] * x.shape[2]
        x = (x.sum(axis=(1, 2)) + area // 2) // area
        if self.dense is not None:
            x = self.dense.activate(x @ self.dense.weights + self.dense.bias, self.leak)
        sums = x @ self.output.weights + self.output.bias
        return sums.astype(np.float32) * self.output.scales.astype(np.float32)


def _bank_sums(bank: QuantizedLayer, levels: Integers) -> Integers:
    """Return the sums of a bank, (n, side, side, filters), after pooling, of levels (n, side, side, channels)."""
    x: NDArray[Any] = levels.astype(np.float64)  # which holds the integers exactly, and has a fast matrix product
    weights: NDArray[Any] = bank.weights.astype(np.float64)
    if bank.depthwise is None:
        x = convolve(x, weights)
    else:
        k, side = len(bank.depthwise), x.shape[1] - len(bank.depthwise) + 1
        taps = [x[:, i : i + side, j : j + side] * bank.depthwise[i, j] for i, j in np.ndindex(k, k)]
        x = np.sum(taps, axis=0) @ weights
    pooled = max_pool(x) if bank.pool == 2 else x
    return pooled.astype(np.int64) + bank.bias


def quantize(model: Model, images: NDArray[np.uint8]) -> QuantizedNetwork:
    """Quantize a network: weights per filter, the levels of feature maps by their range on images (n, 28, 28).

    The method is that of Jacob et al., except that a depthwise convolution is not rounded before its pointwise one, and
    that the last feature maps and what follows them have 16 bits.

    References
    ----------
    Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
    CVPR 2018.
    """
    network, params = model.network, {name: x.astype(np.float64) for name, x in model.params.items()}
    ranges = dict(_ranges(model, images))
    deviation = np.sqrt(model.normalization.variance)
    levels = Levels(1 / (255 * deviation), 255 * model.normalization.mean, PIXEL_TOP)
    banks = []
    for number, bank in enumerate(network.banks, start=1):
        name, last = f"bank{number}.", number == len(network.banks)
        after = Levels.spanning(*ranges[f"bank{number}"], UNIT_TOP if last else PIXEL_TOP)
        weights, bias = params[name + ("pointwise" if bank.separable else "kernel")], params[name + "bias"]
        depthwise = params[name + "depthwise"] if bank.separable else None
        banks.append(_layer(depthwise, weights, bias, levels, after, bank.pool))
        levels = after
    dense = None
    if network.dense:
        after = Levels.spanning(*ranges["dense"], UNIT_TOP)
        dense, levels = _layer(None, params["dense.kernel"], params["dense.bias"], levels, after), after
    weights, bias = output_weights(model)
    return QuantizedNetwork(network, tuple(banks), dense, _layer(None, weights, bias, levels, levels))


def output_weights(model: Model) -> tuple[Floats, Floats]:
    """Return the weights (units, outputs) and the bias (outputs,) of the classes and of a `RejectionOutput`."""
    weights, bias = (model.params[f"output.{part}"].astype(np.float64) for part in ("kernel", "bias"))
    if isinstance(model.ood_detector, RejectionOutput):
        own = model.ood_detector.rejection_weights.astype(np.float64)
        weights, bias = np.column_stack([weights, own[:-1]]), np.append(bias, own[-1])
    return weights, bias


def _ranges(model: Model, images: NDArray[np.uint8]) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the range of the values of every bank and of the dense layer on images."""
    names = [f"bank{number}" for number in range(1, len(model.network.banks) + 1)]
    for name in [*names, *(["dense"] if model.network.dense else [])]:
        values = model.activations(images, only=[name])[name]
        yield name, (float(values.min()), float(values.max()))


def _layer(
    depthwise: Floats | None, weights: Floats, bias: Floats, before: Levels, after: Levels, pool: int = 1
) -> QuantizedLayer:
    """Quantize a layer whose input has the levels `before` and whose output has the levels `after`."""
    taps, scale = None, before.scale
    if depthwise is not None:
        scales = np.maximum(np.abs(depthwise).max(axis=(0, 1)), 1e-30) / WEIGHT_TOP
        taps = np.rint(depthwise / scales).astype(np.int64)
        weights = weights * scales[:, None]  # so that a channel's sums need no scale of their own
    inputs = tuple(range(weights.ndim - 1))
    scales = np.maximum(np.abs(weights).max(axis=inputs) / WEIGHT_TOP, np.abs(bias) / (BIAS_TOP * scale))
    scales = np.maximum(scales, 1e-30)
    quantized = np.rint(weights / scales).astype(np.int64)
    # Every level of the input is `zero` too high; there is no padding, so that their part in the sums is constant.
    ones = quantized.sum(axis=inputs) if taps is None else taps.sum(axis=(0, 1)) @ quantized
    rounded = np.rint(bias / (scales * scale) - before.zero * ones).astype(np.int64)
    return QuantizedLayer(taps, quantized, rounded, scales * scale, pool, after)
