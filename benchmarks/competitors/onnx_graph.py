"""The network `post` as an ONNX graph, for several runtimes: pixels in 0..1 (n, 1, 28, 28) to probabilities (n, 10)."""

from typing import Any

from onnx import TensorProto, checker, helper, numpy_helper

from benchmarks.competitors.protocol import Data, weights

# Max-pooling and leaky ReLU commute, so a runtime may be given either order. Pooling first is less work; an activation
# first can be fused into the convolution.
ORDERS = {"pooling first": ("MaxPool", "LeakyRelu"), "activation first": ("LeakyRelu", "MaxPool")}
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "MaxPool": {"kernel_shape": [2, 2], "strides": [2, 2]},
    "LeakyRelu": {"alpha": 0.1},
}


def export(data: Data, order: str) -> bytes:
    """Return the bytes of an ONNX file for any number of images; `order` is one of `ORDERS`."""
    nodes: list[Any] = []
    constants: list[Any] = []
    last = "image"

    def add(kind: str, *inputs: str, **attributes: Any) -> None:
        nonlocal last
        name = f"{kind}{len(nodes)}"
        nodes.append(helper.make_node(kind, [last, *inputs], [name], name, **attributes))
        last = name

    for number, (kernel, bias) in enumerate(weights(data)):
        names = f"kernel{number}", f"bias{number}"
        if kernel.ndim == 4:
            kernel = kernel.transpose(3, 2, 0, 1)  # to (filters, channels, k, k)
        pairs = zip((kernel, bias), names, strict=True)
        constants += [numpy_helper.from_array(array.copy(), name) for array, name in pairs]
        if kernel.ndim == 4:
            add("Conv", *names)
            for kind in ORDERS[order] if number == 0 else ("LeakyRelu",):
                add(kind, **ATTRIBUTES[kind])
            continue
        if number == 3:
            add("GlobalAveragePool")
            add("Flatten")
        add("Gemm", *names)
        if number == 3:
            add("LeakyRelu", **ATTRIBUTES["LeakyRelu"])
    nodes.append(helper.make_node("Softmax", [last], ["probabilities"], "probabilities", axis=1))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 28, 28])
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10])
    graph = helper.make_graph(nodes, "post", [image], [probabilities], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
