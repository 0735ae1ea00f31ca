"""The layers of a Keras model as a network of inksight, with its parameters and its normalization."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.config import IMAGE_SIZE, Bank, Network
from inksight.errors import InputError
from inksight.export.keras_config import check_built_in, layers_of
from inksight.export.weight_matching import Floats, as_floats
from inksight.nn.normalization import Normalization

FAMILY = (
    "convolutions (Conv2D or SeparableConv2D) with LeakyReLU and MaxPooling2D, GlobalAveragePooling2D, one or two "
    "Dense layers and a softmax"
)
# Layers that do nothing when a trained network predicts.
TRAINING_ONLY = (
    "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "ActivityRegularization", "RandomBrightness",
    "RandomContrast", "RandomFlip", "RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom",
)  # fmt: skip
Lookup = Callable[[str, str], list[NDArray[np.generic]]]  # the path and the name of a layer, to its arrays


@dataclass
class Chain:
    """What was read of a model, from the input on."""

    scale: float = 1.0  # a pixel x of the file's input becomes scale * x + offset
    offset: float = 0.0
    brightest: float = 1.0  # the value of full ink in the file's input
    banks: list[Bank] = field(default_factory=list)
    averaged: bool = False
    dense: list[int] = field(default_factory=list)  # units of the dense layers
    slopes: dict[str, float] = field(default_factory=dict)  # of the leaky ReLU after a bank or a dense layer
    params: dict[str, Floats] = field(default_factory=dict)
    softmax: bool = False

    @property
    def last(self) -> str:
        """Name of the last layer with weights."""
        return ("dense", "output")[len(self.dense) - 1] if self.dense else f"bank{len(self.banks)}"


def read_layers(config: Any, lookup: Lookup) -> tuple[Network, dict[str, Floats], Normalization | None]:
    """Return the network, its parameters and its normalization, if it has one.

    Parameters
    ----------
    config : JSON value
        The description of a ``Sequential`` or ``Functional`` model.
    lookup : callable
        Returns the arrays of a layer.

    Raises
    ------
    InputError
        If a layer is not one of the networks of inksight. The message names it.
    """
    chain = Chain()
    for layer, name, settings, path in layers_of(config):
        check(not chain.softmax, f"layer {name!r} ({layer})", "after the softmax", "before it")
        try:
            _add(chain, layer, settings, partial(lookup, path, name))
        except InputError as error:
            raise InputError(f"layer {name!r} ({layer}): {error}") from error
    check(
        bool(chain.banks) and chain.averaged and bool(chain.dense),
        "layers",
        ", ".join(layer for layer, *_ in layers_of(config)),
        FAMILY,
    )
    hidden = chain.dense[0] if len(chain.dense) == 2 else 0
    if not hidden:  # the only dense layer was taken for a hidden one
        chain.params = {name.replace("dense.", "output."): array for name, array in chain.params.items()}
    needed = [*(f"bank{number}" for number in range(1, len(chain.banks) + 1)), *(["dense"] if hidden else [])]
    activated = sorted(chain.slopes.keys() - {*needed})
    check(not activated, "activation of the output", "a leaky ReLU", "a softmax or none")
    slopes = {layer: chain.slopes.get(layer, 1.0) for layer in needed}
    check(
        len(set(slopes.values())) == 1, "slopes of the leaky ReLU", slopes, "the same after every bank and dense layer"
    )
    network = Network(tuple(chain.banks), dense=hidden, classes=chain.dense[-1], leak=slopes["bank1"])
    return network, chain.params, _normalization(chain)


def _normalization(chain: Chain) -> Normalization | None:
    """Return the normalization of pixels from 0 to 1 that does what the layers before the first bank do."""
    scale = chain.scale * chain.brightest
    if (scale, chain.offset) == (1, 0):
        return None
    return Normalization(mean=0.0 - chain.offset / scale, variance=1 / scale**2)


def _add(chain: Chain, layer: str, settings: dict[str, Any], arrays: Callable[[], list[NDArray[np.generic]]]) -> None:
    """Add a layer to the chain; raise `InputError` if there is no place for it."""
    form = settings.get("data_format", "channels_last")
    check(form == "channels_last", "data_format", form, "channels_last")
    if layer == "InputLayer":
        shape = settings.get("batch_shape", settings.get("batch_input_shape"))
        size = shape[1:] if isinstance(shape, list) else shape
        check(size in ([28, 28, 1], [28, 28], [784]), "shape of an image", size, "28x28")
    elif layer in TRAINING_ONLY:
        return
    elif layer in ("Rescaling", "Normalization", "Reshape") and not chain.banks:
        _add_before(chain, layer, settings, arrays)
    elif layer in ("Conv2D", "SeparableConv2D") and not chain.averaged:
        _add_bank(chain, layer, settings, arrays())
    elif layer == "MaxPooling2D" and chain.banks and not chain.averaged:
        window = [
            _square(settings, "pool_size"),
            _square(settings, "strides"),
            settings.get("padding"),
            chain.banks[-1].pool,
        ]
        check(window == [2, 2, "valid", 1], "pooling", window[:3], "one of 2x2 with strides of 2, valid, after a bank")
        chain.banks[-1] = replace(chain.banks[-1], pool=2)
    elif layer in ("LeakyReLU", "ReLU", "Activation", "Softmax") and chain.banks:
        _activate(
            chain, {"class_name": layer, "config": settings} if layer != "Activation" else settings.get("activation")
        )
    elif layer == "GlobalAveragePooling2D" and chain.banks and not chain.averaged:
        chain.averaged = True
    elif layer == "Flatten" and chain.averaged:
        return
    elif layer == "Dense" and chain.averaged and len(chain.dense) < 2:
        _add_dense(chain, settings, arrays())
    else:
        raise InputError(f"this layer must be one of the networks of inksight, {FAMILY}, in this order")


def _add_before(
    chain: Chain, layer: str, settings: dict[str, Any], arrays: Callable[[], list[NDArray[np.generic]]]
) -> None:
    """Add a layer before the first bank."""
    if layer == "Reshape":
        shape = settings.get("target_shape")
        check(shape == [IMAGE_SIZE, IMAGE_SIZE, 1], "target_shape", shape, "[28, 28, 1]")
        return
    if layer == "Rescaling":
        scale: Any = settings.get("scale")
        offset: Any = settings.get("offset", 0.0)
        numbers = all(isinstance(value, (int, float)) and math.isfinite(value) for value in (scale, offset))
        check(numbers and scale > 0, "scale and offset", (scale, offset), "numbers, the scale above 0")
        if scale < 0.1:  # such as 1/255 and 1/127.5
            chain.brightest = 255.0
    else:
        check(not settings.get("invert", False), "invert", True, "false")
        mean, variance = settings.get("mean"), settings.get("variance")
        found = arrays() if mean is None else []
        if mean is None and len(found) >= 2:
            mean, variance = found[0], found[1]
        moments = [np.asarray(0 if v is None else v) for v in (mean, 1 if variance is None else variance)]
        single = all(value.size == 1 and value.dtype.kind in "fiu" for value in moments)
        check(single, "mean and variance", (mean, variance), "one number each", "normalize all pixels alike")
        center, spread = (float(value.reshape(-1)[0]) for value in moments)
        check(math.isfinite(center) and 0 < spread < math.inf, "mean and variance", (center, spread), "finite, above 0")
        if chain.scale == 1 and center > 1:  # measured on pixels from 0 to 255
            chain.brightest = 255.0
        scale, offset = 1 / math.sqrt(spread), -center / math.sqrt(spread)
    chain.scale, chain.offset = chain.scale * scale, chain.offset * scale + offset


def _add_bank(chain: Chain, layer: str, settings: dict[str, Any], arrays: list[NDArray[np.generic]]) -> None:
    for name, allowed in (("strides", 1), ("dilation_rate", 1)):
        check(_square(settings, name, 1) == allowed, name, settings.get(name), str(allowed))
    check(settings.get("padding") == "valid", "padding", settings.get("padding"), "valid")
    check(settings.get("groups", 1) == 1, "groups", settings.get("groups"), "1")
    check(settings.get("depth_multiplier", 1) == 1, "depth_multiplier", settings.get("depth_multiplier"), "1")
    separable = layer == "SeparableConv2D"
    bank = Bank(settings.get("filters"), _square(settings, "kernel_size"), separable=separable)  # type: ignore[arg-type]
    channels = chain.banks[-1].filters if chain.banks else 1
    chain.banks.append(bank)
    k, filters = bank.kernel, bank.filters
    if separable:
        shapes = {"depthwise": (k, k, channels), "pointwise": (channels, filters)}
    else:
        shapes = {"kernel": (k, k, channels, filters)}
    _take(chain, shapes | {"bias": (filters,)}, settings, arrays)


def _add_dense(chain: Chain, settings: dict[str, Any], arrays: list[NDArray[np.generic]]) -> None:
    units: Any = settings.get("units")
    check(isinstance(units, int) and not isinstance(units, bool) and 1 <= units <= 4096, "units", units, "1 to 4096")
    inputs = chain.dense[-1] if chain.dense else chain.banks[-1].filters
    chain.dense.append(units)
    _take(chain, {"kernel": (inputs, units), "bias": (units,)}, settings, arrays)


def _take(
    chain: Chain, shapes: dict[str, tuple[int, ...]], settings: dict[str, Any], arrays: list[NDArray[np.generic]]
) -> None:
    """Add the weights of the last layer, and its activation."""
    given = dict(zip(shapes, arrays, strict=False))
    needed = {*shapes} - ({"bias"} if settings.get("use_bias", True) is False else set())
    check(given.keys() == needed and len(arrays) == len(given), "number of arrays", len(arrays), str(len(needed)))
    for part, shape in shapes.items():
        name = f"{chain.last}.{part}"
        array = as_floats(name, given[part]) if part in given else np.zeros(shape, np.float32)
        check(array.size == math.prod(shape), f"shape of {part}", array.shape, str(shape))
        chain.params[name] = array.reshape(shape)
    _activate(chain, settings.get("activation"))


def _activate(chain: Chain, activation: Any) -> None:
    """Add an activation function: its name, or the description of its layer."""
    slope = _slope(activation)
    if slope == "softmax":
        check(bool(chain.dense), "softmax", "after a bank", "after the last dense layer")
        chain.softmax = True
    elif slope != 1:
        averaged = chain.averaged and not chain.dense  # the activation of an average is not the average of activations
        check(not averaged, "activation", "one after the average", "one before GlobalAveragePooling2D")
        applied = chain.last in chain.slopes
        check(not applied, "activation", "a second one", f"one after {chain.last}")
        chain.slopes[chain.last] = float(slope)


def _slope(activation: Any) -> float | str:
    """Return the slope of an activation function for negative values, or ``softmax``."""
    named: dict[str | None, float | str] = {
        None: 1.0,
        "linear": 1.0,
        "relu": 0.0,
        "leaky_relu": 0.2,
        "softmax": "softmax",
    }  # as in Keras
    if activation is None or isinstance(activation, str):
        check(activation in named, "activation", activation, "leaky_relu, relu, linear or softmax")
        return named[activation]
    kind = activation.get("class_name") if isinstance(activation, dict) else None
    settings = activation.get("config") if isinstance(activation, dict) else None
    # The functions of Keras are named by their name alone: another one of the same name has a description.
    known = kind in ("LeakyReLU", "ReLU", "Softmax") and isinstance(settings, dict)
    check(known, "activation", activation, "LeakyReLU")
    assert isinstance(settings, dict)
    check_built_in(activation, "class of the activation")
    if kind == "Softmax":
        axis = settings.get("axis", -1)
        check(axis in (-1, 1, [-1], [1]), "axis of the softmax", axis, "-1, that of the classes")
        return "softmax"
    default = 0.3 if kind == "LeakyReLU" else 0.0
    slope: Any = settings.get("negative_slope", settings.get("alpha", default))
    slope = slope.get("config", {}).get("value") if isinstance(slope, dict) else slope
    limits = [settings.get("max_value"), settings.get("threshold", 0)]
    check(limits in ([None, 0], [None, None]), "max_value and threshold", limits, "None and 0")
    is_slope = isinstance(slope, (int, float)) and 0 <= slope <= 1
    check(is_slope, "slope of the leaky ReLU", slope, "0 to 1")
    return float(slope)


def _square(settings: dict[str, Any], name: str, default: object = None) -> int:
    """Return a setting such as ``kernel_size``, which must be the same for height and width."""
    value = settings.get(name, default)
    sides = value if isinstance(value, list) else [value, value]
    ok = len(sides) == 2 and sides[0] == sides[1] and isinstance(sides[0], int) and not isinstance(sides[0], bool)
    check(ok, name, value, "the same for height and width")
    return int(sides[0])
