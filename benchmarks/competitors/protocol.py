"""The protocol between a benchmark and its worker processes: one JSON object a line, on standard input and output.

There is one worker for each framework, in an environment of its own, started with the path of an ``.npz`` file. It sets
up its network and lists its tasks: ``{"tasks": [...], "chosen": "...", "probabilities": [...]}``. Then it answers each
request, such as ``{"task": "train", "seconds": 3}``, with a measurement: ``{"images_per_second": 14500.0}``. Between
requests it is stopped, so that none of its threads can spin while another framework is measured.

This module has both ends. It imports nothing but NumPy, because the workers' environment does not have inksight.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
# As many as inksight uses; where a framework takes fewer by default, its worker asks for them.
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BATCH = 256  # images in a training step
ONE_CALL = 1024  # images predicted in one call
MANY = 8192  # images predicted in any number of calls
SHOWN = 64  # images for which a worker gives its probabilities, to prove that it has the same network
WARM_UP = 0.3  # seconds of work before each timer starts
TRIAL = 0.7  # seconds for each trial of a variant
LAYERS = ("bank1", "bank2", "bank3", "dense", "output")

Data = Mapping[str, NDArray[Any]]
Answer = dict[str, Any]
Tasks = dict[str, Callable[..., Answer]]
Prepared = tuple[Tasks, str, NDArray[np.float32]]  # tasks by name, the variant chosen, (SHOWN, 10) probabilities


def pixels(data: Data) -> NDArray[np.float32]:
    """Return the images scaled to 0..1, (n, 28, 28, 1), which is the input of the network `post`."""
    return (data["images"][..., None] / np.float32(255)).astype(np.float32)


def weights(data: Data) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return kernel and bias of each layer: kernels are (k, k, channels, filters) or, if dense, (in, out)."""
    return [(data[f"{name}.kernel"], data[f"{name}.bias"]) for name in LAYERS]


def throughput(step: Callable[[], object], images: int, seconds: float) -> Answer:
    """Return the images a second of `step`, which processes `images` of them and waits for the result."""
    for budget in (WARM_UP, seconds):
        steps, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < budget:
            step()
            steps += 1
    return {"images_per_second": steps * images / elapsed}


def latency(call: Callable[[], object], seconds: float) -> Answer:
    """Return the median time of a call."""
    throughput(call, 1, 0)
    times, end = [], time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        call()
        times.append(time.perf_counter() - start)
    return {"microseconds": 1e6 * statistics.median(times)}


def prediction(one_call: Callable[[], object], many: Callable[[], object], one: Callable[[], object]) -> Tasks:
    """Return the tasks of prediction: ONE_CALL images in one call, MANY in any number of calls, and one image."""
    return {
        "predict": partial(throughput, one_call, ONE_CALL),
        "predict_many": partial(throughput, many, MANY),
        "latency": partial(latency, one),
    }


def fastest(variants: Mapping[str, Callable[[], object]], rounds: int = 3) -> str:
    """Return the name of the fastest variant: they take turns, and the best of each counts."""
    rates = {name: [throughput(step, 1, TRIAL)["images_per_second"]] for name, step in variants.items()}
    for _ in range(rounds - 1 if len(variants) > 1 else 0):
        for name, step in variants.items():
            rates[name].append(throughput(step, 1, TRIAL)["images_per_second"])
    return max(rates, key=lambda name: max(rates[name]))


def serve(prepare: Callable[[Data], Prepared]) -> None:
    """Answer requests until standard input ends.

    Parameters
    ----------
    prepare : callable
        Maps the data to the tasks by name, the name of the fastest variant of the framework, and the probabilities of
        the first `SHOWN` images.
    """
    # Answers keep the real standard output; what a framework prints goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def send(answer: Answer) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    with np.load(sys.argv[1]) as file:
        tasks, chosen, probabilities = prepare(dict(file))
    send({"tasks": list(tasks), "chosen": chosen, "probabilities": np.asarray(probabilities).tolist()})
    for line in sys.stdin:
        request = json.loads(line)
        send(tasks[request.pop("task")](**request))


class Worker:
    """A worker process, seen from the benchmark. It runs only while it answers a request.

    Parameters
    ----------
    python : path
        Interpreter of the environment that has the framework.
    script : path
        One of the scripts in this folder.
    data : path
        ``.npz`` with ``images`` (n, 28, 28) uint8, ``labels`` (n,), and the weights by inksight's names.
    environment : dict of str to str
        Additional environment variables.
    """

    def __init__(self, python: Path, script: Path, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name = script.stem
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]  # so that the script can import this module
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the worker)
        self.process = subprocess.Popen(
            [python, script, data],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path), **(environment or {})},
        )
        try:
            ready = self._receive()
        except BaseException:
            self.close()
            raise
        self.tasks: list[str] = ready["tasks"]
        self.chosen: str = ready["chosen"]
        self.probabilities = np.array(ready["probabilities"])  # (SHOWN, 10)

    def ask(self, task: str, **parameters: float) -> Answer:
        """Wake the worker, wait for one measurement, and stop it again; a `RuntimeError` if it has ended."""
        assert self.process.stdin is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(json.dumps({"task": task, **parameters}) + "\n")
        self.process.stdin.flush()
        return self._receive()

    def close(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            assert stream is not None
            stream.close()

    def _receive(self) -> Answer:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise RuntimeError(f"{self.name} ended early:\n{self.errors.read()[-2000:]}")
        self.process.send_signal(signal.SIGSTOP)
        answer: Answer = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
