"""The network `post` in PyTorch, and the step of a plain training loop, for two workers."""

from collections.abc import Callable
from itertools import cycle

import torch
from torch import Tensor, nn

from benchmarks.competitors.protocol import BATCH, Data, pixels, weights

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Net(nn.Module):
    """The network `post`; pooling before the activation gives the same result for a quarter of the work."""

    def __init__(self, data: Data) -> None:
        super().__init__()
        sizes = ((1, 20, 5), (20, 20, 5), (20, 40, 3))
        self.banks = nn.ModuleList(nn.Conv2d(*size) for size in sizes)
        self.dense, self.output = nn.Linear(40, 20), nn.Linear(20, 10)
        with torch.no_grad():
            for layer, (kernel, bias) in zip((*self.banks, self.dense, self.output), weights(data), strict=True):
                # (k, k, channels, filters) to (filters, channels, k, k); (in, out) to (out, in)
                layer.weight.copy_(torch.from_numpy(kernel).permute(*((3, 2, 0, 1) if kernel.ndim == 4 else (1, 0))))
                layer.bias.copy_(torch.from_numpy(bias))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (n, 10), of pixels (n, 1, 28, 28) in 0..1."""
        for number, bank in enumerate(self.banks):
            x = bank(x)
            if number == 0:
                x = nn.functional.max_pool2d(x, 2)
            x = nn.functional.leaky_relu(x, 0.1)
        x = x.mean(dim=(2, 3))
        return self.output(nn.functional.leaky_relu(self.dense(x), 0.1))


def inputs(data: Data, layout: torch.memory_format) -> Tensor:
    """Return the images as the network takes them, (n, 1, 28, 28)."""
    return torch.from_numpy(pixels(data)).permute(0, 3, 1, 2).contiguous(memory_format=layout)


def training_step(data: Data, layout: torch.memory_format, compiled: bool = False) -> Callable[[], object]:
    """Return a training step on batches that are ready in memory; `compiled`: network and loss by ``torch.compile``."""
    net = Net(data).to(memory_format=layout)
    adam = torch.optim.Adam(net.parameters(), fused=True)

    def cross_entropy(x: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(net(x), y)

    loss = torch.compile(cross_entropy, dynamic=False) if compiled else cross_entropy
    images = inputs(data, layout)
    whole = len(images) // BATCH * BATCH
    labels = torch.from_numpy(data["labels"]).long()
    batches = cycle(list(zip(images[:whole].split(BATCH), labels[:whole].split(BATCH), strict=True)))

    def step() -> None:
        x, y = next(batches)
        adam.zero_grad()
        loss(x, y).backward()
        adam.step()

    return step
