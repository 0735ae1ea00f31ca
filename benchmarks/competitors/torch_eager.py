"""PyTorch in eager mode: the step of a plain training loop, in the faster of two memory layouts."""

from functools import partial

import torch

from benchmarks.competitors.protocol import BATCH, SHOWN, Data, Prepared, fastest, serve, throughput
from benchmarks.competitors.torch_network import LAYOUTS, Net, inputs, training_step


def prepare(data: Data) -> Prepared:
    with torch.inference_mode():
        probabilities = Net(data)(inputs(data, torch.contiguous_format)[:SHOWN]).softmax(dim=1).numpy()
    steps = {name: training_step(data, layout) for name, layout in LAYOUTS.items()}
    chosen = fastest(steps)
    return {"train": partial(throughput, steps[chosen], BATCH)}, chosen, probabilities


serve(prepare)
