"""inksight beside Keras on TensorFlow, PyTorch, JAX with XLA's convolutions, ONNX Runtime and OpenVINO.

Run as ``python -m benchmarks.frameworks [rounds]``; the other frameworks live in ``.venv-bench/``
(``benchmarks/requirements.txt``), or in the environment whose interpreter ``INKSIGHT_BENCH_PYTHON`` names. One that
isn't installed is skipped. Every framework is a worker process (`benchmarks.competitors`) with its own default
threads. In each round all of them do each task, one after the other, in an order that turns from round to round; the
others are stopped meanwhile. A ratio is the median over the rounds of the ratios within a round, so that a machine
that slows down slows both sides.

All have the network `post` with the same float32 weights, which each proves by its probabilities of the same images;
OpenVINO is free to compute in bfloat16, and does where the processor can. Training: batches of 256, Adam, softmax
cross-entropy. Where a framework has variants (layout, jit, where augmentation runs, order of commuting layers), each
worker tries its own first and keeps the fastest; the table names it.

Inside the timers, after a warm-up:

training
    Whole steps: forward, backward, Adam. inksight: `training.run`, so drawing batches out of the uint8 set,
    normalising, counting loss and accuracy, and Python are in it too. The others: float32 batches that lie ready
    in memory and aren't shuffled; no metrics but Keras' loss.
training with augmentation
    The same, with each image moved at random. inksight: rotation, shift, scale and shear.
    Keras: RandomTranslation and RandomRotation, as the post has them, on uint8 batches that lie ready.
predict, one call
    One call with 1,024 images, to probabilities. inksight: `Model.probabilities`, from uint8, its checks of the
    images included. The others: float32 pixels that lie ready.
predict, any calls
    The same for 8,192 images; here a runtime gets them in slices of the size at which it is fastest.
latency
    One call with one image; the median of all calls of a round.
peak
    Multiply-adds on registers alone, all cores. A training step's are those of the direct sums, counted from the
    network's shape: three for each of the forward pass, but two in the first bank, whose images need no gradient;
    everything else a step does (pooling, activations, Adam, augmentation) takes time and counts nothing. The engine
    gets by with fewer (``native/points.h``), so that this share may well be above 1.

Not in any timer: starting processes, compiling, loading data.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.competitors.protocol import SHOWN, Worker
from benchmarks.machine import describe
from inksight.config import IMAGE_SIZE, Network, get_network
from inksight.data.dataset import Dataset
from inksight.data.loading import load

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "frameworks.jsonl"
BENCH_PYTHON = Path(os.environ.get("INKSIGHT_BENCH_PYTHON", HERE.parent / ".venv-bench" / "bin" / "python"))

# inksight as it comes, and what else it can be told to run on: how, and beside which engines that is worth a look.
OURS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "inksight": ({}, ()),
    "inksight avx2": ({"INKSIGHT_ISA": "avx2"}, ("native-avx512",)),
    "inksight xla": ({"INKSIGHT_ENGINE": "xla"}, ("native-avx512", "native-avx2", "native")),
}
# Each worker's script, what it is called here, and the package whose version is shown.
THEIRS = {
    "keras_tf": ("Keras on TensorFlow", "tensorflow"),
    "torch_eager": ("PyTorch eager", "torch"),
    "jax_xla": ("JAX with XLA", "jax"),
    "onnx_runtime": ("ONNX Runtime", "onnxruntime"),
    "openvino_runtime": ("OpenVINO", "openvino"),
}
PACKAGES = ("tensorflow", "keras", "torch", "jax", "onnx", "onnxruntime", "openvino", "numpy")


class Task(NamedTuple):
    """What workers are asked, under the name of the question; ratios say how many times as good one is."""

    label: str
    seconds: float | None
    unit: str


TASKS = {
    "peak": Task("multiply-adds on registers", None, "gflops"),
    "train_augmented": Task("training with augmentation, images/s", 3, "images_per_second"),
    "train": Task("training, images/s", 3, "images_per_second"),
    "predict": Task("predict, one call of 1,024, images/s", 2, "images_per_second"),
    "predict_many": Task("predict, 8,192 in any calls, images/s", 2, "images_per_second"),
    "latency": Task("predict, one image, µs", 1, "microseconds"),
}
SHARE = "share of peak"  # a pseudo-task: GFLOP/s of `train` and `peak`

# (task, one, other): how many times as good as the other the one is, at least.
CLAIMS: dict[tuple[str, str, str], float] = {
    ("train_augmented", "inksight", "keras_tf"): 3.0,
    ("train", "inksight", "torch_eager"): 4.0,
    ("train", "inksight", "jax_xla"): 8.0,
    (SHARE, "inksight", "peak"): 0.5,
    ("predict", "inksight", "onnx_runtime"): 3.0,
    ("predict", "inksight", "openvino_runtime"): 1.4,
    ("latency", "inksight", "onnx_runtime"): 1.0,
    ("train", "inksight avx2", "inksight"): 0.4,
}

Samples = dict[tuple[str, str], list[float]]  # by task and worker, one a round


@dataclass(frozen=True)
class Comparison:
    """A task done by two: medians, the ratio within a round with its spread, and what is claimed of it."""

    task: str
    one: str
    other: str
    medians: tuple[float, float]
    ratio: float
    spread: tuple[float, float]
    at_least: float | None

    @property
    def holds(self) -> bool:
        """Whether the ratio is as high as claimed, if anything is claimed."""
        return self.at_least is None or self.ratio >= self.at_least


def compare(samples: Samples, task: str, one: str, other: str) -> Comparison:
    """Compare two workers' samples of a task; more is better, but for latency."""
    pair = samples[task, one], samples[task, other]
    ratios = [b / a if task == "latency" else a / b for a, b in zip(*pair, strict=True)]
    medians = statistics.median(pair[0]), statistics.median(pair[1])
    claim = CLAIMS.get((task, one, other))
    return Comparison(task, one, other, medians, statistics.median(ratios), (min(ratios), max(ratios)), claim)


def comparisons(samples: Samples) -> Iterator[Comparison]:
    """Yield inksight beside every other worker in each task, and inksight's other builds beside itself."""
    for task, name in samples:
        if name != "inksight" and (task, "inksight") in samples:
            pair = (name, "inksight") if name in OURS else ("inksight", name)
            yield compare(samples, task, *pair)


def multiply_adds(network: Network) -> tuple[int, int]:
    """Return how many multiply-adds one image takes: in the forward pass, and in a step of training.

    Training takes each of them three times (result, weight gradient, input gradient), but those of the first bank
    only twice: nothing needs the gradient of an image.
    """
    side, channels, counts = IMAGE_SIZE, 1, []
    for bank in network.banks:
        side = side - bank.kernel + 1
        counts.append(side**2 * bank.filters * bank.kernel**2 * channels)
        side, channels = side // bank.pool, bank.filters
    widths = [channels, *([network.dense] if network.dense else []), network.classes]
    counts += [a * b for a, b in pairwise(widths)]
    return sum(counts), 3 * sum(counts) - counts[0]


def write_data(path: Path, data: Dataset, validation: Dataset | None = None) -> None:
    """Save what the workers start from: images, labels, and starting weights of the network `post`."""
    from inksight.nn.model import Model

    arrays = {"images": data.images, "labels": data.require_labels("a benchmark").astype(np.int32)}
    if validation is not None:
        labels = validation.require_labels("a benchmark").astype(np.int32)
        arrays |= {"validation_images": validation.images, "validation_labels": labels}
    np.savez(path, **arrays, **Model.untrained(get_network("post"), seed=0).params)


def installed() -> dict[str, str]:
    """Return the version of each of `PACKAGES` in the competitors' environment; empty if there is none."""
    if not BENCH_PYTHON.exists():
        return {}
    code = (
        "import json; from importlib.metadata import distributions;"
        "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in distributions()}))"
    )
    printed = subprocess.run([BENCH_PYTHON, "-c", code], check=True, capture_output=True, text=True).stdout
    versions: dict[str, str] = json.loads(printed)
    # TensorFlow's build without GPU has a name of its own.
    versions.setdefault("tensorflow", versions.get("tensorflow-cpu", ""))
    return {name: versions[name] for name in PACKAGES if versions.get(name)}


def start(stack: ExitStack, data: Path) -> dict[str, Worker]:
    """Start every worker there is, inksight first, and check that all have the same network."""
    scripts = HERE / "competitors"
    workers: dict[str, Worker] = {}
    for name, (variables, beside) in OURS.items():
        if name == "inksight" or workers["inksight"].chosen in beside:
            script = scripts / "inksight_itself.py"
            workers[name] = stack.enter_context(Worker(Path(sys.executable), script, data, variables))
    versions = installed()
    for name, (label, package) in THEIRS.items():
        if package in versions:
            workers[name] = stack.enter_context(Worker(BENCH_PYTHON, scripts / f"{name}.py", data))
        else:
            print(f"{label} is not installed in {BENCH_PYTHON.parents[1].name}/: skipped")
    for name, worker in workers.items():
        assert worker.probabilities.shape == (SHOWN, 10)
        difference = np.abs(worker.probabilities - workers["inksight"].probabilities).max()
        if difference > (2e-3 if "bf16" in worker.chosen else 2e-6):
            raise SystemExit(f"{name} has another network than inksight: probabilities differ by {difference:.1g}")
    return workers


def measure(workers: dict[str, Worker], rounds: int) -> Samples:
    """Let every worker do each of its tasks `rounds` times, by turns."""
    samples: Samples = {}
    for task in TASKS:
        names = ["inksight"] if task == "peak" else list(workers)
        samples |= {(task, name): [] for name in names if task in workers[name].tasks}
    for turn in range(rounds):
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
        for task, (_, seconds, unit) in TASKS.items():
            order = deque(name for key, name in samples if key == task)
            order.rotate(turn)
            for name in order:
                answer = workers[name].ask(task, **({} if seconds is None else {"seconds": seconds}))
                samples[task, name].append(answer[unit])
    if ("peak", "inksight") in samples:
        flops = 2e-9 * multiply_adds(get_network("post"))[1]
        samples[SHARE, "inksight"] = [rate * flops for rate in samples["train", "inksight"]]
        samples[SHARE, "peak"] = samples.pop(("peak", "inksight"))
    return samples


def table(rows: list[Comparison], labels: dict[str, str]) -> str:
    """Return the comparisons as a Markdown table."""
    lines = ["| what | one : other | one | other | ratio (from, to) | claimed |", "|---|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: row.at_least is None):
        what = "training step, GFLOP/s: share of peak" if row.task == SHARE else TASKS[row.task].label
        one, other = (f"{median:,.0f}" for median in row.medians)
        claim = "" if row.at_least is None else f"{row.at_least:g}" + ("" if row.holds else ", NOT HELD")
        names = f"{labels.get(row.one, row.one)} : {labels.get(row.other, row.other)}"
        spread = f"{row.spread[0]:.2f}, {row.spread[1]:.2f}"
        lines.append(f"| {what} | {names} | {one} | {other} | **{row.ratio:.2f}** ({spread}) | {claim} |")
    return "\n".join(lines)


def main(rounds: int) -> int:
    """Print the table; return 1 if a claim does not hold. A claim whose framework is missing is said, not failed."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        data = Path(folder) / "data.npz"
        write_data(data, load("mnist").split().train)
        workers = start(stack, data)
        samples = measure(workers, rounds)
    versions = installed()
    machine = describe("inksight", "jax", "numpy")
    rows = list(comparisons(samples))
    labels = {name: f"{label} {versions.get(package)}" for name, (label, package) in THEIRS.items()}
    chosen = {name: worker.chosen for name, worker in workers.items()}
    beside = ", ".join(f"{name} {version}" for name, version in versions.items())
    print(f"{machine}; beside it {beside or 'no other framework'}")
    print(f"network post, float32, batches of 256; median of {rounds} rounds\n")
    print(table(rows, labels))
    print()
    for name, choice in chosen.items():
        print(f"- {labels.get(name, name)}: {choice}")
    measured = {(row.task, row.one, row.other) for row in rows}
    for task, one, other in CLAIMS:
        if (task, one, other) not in measured:
            print(f"- not measured: {task}, {one} : {other}")
    record = {
        "machine": machine,
        "versions": versions,
        "rounds": rounds,
        "chosen": chosen,
        "medians": {f"{task}: {name}": round(statistics.median(v), 3) for (task, name), v in samples.items()},
        "ratios": {f"{row.task}: {row.one} : {row.other}": round(row.ratio, 3) for row in rows},
    }
    RESULTS.write_text(json.dumps(record) + "\n")
    return int(not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
