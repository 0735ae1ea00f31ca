"""Tensors of the Open Inference Protocol, as JSON or as binary data after it: requests in, answers out.

References
----------
The Open Inference Protocol, version 2, and Triton's extension for binary tensor data.
"""

from collections.abc import Mapping
from itertools import chain
from math import prod
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, shown
from inksight.config import IMAGE_SIZE
from inksight.errors import InputError
from inksight.imaging.arrays import as_images
from inksight.serve.limits import Limits
from inksight.serve.models import LABEL, PROBABILITIES, ServedModel
from inksight.serve.refusal import Refusal

INPUT = "images"
TYPES: dict[str, np.dtype[Any]] = {"UINT8": np.dtype("u1"), "FP32": np.dtype("<f4")}
HEADER = "Inference-Header-Content-Length"  # bytes of JSON before the binary data


class InputTensor(msgspec.Struct):
    """A tensor of a request; its data follow the JSON if `parameters` have ``binary_data_size``."""

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = msgspec.Raw()
    parameters: dict[str, Any] = {}


class RequestedOutput(msgspec.Struct):
    """An output that a request asks for."""

    name: str
    parameters: dict[str, Any] = {}


class InferenceRequest(msgspec.Struct):
    """The JSON of a request."""

    inputs: list[InputTensor]
    id: str = ""
    outputs: list[RequestedOutput] = []
    parameters: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(InferenceRequest)
# Data may be flat or nested as deeply as the shape.
_whole_numbers: list[msgspec.json.Decoder[Any]] = [
    msgspec.json.Decoder(kind)
    for kind in (list[int], list[list[int]], list[list[list[int]]], list[list[list[list[int]]]])
]
_numbers: list[msgspec.json.Decoder[Any]] = [
    msgspec.json.Decoder(kind)
    for kind in (list[float], list[list[float]], list[list[list[float]]], list[list[list[list[float]]]])
]


def parse(body: bytes, header_length: str | None, limits: Limits) -> tuple[InferenceRequest, NDArray[Any]]:
    """Return a request and its images, (n, 28, 28) uint8 or float32 0..1.

    Parameters
    ----------
    body : bytes
    header_length : str or None
        The header `HEADER`: how many bytes of the body are JSON; all by default.
    limits : Limits

    Raises
    ------
    Refusal
        With status 400, if the body is not such a request.
    InputError
        If its tensor is not one of images.
    """
    end = len(body)
    if header_length is not None:
        number = int(header_length) if header_length.isascii() and header_length.isdigit() else -1
        if not 0 <= number <= len(body):
            raise _malformed(f"{HEADER} must be a number of bytes up to {len(body)}, got {shown(header_length)}")
        end = number
    try:
        request = _decoder.decode(memoryview(body)[:end])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(f"the body must be JSON of an inference request: {error}") from error
    names = [tensor.name for tensor in request.inputs]
    check(names == [INPUT], "inputs", names, f"one tensor named {INPUT!r}")
    tensor = request.inputs[0]
    return request, _images(tensor, body[end:], limits)


def _malformed(message: str) -> Refusal:
    return Refusal(400, "malformed", " ".join(message.split()))


def _images(tensor: InputTensor, binary: bytes, limits: Limits) -> NDArray[Any]:
    """Return the images of a tensor, whose shape is checked before its data are looked at."""
    shape, side = tensor.shape, IMAGE_SIZE
    good = len(shape) in (3, 4) and shape[1:] in ([side, side], [side, side, 1])
    check(good, f"shape of {INPUT}", shape, f"[n, {side}, {side}] or [n, {side}, {side}, 1]")
    check(1 <= shape[0] <= limits.images, f"number of {INPUT}", shape[0], f"1 to {limits.images:,}")
    kind = TYPES.get(tensor.datatype)
    if kind is None:
        raise InputError(f"datatype of {INPUT} must be UINT8, or FP32 with values 0 to 1, got {shown(tensor.datatype)}")
    size = tensor.parameters.get("binary_data_size")
    if size is None:
        check(not binary, "binary data", len(binary), f"as long as binary_data_size of {INPUT}, which is missing")
        array = _of_json(tensor, kind)
    else:
        needed = prod(shape) * kind.itemsize
        good = size == needed == len(binary) and not isinstance(size, bool)
        check(good, "bytes of binary data", (size, len(binary)), f"{needed} in binary_data_size and after the JSON")
        array = np.frombuffer(binary, kind)
    return as_images(array.reshape(shape))


def _of_json(tensor: InputTensor, kind: np.dtype[Any]) -> NDArray[Any]:
    """Return the numbers of a tensor's data, flat."""
    raw = memoryview(tensor.data)
    depth = len(tensor.shape) if bytes(raw[:16]).translate(None, b" \t\r\n").startswith(b"[[") else 1
    try:
        values = (_whole_numbers if kind == np.uint8 else _numbers)[depth - 1].decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _malformed(f"data of {INPUT} must be numbers, flat or nested like the shape: {error}") from error
    for following in tensor.shape[1:] if depth > 1 else ():
        if any(len(part) != following for part in values):
            raise InputError(f"data of {INPUT} must be flat, or nested like the shape {tensor.shape}: give the shape")
        values = list(chain.from_iterable(values))
    check(len(values) == prod(tensor.shape), f"numbers in {INPUT}", len(values), f"{prod(tensor.shape)}, as the shape")
    try:
        return np.frombuffer(bytes(values), kind) if kind == np.uint8 else np.array(values, kind)
    except (ValueError, OverflowError) as error:
        raise InputError(f"data of {INPUT} must be whole numbers from 0 to 255 as the datatype is UINT8") from error


def outputs_of(request: InferenceRequest, model: ServedModel, count: int, limits: Limits) -> list[str]:
    """Return the names of the outputs that a request for `count` images asks for: by default probabilities and label.

    Raises
    ------
    InputError
        If the model does not have one of them, one is named twice, or they are too many numbers.
    """
    names = [output.name for output in request.outputs] or [PROBABILITIES, LABEL]
    allowed = [*model.shapes, LABEL]
    for name in names:
        check(name in allowed, "output", name, f"one of {', '.join(allowed)}")
    check(len({*names}) == len(names), "outputs", names, "named once each")
    values = count * sum(prod(model.shapes.get(name, ())) for name in names)
    check(values <= limits.values, "numbers in the answer", values, f"at most {limits.values:,}", "send fewer images")
    return names


def answer(
    request: InferenceRequest, model: ServedModel, outputs: Mapping[str, NDArray[Any]]
) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of an answer."""
    wanted = {output.name: output.parameters.get("binary_data") for output in request.outputs}
    by_default = request.parameters.get("binary_data_output") is True
    tensors, parts = [], []
    for name, array in outputs.items():
        datatype = "BYTES" if name == LABEL else "FP32"
        tensor: dict[str, Any] = {"name": name, "datatype": datatype, "shape": array.shape}
        binary = wanted.get(name)
        if binary is True or (binary is None and by_default):
            part = _packed(array) if name == LABEL else array.astype("<f4", copy=False).tobytes()
            tensor["parameters"] = {"binary_data_size": len(part)}
            parts.append(part)
        else:
            tensor["data"] = array.ravel().tolist()
        tensors.append(tensor)
    header: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if request.id:
        header["id"] = request.id
    text = msgspec.json.encode(header | {"outputs": tensors})
    if not parts:
        return text, {"Content-Type": "application/json"}
    return b"".join([text, *parts]), {"Content-Type": "application/octet-stream", HEADER: str(len(text))}


def _packed(labels: NDArray[Any]) -> bytes:
    """Return strings as the protocol packs them: each after its length, four bytes."""
    encoded = [label.encode() for label in labels.tolist()]
    return b"".join(len(each).to_bytes(4, "little") + each for each in encoded)


def describe(model: ServedModel) -> dict[str, Any]:
    """Return the metadata of a model."""
    shapes = {**model.shapes, LABEL: ()}
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "inksight",
        "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, IMAGE_SIZE, IMAGE_SIZE]}],
        "outputs": [
            {"name": name, "datatype": "BYTES" if name == LABEL else "FP32", "shape": [-1, *shape]}
            for name, shape in shapes.items()
        ],
    }
