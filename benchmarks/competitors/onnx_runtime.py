"""ONNX Runtime with default session options and all graph optimizations."""

from collections.abc import Callable
from functools import partial
from typing import Any

import onnxruntime

from benchmarks.competitors.onnx_graph import ORDERS, export
from benchmarks.competitors.protocol import (
    MANY,
    ONE_CALL,
    SHOWN,
    Data,
    Prepared,
    fastest,
    pixels,
    prediction,
    serve,
)

SLICES = (64, 128, 256, ONE_CALL, MANY)  # images in a call, where the worker may choose


def prepare(data: Data) -> Prepared:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    sessions = {order: onnxruntime.InferenceSession(export(data, order), options) for order in ORDERS}
    images = pixels(data).reshape(-1, 1, 28, 28)

    def call(order: str, start: int, end: int) -> Callable[[], Any]:
        return partial(sessions[order].run, None, {"image": images[start:end]})

    def in_slices(size: int) -> Callable[[], object]:
        calls = [call(order, start, start + size) for start in range(0, MANY, size)]
        return lambda: [call() for call in calls]

    order = fastest({order: call(order, 0, ONE_CALL) for order in ORDERS})
    slices = {f"{size} a call": in_slices(size) for size in SLICES}
    size = fastest(slices)
    tasks = prediction(call(order, 0, ONE_CALL), slices[size], call(order, 0, 1))
    return tasks, f"{order}; {size}", call(order, 0, SHOWN)()[0]


serve(prepare)
