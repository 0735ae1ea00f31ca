"""The description of a Keras model, the JSON in its file: its layers one after the other."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from inksight._shared.validation import check


def layers_of(config: Any, path: str = "layers") -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield class, name, settings and path of the weights of each layer, those of nested models, too.

    Parameters
    ----------
    config : JSON value
        The description of a ``Sequential`` or ``Functional`` model.
    path : str
        Where the weights of its layers are.

    Raises
    ------
    InputError
        If it is not such a description, a layer has another input than the layer before it, or its class is not one of
        Keras.
    """
    kind = config.get("class_name") if isinstance(config, dict) else None
    check(kind in ("Sequential", "Functional", "Model"), "kind of model", kind, "Sequential or Functional")
    inner = config.get("config")
    described = inner.get("layers") if isinstance(inner, dict) else None
    check(isinstance(described, list), "layers", described, "a list")
    counts: Counter[str] = Counter()
    before = None
    for entry in described or []:
        ok = (
            isinstance(entry, dict)
            and isinstance(entry.get("class_name"), str)
            and isinstance(entry.get("config"), dict)
        )
        check(ok, "layer", entry, "an object with class_name and config")
        layer, settings = entry["class_name"], entry["config"]
        name = str(settings.get("name", layer))
        check_built_in(entry, f"class of the layer {name!r}")
        if "inbound_nodes" in entry:
            _check_follows(name, entry["inbound_nodes"], before)
        before = str(entry.get("name", name))
        snake = _snake_case(layer)
        number = counts[snake]
        counts[snake] += 1
        where = f"{path}/{snake}_{number}" if number else f"{path}/{snake}"
        if layer in ("Sequential", "Functional", "Model"):
            yield from layers_of(entry, f"{where}/layers")
        else:
            yield layer, name, settings, where
    if "output_layers" in inner:
        outputs = _inputs([inner["output_layers"]])
        check(outputs == [before], "outputs of the model", outputs, f"its last layer, {before!r}, alone")


def check_built_in(entry: dict[str, Any], what: str) -> None:
    """Raise `InputError` if the class of a layer or an activation is not one of Keras, whatever its name."""
    module = str(entry.get("module") or "keras")  # absent in Keras 2, and null for a registered class
    is_built_in = module.split(".")[0] == "keras" and ">" not in str(entry.get("registered_name"))
    check(is_built_in, what, f"{module}.{entry.get('class_name')}", "one of Keras, not of your own")


def _check_follows(name: str, nodes: Any, before: str | None) -> None:
    """Raise `InputError` unless the only input of a layer is the layer before it."""
    inputs = _inputs(nodes)
    check(
        inputs == ([] if before is None else [before]), f"inputs of the layer {name!r}", inputs,
        "the layer before it alone", "branches and shortcuts are not part of the networks of inksight",
    )  # fmt: skip


def _inputs(node: Any) -> list[str]:
    """Return the names of the layers whose outputs are in the description of a call, in Keras 3 or 2."""
    if isinstance(node, dict):
        history = node.get("keras_history")
        if isinstance(history, list) and history:
            return [str(history[0])]
        return [name for value in node.values() for name in _inputs(value)]
    if isinstance(node, list):
        if len(node) >= 3 and isinstance(node[0], str) and node[1:3] == [0, 0]:
            return [node[0]]
        return [name for value in node for name in _inputs(value)]
    return []


def _snake_case(name: str) -> str:
    """Return the name of a class as Keras writes it in paths.

    Examples
    --------
    >>> [_snake_case(name) for name in ("Conv2D", "SeparableConv2D", "LeakyReLU", "MaxPooling2D")]
    ['conv2d', 'separable_conv2d', 'leaky_re_lu', 'max_pooling2d']
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
