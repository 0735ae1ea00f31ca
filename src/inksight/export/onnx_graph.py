"""The network as an ONNX graph, with its normalization, its softmax and its out-of-distribution score inside."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from inksight import __version__
from inksight.config import IMAGE_SIZE
from inksight.nn.model import Model
from inksight.nn.ood import MIN_ODDS, ODDS_WEIGHT, REJECTION_WEIGHT
from inksight.nn.parameters import stage_names
from inksight.nn.rejection_output import RejectionOutput

OPSET, IR_VERSION = 17, 8  # read by every ONNX Runtime since 1.12, of 2022
INPUT_TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}
PREPARATION = (
    "28x28 pixels, high values for ink on a background of 0: uint8 0 to 255, or float32 0 to 1. As in MNIST, the digit "
    "fits a box of 20x20 pixels, and its center of mass is in the middle. inksight.prepare makes such images."
)
TO_HWC = (0, 2, 3, 1)  # feature maps leave the graph as `Model.activations` returns them


def output_names(model: Model) -> tuple[str, ...]:
    """Return the names of all outputs that the graph of a model can have."""
    return (*stage_names(model.network), "label", *(["ood_score"] if model.ood_detector else []))


def build_graph(model: Model, outputs: Sequence[str], input_type: str, card: str) -> ModelProto:
    """Return the graph: ``images`` (n, 28, 28) to the `outputs` (`output_names`), for any number n of images."""
    graph = _Graph()
    stages = _add_network(graph, model, input_type)
    if "label" in outputs:
        stages["label"] = graph.add("ArgMax", stages["logits"], axis=1, keepdims=0)
    if "ood_score" in outputs:
        stages["ood_score"] = _add_ood_score(graph, model, stages)
    sides = dict(zip((f"bank{i}" for i in range(1, len(model.network.banks) + 1)), model.network.sides, strict=True))
    shapes = {
        "normalized": [IMAGE_SIZE, IMAGE_SIZE, 1],
        "barcode": [model.network.banks[-1].filters],
        "dense": [model.network.dense],
        "label": [],
        "ood_score": [],
        **{
            name: [side, side, bank.filters]
            for (name, side), bank in zip(sides.items(), model.network.banks, strict=True)
        },
    }
    values = []
    for name in outputs:
        if name in sides or name == "normalized":
            graph.add("Transpose", stages[name], name=name, perm=TO_HWC)
        else:
            graph.add("Identity", stages[name], name=name)
        kind = TensorProto.INT64 if name == "label" else TensorProto.FLOAT
        values.append(helper.make_tensor_value_info(name, kind, ["n", *shapes.get(name, [model.network.classes])]))
    images = helper.make_tensor_value_info("images", INPUT_TYPES[input_type], ["n", IMAGE_SIZE, IMAGE_SIZE])
    proto = helper.make_model(
        helper.make_graph(graph.needed_for(outputs), "inksight", [images], values, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
        producer_name="inksight", producer_version=__version__, doc_string=f"Input: {PREPARATION}",
    )  # fmt: skip
    helper.set_model_props(proto, _facts(model, card))
    return proto


def _facts(model: Model, card: str) -> dict[str, str]:
    """Return the metadata of the file."""
    facts = {
        "class_names": json.dumps(model.class_names),
        "version": model.version,
        "digest": model.digest,
        "temperature": repr(model.temperature),
        "preparation": PREPARATION,
        "card": card,
    }
    return facts | ({"ood_threshold": repr(model.ood_detector.threshold)} if model.ood_detector else {})


class _Graph:
    """Nodes and constants, in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, array: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def add(
        self,
        kind: str,
        *inputs: str | float | NDArray[Any],
        name: str = "",
        unused: Sequence[str] = (),
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its first output. A number or an array becomes a constant."""
        name = name or f"{kind}_{len(self.nodes)}"
        names = [
            value if isinstance(value, str) else self.constant(f"{name}_input{i}", _array(value))
            for i, value in enumerate(inputs)
        ]
        self.nodes.append(helper.make_node(kind, names, [name, *unused], name, **attributes))
        return name

    def needed_for(self, outputs: Sequence[str]) -> list[Any]:
        """Return the nodes that the outputs depend on, and keep only their constants."""
        needed, nodes = {*outputs}, []
        for node in reversed(self.nodes):
            if needed & {*node.output}:
                needed |= {*node.input}
                nodes.append(node)
        self.constants = [constant for constant in self.constants if constant.name in needed]
        return nodes[::-1]


def _array(value: float | NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(value)
    return array if array.dtype == np.int64 else array.astype(np.float32)


def _add_network(graph: _Graph, model: Model, input_type: str) -> dict[str, str]:
    """Add the network, and return the name of each stage; feature maps are (n, filters, side, side)."""
    network, params, stages = model.network, model.params, {}

    def weight(name: str, axes: tuple[int, ...] = ()) -> str:
        return graph.constant(name, params[name].transpose(axes) if axes else params[name])

    def leaky_relu(x: str) -> str:
        return graph.add("LeakyRelu", x, alpha=network.leak)

    x = graph.add("Unsqueeze", "images", np.array([1]))
    if input_type == "uint8":
        x = graph.add("Div", graph.add("Cast", x, to=TensorProto.FLOAT), 255.0)
    x = graph.add("Sub", x, model.normalization.mean)
    x = stages["normalized"] = graph.add("Div", x, np.sqrt(np.float32(model.normalization.variance)))
    for number, bank in enumerate(network.banks, start=1):
        name = f"bank{number}"
        if bank.separable:
            depthwise = graph.constant(f"{name}.depthwise", params[f"{name}.depthwise"].transpose(2, 0, 1)[:, None])
            x = graph.add("Conv", x, depthwise, group=params[f"{name}.depthwise"].shape[2])
            kernel = graph.constant(f"{name}.pointwise", params[f"{name}.pointwise"].T[..., None, None])
        else:
            kernel = weight(f"{name}.kernel", (3, 2, 0, 1))
        x = graph.add("Conv", x, kernel, weight(f"{name}.bias"))
        if bank.pool == 2:
            x = graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        x = stages[name] = leaky_relu(x)
    x = stages["barcode"] = graph.add("Flatten", graph.add("GlobalAveragePool", x))
    if network.dense:
        x = stages["dense"] = leaky_relu(graph.add("Gemm", x, weight("dense.kernel"), weight("dense.bias")))
    x = stages["logits"] = graph.add("Gemm", x, weight("output.kernel"), weight("output.bias"))
    return stages | {"probabilities": graph.add("Softmax", x, axis=1)}


def _add_ood_score(graph: _Graph, model: Model, stages: dict[str, str]) -> str:
    """Add the sums of `inksight.ood_score`, and return the name of their result, (n,)."""
    detector = model.ood_detector
    assert detector is not None
    first, all_classes, axis = np.array([0]), np.array([model.network.classes]), np.array([1])
    logits = graph.add("Mul", stages["logits"], model.temperature / detector.temperature)
    ordered = graph.add(
        "TopK", logits, all_classes, unused=["order"], axis=1
    )  # so that the sums below subtract no close numbers
    top = graph.add("Slice", ordered, first, np.array([1]), axis)
    others = graph.add("Slice", ordered, np.array([1]), all_classes, axis)
    odds = graph.add("ReduceSum", graph.add("Exp", graph.add("Sub", others, top)), axis, keepdims=0)
    if isinstance(detector, RejectionOutput):
        weights = detector.rejection_weights
        units = stages["dense" if model.network.dense else "barcode"]
        own = graph.add("Add", graph.add("MatMul", units, weights[:-1]), weights[-1])
        log_sum = graph.add("Add", graph.add("Squeeze", top, axis), graph.add("Log", graph.add("Add", odds, 1.0)))
        return graph.add("Mul", graph.add("Sub", own, log_sum), REJECTION_WEIGHT)
    banks = [stages[f"bank{number}"] for number in range(1, len(model.network.banks) + 1)]
    averages = graph.add(
        "Concat", *(graph.add("Flatten", graph.add("GlobalAveragePool", bank)) for bank in banks), axis=1
    )
    roots = graph.add("Sqrt", graph.add("Abs", averages))
    features = graph.add("Mul", graph.add("Sign", averages), roots)
    x = graph.add("Unsqueeze", graph.add("MatMul", features, detector.whitening), np.array([1]))
    difference = graph.add("Sub", x, (detector.means @ detector.whitening)[None])  # (n, classes, features)
    squares = graph.add("ReduceMean", graph.add("Mul", difference, difference), axes=[2], keepdims=0)
    distance = graph.add("ReduceMin", squares, axes=[1], keepdims=0)
    log_odds = graph.add("Log", graph.add("Max", odds, MIN_ODDS))
    return graph.add("Add", distance, graph.add("Mul", log_odds, ODDS_WEIGHT))
