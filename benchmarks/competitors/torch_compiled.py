"""PyTorch with ``torch.compile``: Inductor's C++, compiled for each batch size, in the faster of two memory layouts.

Predictions are compiled with frozen weights, which Inductor packs for its convolutions. Network and loss of a training
step are compiled; the optimizer is PyTorch's fused one.
"""

import os
from collections.abc import Callable
from functools import cache, partial

import torch
import torch._inductor.config as inductor

from benchmarks.competitors.protocol import (
    BATCH,
    MANY,
    ONE_CALL,
    SHOWN,
    Data,
    Prepared,
    Tasks,
    fastest,
    prediction,
    serve,
    throughput,
)
from benchmarks.competitors.torch_network import LAYOUTS, Net, inputs, training_step

SLICES = (128, 256, ONE_CALL)  # images in a call, where the worker may choose


def prepare(data: Data) -> Prepared:
    if os.environ.get("ATEN_CPU_CAPABILITY") == "avx2":
        inductor.cpp.simdlen = 256
    images = {name: inputs(data, layout) for name, layout in LAYOUTS.items()}

    @cache
    def compiled(layout: str, size: int) -> Callable[[torch.Tensor], torch.Tensor]:
        net = Net(data).to(memory_format=LAYOUTS[layout]).eval()
        network = torch.compile(lambda x: net(x).softmax(dim=1), dynamic=False)
        with torch.inference_mode(), inductor.patch(freezing=True):
            network(images[layout][:size])
        result: Callable[[torch.Tensor], torch.Tensor] = network
        return result

    def call(layout: str, size: int, total: int) -> Callable[[], list[torch.Tensor]]:
        network, parts = compiled(layout, size), images[layout][:total].split(size)

        def work() -> list[torch.Tensor]:
            with torch.inference_mode():
                return [network(part) for part in parts]

        return work

    layout = fastest({layout: call(layout, ONE_CALL, ONE_CALL) for layout in LAYOUTS})
    slices = {f"{size} a call": call(layout, size, MANY) for size in SLICES}
    size = fastest(slices)
    steps = {layout: training_step(data, LAYOUTS[layout], compiled=True) for layout in LAYOUTS}
    trained = fastest(steps)
    tasks: Tasks = {
        "train": partial(throughput, steps[trained], BATCH),
        **prediction(call(layout, ONE_CALL, ONE_CALL), slices[size], call(layout, 1, 1)),
    }
    shown = call(layout, SHOWN, SHOWN)()[0].numpy()
    return tasks, f"training {trained}; prediction {layout}, {size}", shown


serve(prepare)
