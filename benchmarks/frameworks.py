"""Speed of training and prediction, compared with other frameworks, with AVX-512 and with AVX2.

Run: ``python -m benchmarks.frameworks [ROUNDS] [--isa avx512|avx2]``. The other frameworks live in ``.venv-bench/``
(``benchmarks/requirements.txt``), or in the environment of the interpreter that ``INKSIGHT_BENCH_PYTHON`` names. Those
that are not installed are skipped. Writes ``results/frameworks.jsonl``.

A processor with AVX-512 is measured twice: as it is, and with every framework held to AVX2 by its own switch
(`benchmarks.competitors.lineup`). ONNX Runtime, ncnn, MNN and LiteRT have no such switch, so they are compared with
AVX-512 only. ``--isa`` measures one of the two.

Data: MNIST's 50,000 training images, and the network `post` with the same float32 weights everywhere; each framework
proves it by its probabilities of the same images. OpenVINO, ncnn and MNN may compute in a lower precision; the table
says where they do. Training uses batches of 256, Adam and softmax cross-entropy.

Every framework is a worker process (`benchmarks.competitors`) with as many threads as there are cores. In each round
every worker does each task, one after the other, in an order that rotates; the other workers are stopped meanwhile. A
ratio is the median of the ratios within rounds, so that a machine that slows down slows both sides. If a framework has
variants (layout, jit, precision, where augmentation runs, images in a call, how threads share the work, order of
commuting layers), its worker tries them first and keeps the fastest, which is listed below the table.

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

import statistics
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from benchmarks.common.results import write_json_lines
from benchmarks.competitors.lineup import OURS, THEIRS, installed, start
from benchmarks.competitors.protocol import Worker
from inksight.config import IMAGE_SIZE, Network, get_network
from inksight.data.dataset import Dataset
from inksight.data.loading import load
from inksight.engine import library
from inksight.nn.model import Model

ROUNDS = 5
TITLES = {"avx512": "AVX-512", "avx2": "AVX2", "neon": "NEON", "portable": "portable"}  # of instruction sets


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

# For each instruction set, (task, worker, other worker): ratio of their speeds.
CLAIMS: dict[str, dict[tuple[str, str, str], Claim]] = {
    "avx512": {
        ("train_augmented", "inksight", "keras_tf"): Claim(3.0),
        ("train", "inksight", "torch_eager"): Claim(4.0),
        ("train", "inksight", "jax_xla"): Claim(8.0),
        (SHARE, "inksight", "peak"): Claim(0.5),
        ("predict", "inksight", "onnx_runtime"): Claim(3.0),
        ("predict", "inksight", "openvino_runtime"): Claim(1.4),
        ("latency", "inksight", "onnx_runtime"): Claim(1.0),
        ("train", "inksight avx2", "inksight"): Claim(0.4),
    },
    "avx2": {
        ("train", "inksight", "torch_eager"): Claim(2.5),
    },
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


def compare(samples: Samples, isa: str, task: str, worker: str, other: str) -> Comparison:
    """Compare two workers' measurements of a task: rates, or microseconds for latency."""
    pair = samples[task, worker], samples[task, other]
    ratios = [b / a if task == "latency" else a / b for a, b in zip(*pair, strict=True)]
    medians = statistics.median(pair[0]), statistics.median(pair[1])
    claim = CLAIMS.get(isa, {}).get((task, worker, other))
    return Comparison(task, worker, other, medians, statistics.median(ratios), (min(ratios), max(ratios)), claim)


def comparisons(samples: Samples, isa: str) -> Iterator[Comparison]:
    """Yield inksight compared with every other worker in each task, and inksight's other engines with the default."""
    for task, name in samples:
        if name != "inksight" and (task, "inksight") in samples:
            pair = (name, "inksight") if name in OURS else ("inksight", name)
            yield compare(samples, isa, task, *pair)


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


def table(columns: Mapping[str, list[Comparison]], labels: dict[str, str]) -> str:
    """Return the comparisons of each instruction set side by side, as a Markdown table."""
    cells = ("A", "B", "ratio (lowest, highest)", "claimed")
    heads = [f"{TITLES[isa]}: {cell}" for isa in columns for cell in cells]
    lines = [f"| task | A : B | {' | '.join(heads)} |", "|" + "---|" * (2 + len(heads))]
    found = {isa: {(row.task, row.worker, row.other): row for row in rows} for isa, rows in columns.items()}
    keys = dict.fromkeys(key for rows in found.values() for key in rows)
    for key in sorted(keys, key=lambda key: not any(key in claims for claims in CLAIMS.values())):
        task, worker, other = key
        label = "training step, GFLOP/s: share of peak" if task == SHARE else TASKS[task].label
        line = [label, f"{labels.get(worker, worker)} : {labels.get(other, other)}"]
        for rows in found.values():
            line += _cells(rows.get(key))
        lines.append(f"| {' | '.join(line)} |")
    return "\n".join(lines)


def _cells(row: Comparison | None) -> list[str]:
    if row is None:
        return ["not measured", "", "", ""]
    medians = [f"{median:,.0f}" for median in row.medians]
    spread = f"{row.spread[0]:.2f}, {row.spread[1]:.2f}"
    return [*medians, f"**{row.ratio:.2f}** ({spread})", "" if row.claim is None else row.claim.state(row.ratio)]


def fastest_others(rows: list[Comparison]) -> dict[str, Comparison]:
    """Return, for each task, the comparison of inksight with the fastest of the other frameworks."""
    others = [row for row in rows if row.other in THEIRS]
    return {
        task: min((row for row in others if row.task == task), key=lambda row: row.ratio)
        for task in dict.fromkeys(row.task for row in others)
    }


def instruction_sets() -> list[str]:
    """Return those to measure on this machine: the one in use, and AVX2 in addition to AVX-512."""
    used = library.isa()
    if used is None:
        raise SystemExit("the benchmark needs the native engine: `inksight doctor` says why it is missing")
    return ["avx512", "avx2"] if used == "avx512" else [used]


def main(rounds: int = ROUNDS, isa: str | None = None) -> int:
    """Print the table; return 1 if a claim does not hold. Claims about missing frameworks do not fail."""
    known = instruction_sets()
    if isa not in (None, *known):
        raise SystemExit(f"--isa is {isa}, which is not among those of this machine: {', '.join(known)}")
    versions, machine = installed(), describe("inksight", "jax", "numpy")
    columns: dict[str, list[Comparison]] = {}
    record: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        write_data(data, load("mnist").split().train)
        for name in [isa] if isa else known:
            print(f"{TITLES[name]}:", file=sys.stderr)
            with ExitStack() as stack:
                workers = start(stack, data, avx2=name == "avx2")
                samples = measure(workers, rounds)
                chosen = {worker: process.chosen for worker, process in workers.items()}
            columns[name] = list(comparisons(samples, name))
            record[name] = {
                "chosen": chosen,
                "medians": {
                    f"{task}: {worker}": round(statistics.median(v), 3) for (task, worker), v in samples.items()
                },
                "ratios": {f"{row.task}: {row.worker} : {row.other}": round(row.ratio, 3) for row in columns[name]},
            }
    labels = {name: f"{other.label} {versions.get(other.package)}" for name, other in THEIRS.items()}
    others = ", ".join(f"{name} {version}" for name, version in versions.items())
    print(f"\n{machine}; compared with {others or 'no other framework'}")
    print(f"network post, float32, batches of 256; median of {rounds} rounds\n")
    print(table(columns, labels))
    for name, rows in columns.items():
        print(f"\n{TITLES[name]}, fastest of the others:")
        for task, row in fastest_others(rows).items():
            print(f"- {TASKS[task].label}: {labels[row.other]}, ratio {row.ratio:.2f}")
        print(f"\n{TITLES[name]}, variants:")
        for worker, choice in record[name]["chosen"].items():
            print(f"- {labels.get(worker, worker)}: {choice}")
        measured = {(row.task, row.worker, row.other) for row in rows}
        for task, worker, other in CLAIMS.get(name, {}).keys() - measured:
            print(f"- not measured: {task}, {worker} : {other}")
    write_json_lines(
        "frameworks.jsonl", {"machine": machine, "versions": versions, "rounds": rounds, "columns": record}
    )
    return int(not all(row.holds for rows in columns.values() for row in rows))


if __name__ == "__main__":
    isa = arguments.option("isa", "measure this instruction set only", choices=("avx512", "avx2"))
    sys.exit(arguments.run(main, __doc__, arguments.rounds(ROUNDS), isa))
