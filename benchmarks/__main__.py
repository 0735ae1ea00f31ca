"""Runs the benchmarks one after the other; exits with 1 if a claim does not hold on this machine.

Run: ``python -m benchmarks [NAME...]``; all of them by default, about two hours (``make bench``). ``--list`` lists
them. Each is also a module with options of its own: ``python -m benchmarks.NAME --help``.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.common import arguments


class Benchmark(NamedTuple):
    """A benchmark: its module, what it measures, and the arguments of its `main`."""

    name: str
    title: str
    arguments: dict[str, Any]


BENCHMARKS = (
    Benchmark("startup", "start-up time of commands", {"rounds": 7}),
    Benchmark("frameworks", "speed compared with other frameworks", {"rounds": 5}),
    Benchmark("accuracy", "test accuracy of networks and recipes", {"seeds": 10, "fresh": True}),
    Benchmark("time_to_accuracy", "time to 99 % validation accuracy", {"seeds": 10}),
    Benchmark("post_curve", "the post's training run", {}),
    Benchmark("fewer_filters", "accuracy against parameters, by pruning", {"seeds": 5}),
    Benchmark("ensemble", "accuracy of averaged networks", {"seeds": 10}),
    Benchmark("doubtful_labels", "label errors found in MNIST's test set", {"seeds": 2}),
    Benchmark("teach", "fine-tuning to a hand", {"seeds": 3}),
    Benchmark("other_datasets", "accuracy on other datasets", {}),
    Benchmark("prepare_speed", "speed of preparing pictures", {}),
    Benchmark("reading_speed", "speed of reading photos and files", {}),
    Benchmark("wasm", "speed of WebAssembly beside the native engine", {}),
    Benchmark("page_speed", "how soon the page of `inksight web` answers", {}),
    Benchmark("page_reading", "accuracy on lines of digits", {}),
    Benchmark("forms", "accuracy on checks, forms, ruled and squared paper", {}),
    Benchmark("ood_detection", "rejection of pictures that are not digits", {}),
    Benchmark("robustness", "accuracy on corrupted images", {}),
    Benchmark("kill_training", "trainings that are killed and resumed", {"kills": 100}),
    Benchmark("scale", "reading millions of images by many processes", {}),
    Benchmark("c_export", "networks as C programs: size, accuracy, speed", {}),
    Benchmark("mnist_tar", "MNIST as pictures and as an array, here, by Ray, and killed", {}),
    Benchmark("lost_node", "a Ray node that is cut off in the middle of a job", {}),
    Benchmark("csv_readers", "speed of CSV readers", {"rounds": 5}),
)


def main(names: Sequence[str] = (), list_only: bool = False) -> int:
    """Run the named benchmarks, or all of them; return 1 if a claim does not hold."""
    chosen = [benchmark for benchmark in BENCHMARKS if not names or benchmark.name in names]
    failed = False
    for benchmark in chosen:
        if list_only:
            print(f"{benchmark.name:18}{benchmark.title}")
            continue
        print(f"\n## {benchmark.name}: {benchmark.title}\n", flush=True)
        failed |= bool(importlib.import_module(f"benchmarks.{benchmark.name}").main(**benchmark.arguments))
    return int(failed)


if __name__ == "__main__":
    names = arguments.names([benchmark.name for benchmark in BENCHMARKS], "NAME")
    list_only = arguments.flag("list", "list the benchmarks instead", dest="list_only")
    sys.exit(arguments.run(main, __doc__, names, list_only))
