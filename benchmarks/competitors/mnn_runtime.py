"""MNN, with its graph converted from ONNX, in single precision or in the lower one that it may choose."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.competitors.onnx_graph import ORDERS, export
from benchmarks.competitors.protocol import (
    MANY,
    ONE_CALL,
    SHOWN,
    THREADS,
    Data,
    Prepared,
    fastest,
    pixels,
    prediction,
    serve,
)

SLICES = (32, 128, 256, ONE_CALL)  # images in a call, where the worker may choose
PRECISIONS = {"float32": "high", "low precision": "low"}


def prepare(data: Data) -> Prepared:
    import _tools  # of MNN; the converter's command would install a package that reports its use
    from MNN import expr, nn  # prints a line when it is imported

    images = np.ascontiguousarray(pixels(data)[:MANY].reshape(-1, 1, 28, 28))
    nets: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        graph, converted = str(Path(folder) / "post.onnx"), str(Path(folder) / "post.mnn")
        for order in ORDERS:
            Path(graph).write_bytes(export(data, order))
            words = ("-f", "ONNX", "--modelFile", graph, "--MNNModel", converted, "--bizCode", "post")
            _tools.mnnconvert(["mnnconvert", *words])
            for name, precision in PRECISIONS.items():
                settings = {"backend": expr.Backend.CPU, "precision": precision, "numThread": THREADS}
                manager = nn.create_runtime_manager((settings,))
                net = nn.load_module_from_file(converted, ["image"], ["probabilities"], runtime_manager=manager)
                nets[f"{order}; {name}"] = net

    def call(variant: str, size: int, total: int) -> Callable[[], list[Any]]:
        parts = [
            expr.const(images[start : start + size], [size, 1, 28, 28], expr.NCHW, expr.float)
            for start in range(0, total, size)
        ]
        return lambda: [nets[variant].forward([part])[0].read() for part in parts]

    variant = fastest({name: call(name, 256, 256) for name in nets})
    slices = {f"{size} a call": call(variant, size, MANY) for size in SLICES}
    size = fastest(slices)
    tasks = prediction(call(variant, ONE_CALL, ONE_CALL), slices[size], call(variant, 1, 1))
    return tasks, f"{variant}; {size}", np.array(call(variant, SHOWN, SHOWN)()[0])


serve(prepare)
