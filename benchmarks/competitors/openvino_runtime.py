"""OpenVINO with its default configuration, compiled for each batch size; it may choose bfloat16."""

import os
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import openvino

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

SLICES = (256, 512, ONE_CALL, MANY)  # images in a call, where the worker may choose


def prepare(data: Data) -> Prepared:
    core = openvino.Core()
    if os.environ.get("ONEDNN_MAX_CPU_ISA") == "AVX2":  # it would still choose bfloat16, which then has no kernels
        core.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    images = pixels(data).reshape(-1, 1, 28, 28)

    @cache
    def compiled(order: str, size: int, hint: str | None = None) -> openvino.CompiledModel:
        model = core.read_model(export(data, order))
        model.reshape([size, 1, 28, 28])
        return core.compile_model(model, "CPU", {"PERFORMANCE_HINT": hint} if hint else {})

    def call(order: str, size: int) -> Callable[[], Any]:
        request = compiled(order, size).create_infer_request()
        return partial(request.infer, [images[:size]], share_inputs=True, share_outputs=True)

    def in_slices(size: int) -> Callable[[], object]:
        infer = compiled(order, size).create_infer_request().infer
        parts = [images[start : start + size] for start in range(0, MANY, size)]
        return lambda: [infer([part], share_inputs=True, share_outputs=True) for part in parts]

    def in_parallel(size: int) -> Callable[[], object]:
        queue = openvino.AsyncInferQueue(compiled(order, size, "THROUGHPUT"))
        parts = [images[start : start + size] for start in range(0, MANY, size)]

        def work() -> None:
            for part in parts:
                queue.start_async([part], share_inputs=True)
            queue.wait_all()

        return work

    order = fastest({order: call(order, ONE_CALL) for order in ORDERS})
    slices = {f"{size} a call": in_slices(size) for size in SLICES}
    slices |= {f"{size} a call, THROUGHPUT": in_parallel(size) for size in SLICES}
    size = fastest(slices)
    tasks = prediction(call(order, ONE_CALL), slices[size], call(order, 1))
    precision = compiled(order, ONE_CALL).get_property("INFERENCE_PRECISION_HINT").to_string()
    return tasks, f"{order}; {size}; {precision}", next(iter(call(order, SHOWN)().values()))


serve(prepare)
