"""C source of a network: its arrays as text, its sizes in bytes, and the header and source from ``c_templates/``."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from inksight import __version__
from inksight.config import IMAGE_SIZE, Network
from inksight.export.c_quantization import LEAK_ONE, QuantizedLayer, QuantizedNetwork, output_weights
from inksight.nn.model import Model
from inksight.nn.ood import REJECTION_WEIGHT
from inksight.nn.rejection_output import RejectionOutput

_BYTES = {"int8_t": 1, "uint8_t": 1, "int32_t": 4, "int64_t": 8, "float": 4}
_LINE = 100  # characters of an array's text


@dataclass(frozen=True, eq=False, slots=True)
class Array:
    """A constant array of the C source."""

    name: str
    type: str
    values: NDArray[Any]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.values.size

    @property
    def text(self) -> str:
        """The elements as C literals, in lines."""
        lines, line = [], ""
        for value in self.values.ravel().tolist():
            literal = float_literal(value) if self.type == "float" else integer_literal(value)
            if len(line) + len(literal) > _LINE:
                lines.append(line)
                line = ""
            line += f"{literal}, "
        return "\n".join([*lines, line]).replace(" \n", "\n").rstrip(", ")


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """The arrays of a layer in the order of the C code: filters first.

    Parameters
    ----------
    depthwise : (k, k, channels) array, or None
    weights : (filters, k, k, channels) array, (filters, channels) if separable or dense
    bias : (filters,) array
    quantized : QuantizedLayer or None
        None if the numbers are floats.
    """

    depthwise: NDArray[Any] | None
    weights: NDArray[Any]
    bias: NDArray[Any]
    quantized: QuantizedLayer | None = None

    def arrays(self, name: str, sum_type: str) -> list[Array]:
        """Return the arrays, whose names begin with `name`."""
        weight_type = "int8_t" if self.quantized else "float"
        result = [Array(f"{name}_weights", weight_type, self.weights), Array(f"{name}_bias", sum_type, self.bias)]
        if self.depthwise is not None:
            result.append(Array(f"{name}_depthwise", weight_type, self.depthwise))
        if self.quantized and name == "output":
            result.append(Array(f"{name}_scales", "float", self.quantized.scales))
        elif self.quantized:
            result.append(Array(f"{name}_multipliers", "int32_t", self.quantized.multipliers))
        return result


@dataclass(frozen=True, slots=True)
class Source:
    """The C files of a network, and the bytes that it takes.

    Parameters
    ----------
    files : dict of str to str
        Text by file name.
    ram : int
        Bytes of static memory.
    flash : int
        Bytes of constant arrays.
    """

    files: dict[str, str]
    ram: int
    flash: int


def source(model: Model, quantized: QuantizedNetwork | None, prefix: str, accuracy: str) -> Source:
    """Return the C source of a model, in floats or, if `quantized` is given, in 8-bit integers.

    Parameters
    ----------
    model : Model
    quantized : QuantizedNetwork or None
        The same network in integers.
    prefix : str
        What all public names begin with; a C identifier.
    accuracy : str
        What the header's comment says of it.
    """
    layers = _integer_layers(quantized) if quantized else _float_layers(model)
    sum_type = _sum_type(quantized) if quantized else "float"
    arrays = [array for name, layer in layers.items() for array in layer.arrays(name, sum_type)]
    banks, row_values = _banks(model.network, layers)
    values = _shape(model.network) | {"arrays": arrays, "banks": banks, "row_values": row_values}
    ram = _ram(values, "uint8_t" if quantized else "float", sum_type)
    flash = sum(array.size * _BYTES[array.type] for array in arrays)
    dense, detector = layers.get("dense"), model.ood_detector
    environment = Environment(
        loader=PackageLoader("inksight.export", "c_templates"), undefined=StrictUndefined, trim_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.globals.update(
        values, prefix=prefix, macro=prefix.upper(), version=__version__, spec=model.network.spec, digest=model.digest,
        accuracy=accuracy, ram=ram, flash=flash, int8=bool(quantized), sum_type=sum_type,
        dense=_levels("dense", dense.quantized) if dense and dense.quantized else bool(dense),
        leak=quantized.leak if quantized else float_literal(model.network.leak), leak_one=LEAK_ONE,
        mean=float_literal(model.normalization.mean), deviation=float_literal(model.normalization.variance**0.5),
        barcode_zero=int(quantized.banks[-1].levels.zero) if quantized else 0,
        barcode_scale=float_literal(quantized.banks[-1].levels.scale) if quantized else "",
        outputs=layers["output"].bias.size, class_names=[string_literal(name) for name in model.class_names],
        **_rejection(detector if isinstance(detector, RejectionOutput) else None, model.temperature),
    )  # fmt: skip
    names = {f"{prefix}.h": "network.h", f"{prefix}.c": "network.c", f"{prefix}_example.c": "example.c"}
    files = {name: environment.get_template(template).render() for name, template in names.items()}
    return Source(files, ram, flash)


def _shape(network: Network) -> dict[str, Any]:
    """Return what the templates need to know of an architecture."""
    barcode = network.banks[-1].filters
    return {
        "classes": network.classes,
        "barcode": barcode,
        "dense_units": network.dense,
        "units": network.dense or barcode,
        "area": network.sides[-1] ** 2,
        "separable": any(bank.separable for bank in network.banks),
        "plain": not all(bank.separable for bank in network.banks),
        "most_rows": max(bank.kernel + bank.pool - 1 for bank in network.banks),
        "most_filters": max(bank.filters for bank in network.banks),
        "most_channels": max([1, *(bank.filters for bank in network.banks[:-1])]),
    }


def _rejection(detector: RejectionOutput | None, temperature: float) -> dict[str, Any]:
    """Return what the templates need to know of an output for "not a digit"."""
    if detector is None:
        return {"rejects": False, "rejection_factor": "", "rejection_threshold": ""}
    log_odds = detector.threshold / REJECTION_WEIGHT
    probability = 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0
    factor = "" if temperature == detector.temperature else float_literal(temperature / detector.temperature)
    return {"rejects": True, "rejection_factor": factor, "rejection_threshold": float_literal(probability)}


def _ram(values: dict[str, Any], value_type: str, sum_type: str) -> int:
    """Return the bytes of the workspace in the C source: rows of values, then sums, which are aligned."""
    sums: int = values["most_filters"] + values["barcode"] + values["dense_units"]
    sums += values["most_channels"] if values["separable"] else 0
    unit = _BYTES[sum_type]
    rows: int = values["row_values"] * _BYTES[value_type]
    return (-(-rows // unit) + sums) * unit


def float_literal(value: float) -> str:
    """Return a C literal of a float, which has the same bits.

    Examples
    --------
    >>> float_literal(0.1), float_literal(-3), float_literal(1e-30)
    ('0.1f', '-3.0f', '1e-30f')
    """
    text = str(np.float32(value))
    return f"{text}f" if set(text) & set(".e") else f"{text}.0f"


def integer_literal(value: int) -> str:
    """Return a C literal of an integer of up to 64 bits.

    Examples
    --------
    >>> integer_literal(-7), integer_literal(2**40)
    ('-7', 'INT64_C(1099511627776)')
    """
    return str(value) if abs(value) < 2**31 else f"INT64_C({value})"


def string_literal(text: str) -> str:
    r"""Return a C literal of a string in UTF-8.

    Examples
    --------
    >>> print(string_literal('"7" ü'))
    "\0427\042 \303\274"
    """
    # In octal, which ends after three digits; question marks too, because of trigraphs.
    plain = {byte for byte in range(32, 127) if chr(byte) not in '"\\?'}
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode()) + '"'


def _float_layers(model: Model) -> dict[str, Layer]:
    """Return the layers of a network by name, in floats."""
    params: dict[str, NDArray[Any]] = {**model.params}
    layers = {}
    for number, bank in enumerate(model.network.banks, start=1):
        name = f"bank{number}"
        weights = params[f"{name}.pointwise" if bank.separable else f"{name}.kernel"]
        layers[name] = Layer(params.get(f"{name}.depthwise"), _filters_first(weights), params[f"{name}.bias"])
    if model.network.dense:
        layers["dense"] = Layer(None, _filters_first(params["dense.kernel"]), params["dense.bias"])
    weights, bias = output_weights(model)
    return layers | {"output": Layer(None, _filters_first(weights), bias)}


def _integer_layers(quantized: QuantizedNetwork) -> dict[str, Layer]:
    """Return the layers of a network by name, in integers."""
    layers = {f"bank{number}": bank for number, bank in enumerate(quantized.banks, start=1)}
    if quantized.dense:
        layers["dense"] = quantized.dense
    layers["output"] = quantized.output
    return {
        name: Layer(layer.depthwise, _filters_first(layer.weights), layer.bias, layer) for name, layer in layers.items()
    }


def _filters_first(weights: NDArray[Any]) -> NDArray[Any]:
    return np.moveaxis(weights, -1, 0)


def _sum_type(quantized: QuantizedNetwork) -> str:
    """Return the C type that holds every sum of a network, whatever the image."""
    top, largest = 255, 0
    for layer in (*quantized.banks, *([quantized.dense] if quantized.dense else []), quantized.output):
        sums = np.abs(layer.weights)
        if layer.depthwise is not None:
            channels = np.abs(layer.depthwise).sum(axis=(0, 1)) * top
            bounds = channels @ sums
        else:
            bounds = sums.reshape(-1, sums.shape[-1]).sum(axis=0) * top
        largest, top = max(largest, int((bounds + np.abs(layer.bias)).max())), layer.levels.top
    return "int32_t" if largest < 2**31 else "int64_t"


def _banks(network: Network, layers: dict[str, Layer]) -> tuple[list[str], int]:
    """Return the initializer of every bank, and the number of values in the rows that all of them keep."""
    separable = any(bank.separable for bank in network.banks)
    result, start, channels, side = [], 0, 1, IMAGE_SIZE
    for number, (bank, next_side) in enumerate(zip(network.banks, network.sides, strict=True), start=1):
        name = f"bank{number}"
        parts: list[object] = [f"{name}_depthwise" if bank.separable else "NULL"] if separable else []
        parts += [f"{name}_weights", f"{name}_bias", start, channels, bank.filters, side, bank.kernel, bank.pool]
        if quantized := layers[name].quantized:
            parts.append(f"{{ {_levels(name, quantized)} }}")
        result.append(_joined(parts))
        start += (bank.kernel + bank.pool - 1) * side * channels
        channels, side = bank.filters, next_side
    return result, start


def _levels(name: str, layer: QuantizedLayer) -> str:
    """Return the initializer of the levels of a layer's output."""
    return _joined([f"{name}_multipliers", integer_literal(layer.offset), layer.levels.top, layer.shift])


def _joined(parts: Iterable[object]) -> str:
    return ", ".join(map(str, parts))
