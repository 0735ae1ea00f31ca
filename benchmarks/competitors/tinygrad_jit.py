"""tinygrad on the processor: a training step compiled by TinyJit with clang.

Its kernels are those that tinygrad chooses by default. A search among variants (``BEAM``) compiles and times each of
hundreds of them, and is left out.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # clang may be there
os.environ.setdefault("DEV", "CPU")

from tinygrad import Context, Tensor, TinyJit
from tinygrad.nn.optim import Adam

from benchmarks.competitors.protocol import BATCH, SHOWN, Data, Prepared, pixels, serve, throughput, weights


def parameters(data: Data) -> list[tuple[Tensor, Tensor]]:
    """Return kernel and bias of each layer, (filters, channels, k, k) or (in, out)."""
    arrays = [(kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel, bias) for kernel, bias in weights(data)]
    return [(Tensor(kernel.copy()), Tensor(bias)) for kernel, bias in arrays]


def logits(params: list[tuple[Tensor, Tensor]], x: Tensor) -> Tensor:
    """Return the logits of the network `post`; pooling before the activation is the same for a quarter of the work."""
    *banks, dense, output = params
    for number, (kernel, bias) in enumerate(banks):
        x = x.conv2d(kernel, bias)
        if number == 0:
            x = x.max_pool2d(2)
        x = x.leaky_relu(0.1)
    x = x.mean((2, 3))
    x = (x @ dense[0] + dense[1]).leaky_relu(0.1)
    return x @ output[0] + output[1]


def training_step(data: Data) -> Callable[[], object]:
    """Return a training step on batches that are ready in memory."""
    params = parameters(data)
    adam = Adam([tensor for pair in params for tensor in pair], lr=1e-3, eps=1e-7)
    whole = len(data["images"]) // BATCH
    images = pixels(data)[: whole * BATCH].reshape(whole, BATCH, 1, 28, 28)
    labels = data["labels"][: whole * BATCH].reshape(whole, BATCH)
    batches = cycle([(Tensor(x).realize(), Tensor(y).realize()) for x, y in zip(images, labels, strict=True)])

    def update(x: Tensor, y: Tensor) -> Tensor:
        adam.zero_grad()
        loss = logits(params, x).sparse_categorical_crossentropy(y).backward()
        adam.step()
        return loss.realize()

    jit = TinyJit(update)

    def step() -> Any:
        with Context(TRAINING=1):
            return jit(*next(batches)).item()  # wait for it

    for _ in range(3):  # the second one is recorded, the third one uses it
        step()
    return step


def prepare(data: Data) -> Prepared:
    shown = logits(parameters(data), Tensor(pixels(data)[:SHOWN].reshape(-1, 1, 28, 28))).softmax(1).numpy()
    return {"train": partial(throughput, training_step(data), BATCH)}, "without BEAM", shown


serve(prepare)
