"""ncnn, whose graph takes one image: its threads share the image, or each has images of its own."""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import ncnn
import numpy as np
from numpy.typing import NDArray

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
    weights,
)

LEAKY_RELU = "9=2 -23310=1,0.1"  # fused into a layer
GRAPH = f"""7767517
10 10
Input image 0 1 image 0=28 1=28 2=1
Convolution bank1 1 1 image bank1 0=20 1=5 5=1 6=500
Pooling pool 1 1 bank1 pool 0=0 1=2 2=2
ReLU activation 1 1 pool activation 0=0.1
Convolution bank2 1 1 activation bank2 0=20 1=5 5=1 6=10000 {LEAKY_RELU}
Convolution bank3 1 1 bank2 bank3 0=40 1=3 5=1 6=7200 {LEAKY_RELU}
Pooling average 1 1 bank3 average 0=1 4=1
InnerProduct dense 1 1 average dense 0=20 1=1 2=800 {LEAKY_RELU}
InnerProduct output 1 1 dense output 0=10 1=1 2=200
Softmax probabilities 1 1 output probabilities 0=0
"""
RAW = bytes(4)  # precedes a kernel in single precision
# The processor may compute in half precision; float32 is tried against it.
PRECISIONS = {"float32": False, "16-bit storage": True}


def write_network(data: Data, folder: Path) -> tuple[str, str]:
    """Write the graph and the weights; return the names of both files."""
    graph, content = folder / "post.param", folder / "post.bin"
    graph.write_text(GRAPH)
    # (k, k, channels, filters) to (filters, channels, k, k); (in, out) to (out, in)
    arrays = [
        (kernel.transpose(*((3, 2, 0, 1) if kernel.ndim == 4 else (1, 0))), bias) for kernel, bias in weights(data)
    ]
    content.write_bytes(b"".join(RAW + kernel.tobytes() + bias.tobytes() for kernel, bias in arrays))
    return str(graph), str(content)


def network(files: tuple[str, str], threads: int, half: bool) -> Any:
    """Return the network, which computes an image with `threads` threads."""
    net = ncnn.Net()
    net.opt.num_threads = threads
    for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
        setattr(net.opt, name, half)
    assert net.load_param(files[0]) == 0
    assert net.load_model(files[1]) == 0
    return net


def prepare(data: Data) -> Prepared:
    with tempfile.TemporaryDirectory() as folder:
        files = write_network(data, Path(folder))
        nets = {(name, n): network(files, n, half) for name, half in PRECISIONS.items() for n in {1, THREADS}}
    images = np.ascontiguousarray(pixels(data)[:MANY].reshape(-1, 1, 28, 28))
    pool = ThreadPoolExecutor(THREADS)

    def predict(net: Any, image: NDArray[np.float32]) -> Any:
        extractor = net.create_extractor()
        extractor.input("image", ncnn.Mat(image))
        return extractor.extract("probabilities")[1]

    def predict_all(net: Any, images: NDArray[np.float32]) -> list[Any]:
        return [predict(net, image) for image in images]

    def together(precision: str, count: int) -> Callable[[], object]:
        return lambda: predict_all(nets[precision, THREADS], images[:count])

    def apart(precision: str, count: int) -> Callable[[], object]:
        parts = np.array_split(images[:count], THREADS)
        return lambda: list(pool.map(partial(predict_all, nets[precision, 1]), parts))

    ways = {"threads share an image": together, "threads have images of their own": apart}
    variants = {f"{name}; {way}": work(name, SHOWN) for name in PRECISIONS for way, work in ways.items()}
    chosen = fastest(variants)
    precision, way = chosen.split("; ")
    alone = {n: partial(predict, nets[precision, n], images[0]) for n in {1, THREADS}}
    threads = int(fastest({str(n): call for n, call in alone.items()}))
    tasks = prediction(ways[way](precision, ONE_CALL), ways[way](precision, MANY), alone[threads])
    shown = np.array([np.array(mat) for mat in predict_all(nets[precision, 1], images[:SHOWN])])
    return tasks, f"{chosen}; {threads} threads for one image", shown


serve(prepare)
