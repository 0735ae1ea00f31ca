"""Speed of training and prediction, compared with Keras on TensorFlow, PyTorch, JAX, ONNX Runtime and OpenVINO.

Run: ``python -m benchmarks.frameworks [ROUNDS]``. The other frameworks live in ``.venv-bench/``
(``benchmarks/requirements.txt``), or in the environment of the interpreter that ``INKSIGHT_BENCH_PYTHON`` names. Those
that are not installed are skipped. Writes ``results/frameworks.jsonl``.

Data: MNIST's 50,000 training images, and the network `post` with the same float32 weights everywhere; each framework
proves it by its probabilities of the same images. OpenVINO may compute in bfloat16, and does where the processor can.
Training uses batches of 256, Adam and softmax cross-entropy.

Every framework is a worker process (`benchmarks.competitors`) with its default number of threads. In each round every
worker does each task, one after the other, in an order that rotates; the other workers are stopped meanwhile. A ratio
is the median of the ratios within rounds, so that a machine that slows down slows both sides. If a framework has
variants (layout, jit, where augmentation runs, order of commuting layers), its worker tries them first and keeps the
fastest; the table names it.

Measured, after a warm-up:

training
    Whole steps: forward pass, backward pass, Adam. inksight: `inksight.training.fitting.fit`, which includes drawing
    batches from uint8 images, normalization, loss and accuracy, and Python. The others: float32 batches that are ready
    in memory and not shuffled; no metrics except Keras' loss.
training with augmentation
    The same, with random transformations of each image. inksight: rotation, shift, scale and shear. Keras:
    RandomTranslation and RandomRotation, as in the post, on uint8 batches that are ready in memory.
predict, one call
    One call with 1,024 images, to probabilities. inksight: `Model.probabilities` from uint8, with its checks of the
    images. The others: float32 pixels that are ready in memory.
predict, any calls
    The same for 8,192 images. A runtime gets them in slices of its fastest size.
latency
    One call with one image: the median of all calls of a round.
peak
    Multiply-adds on registers alone, on all cores. Those of a training step are counted for direct convolution, from
    the network's shape: three times the forward pass, but twice in the first bank, because images need no gradient.
    Everything else in a step (pooling, activations, Adam, augmentation) takes time and counts as nothing. The engine
    needs fewer multiplications than direct convolution, so the share of peak may exceed 1.

No timer includes the start of processes, compilation, or loading data.
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
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from benchmarks.common.results import ROOT, write_json_lines
from benchmarks.competitors.protocol import SHOWN, Worker
from inksight.config import IMAGE_SIZE, Network, get_network
from inksight.data.dataset import Dataset
from inksight.data.loading import load
from inksight.nn.model import Model

ROUNDS = 5
COMPETITORS = Path(__file__).with_name("competitors")
BENCH_PYTHON = Path(os.environ.get("INKSIGHT_BENCH_PYTHON", ROOT / ".venv-bench" / "bin" / "python"))
MAX_DIFFERENCE = {"float32": 2e-6, "bf16": 2e-3}  # of probabilities from those of inksight

# inksight by default and on other engines: environment variables, and the default engines to compare them with.
OURS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "inksight": ({}, ()),
    "inksight avx2": ({"INKSIGHT_ISA": "avx2"}, ("native-avx512",)),
    "inksight jax": ({"INKSIGHT_ENGINE": "jax"}, ("native-avx512", "native-avx2", "native")),
}
# Each worker's script, the framework's name, and the package whose version is shown.
THEIRS = {
    "keras_tf": ("Keras on TensorFlow", "tensorflow"),
    "torch_eager": ("PyTorch eager", "torch"),
    "jax_xla": ("JAX with XLA", "jax"),
    "onnx_runtime": ("ONNX Runtime", "onnxruntime"),
    "openvino_runtime": ("OpenVINO", "openvino"),
}
PACKAGES = ("tensorflow", "keras", "torch", "jax", "onnx", "onnxruntime", "openvino", "numpy")


class Task(NamedTuple):
    """A task of the workers.

    Parameters
    ----------
    label : str
        For the table.
    seconds : float or None
        Time to measure for; None if the task decides.
    unit : str
        Name of the measurement in the worker's answer.
    """

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
SHARE = "share of peak"  # a derived task: GFLOP/s of `train` and `peak`

# (task, worker, other worker): ratio of their speeds.
CLAIMS: dict[tuple[str, str, str], Claim] = {
    ("train_augmented", "inksight", "keras_tf"): Claim(3.0),
    ("train", "inksight", "torch_eager"): Claim(4.0),
    ("train", "inksight", "jax_xla"): Claim(8.0),
    (SHARE, "inksight", "peak"): Claim(0.5),
    ("predict", "inksight", "onnx_runtime"): Claim(3.0),
    ("predict", "inksight", "openvino_runtime"): Claim(1.4),
    ("latency", "inksight", "onnx_runtime"): Claim(1.0),
    ("train", "inksight avx2", "inksight"): Claim(0.4),
}

Samples = dict[tuple[str, str], list[float]]  # measurements by task and worker, one a round


@dataclass(frozen=True)
class Comparison:
    """Two workers' speeds in a task.

    Parameters
    ----------
    task, worker, other : str
    medians : (float, float)
        Of each worker's measurements.
    ratio : float
        Median over rounds of how many times as fast `worker` is as `other`.
    spread : (float, float)
        Lowest and highest ratio.
    claim : Claim or None
        On the ratio.
    """

    task: str
    worker: str
    other: str
    medians: tuple[float, float]
    ratio: float
    spread: tuple[float, float]
    claim: Claim | None

    @property
    def holds(self) -> bool:
        """Whether the claim holds, if there is one."""
        return self.claim is None or self.claim.holds(self.ratio)


def compare(samples: Samples, task: str, worker: str, other: str) -> Comparison:
    """Compare two workers' measurements of a task: rates, or microseconds for latency."""
    pair = samples[task, worker], samples[task, other]
    ratios = [b / a if task == "latency" else a / b for a, b in zip(*pair, strict=True)]
    medians = statistics.median(pair[0]), statistics.median(pair[1])
    claim = CLAIMS.get((task, worker, other))
    return Comparison(task, worker, other, medians, statistics.median(ratios), (min(ratios), max(ratios)), claim)


def comparisons(samples: Samples) -> Iterator[Comparison]:
    """Yield inksight compared with every other worker in each task, and inksight's other engines with the default."""
    for task, name in samples:
        if name != "inksight" and (task, "inksight") in samples:
            pair = (name, "inksight") if name in OURS else ("inksight", name)
            yield compare(samples, task, *pair)


def multiply_adds(network: Network) -> tuple[int, int]:
    """Return the multiply-adds of one image by direct convolution: in the forward pass, and in a training step.

    A training step needs each three times (output, weight gradient, input gradient), but those of the first bank twice,
    because images need no gradient.
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
    arrays: dict[str, Any] = {"images": data.images, "labels": data.require_labels("a benchmark").astype(np.int32)}
    if validation is not None:
        labels = validation.require_labels("a benchmark").astype(np.int32)
        arrays |= {"validation_images": validation.images, "validation_labels": labels}
    arrays |= Model.untrained(get_network("post"), seed=0).params
    np.savez(path, **arrays)


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
    # TensorFlow's build for CPUs has another name.
    versions.setdefault("tensorflow", versions.get("tensorflow-cpu", ""))
    return {name: versions[name] for name in PACKAGES if versions.get(name)}


def start(stack: ExitStack, data: Path) -> dict[str, Worker]:
    """Start all workers, inksight first, and check that they have the same network."""
    workers: dict[str, Worker] = {}
    for name, (variables, engines) in OURS.items():
        if name == "inksight" or workers["inksight"].chosen in engines:
            script = COMPETITORS / "inksight_itself.py"
            workers[name] = stack.enter_context(Worker(Path(sys.executable), script, data, variables))
    versions = installed()
    for name, (label, package) in THEIRS.items():
        if package in versions:
            workers[name] = stack.enter_context(Worker(BENCH_PYTHON, COMPETITORS / f"{name}.py", data))
        else:
            print(f"{label} is not installed in {BENCH_PYTHON.parents[1].name}/: skipped")
    for name, worker in workers.items():
        assert worker.probabilities.shape == (SHOWN, 10)
        difference = np.abs(worker.probabilities - workers["inksight"].probabilities).max()
        if difference > MAX_DIFFERENCE["bf16" if "bf16" in worker.chosen else "float32"]:
            raise SystemExit(f"{name} and inksight have different networks: probabilities differ by {difference:.1g}")
    return workers


def measure(workers: dict[str, Worker], rounds: int) -> Samples:
    """Let every worker do each of its tasks once a round, in an order that rotates from round to round."""
    samples: Samples = {}
    for task in TASKS:
        names = ["inksight"] if task == "peak" else list(workers)
        samples |= {(task, name): [] for name in names if task in workers[name].tasks}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for task, (_, seconds, unit) in TASKS.items():
            order = deque(name for key, name in samples if key == task)
            order.rotate(number)
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
    lines = ["| task | A : B | A | B | ratio (lowest, highest) | claimed |", "|---|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: row.claim is None):
        label = "training step, GFLOP/s: share of peak" if row.task == SHARE else TASKS[row.task].label
        a, b = (f"{median:,.0f}" for median in row.medians)
        claim = "" if row.claim is None else row.claim.state(row.ratio)
        names = f"{labels.get(row.worker, row.worker)} : {labels.get(row.other, row.other)}"
        spread = f"{row.spread[0]:.2f}, {row.spread[1]:.2f}"
        lines.append(f"| {label} | {names} | {a} | {b} | **{row.ratio:.2f}** ({spread}) | {claim} |")
    return "\n".join(lines)


def main(rounds: int = ROUNDS) -> int:
    """Print the table; return 1 if a claim does not hold. Claims about missing frameworks do not fail."""
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
    others = ", ".join(f"{name} {version}" for name, version in versions.items())
    print(f"{machine}; compared with {others or 'no other framework'}")
    print(f"network post, float32, batches of 256; median of {rounds} rounds\n")
    print(table(rows, labels))
    print()
    for name, choice in chosen.items():
        print(f"- {labels.get(name, name)}: {choice}")
    measured = {(row.task, row.worker, row.other) for row in rows}
    for task, name, other in CLAIMS:
        if (task, name, other) not in measured:
            print(f"- not measured: {task}, {name} : {other}")
    record = {
        "machine": machine,
        "versions": versions,
        "rounds": rounds,
        "chosen": chosen,
        "medians": {f"{task}: {name}": round(statistics.median(v), 3) for (task, name), v in samples.items()},
        "ratios": {f"{row.task}: {row.worker} : {row.other}": round(row.ratio, 3) for row in rows},
    }
    write_json_lines("frameworks.jsonl", record)
    return int(not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__, arguments.rounds(ROUNDS)))
