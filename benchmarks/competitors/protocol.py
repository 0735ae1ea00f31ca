"""How a framework is asked and answers: one JSON object a line, on a worker's standard input and output.

A worker is one process a framework, in an environment of its own, started with the path of an ``.npz``. It sets up
its network, says which tasks it has (``{"tasks": [...], "chosen": "...", "probabilities": [...]}``), and then answers
each ``{"task": "train", "seconds": 3}`` with one measurement, such as ``{"images_per_second": 14500.0}``. Between
two questions it is stopped, so that none of its threads can spin while another framework is measured.

This file has both ends and imports nothing but NumPy, because a worker's environment doesn't have inksight.
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
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

BATCH = 256  # images a training step
ONE_CALL = 1024  # images handed to one call
MANY = 8192  # images to be predicted in as many calls as a framework likes
SHOWN = 64  # images whose probabilities a worker shows, to prove that it has the same network
WARM_UP = 0.3  # seconds of work before each timer starts
KERNELS = ("bank1", "bank2", "bank3", "dense", "output")

Data = Mapping[str, NDArray[Any]]
Answer = dict[str, Any]


def pixels(data: Data) -> NDArray[np.float32]:
    """Return the images scaled to 0..1, (n, 28, 28, 1): what the network `post` sees, in the post too."""
    return (data["images"][..., None] / np.float32(255)).astype(np.float32)


def weights(data: Data) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return kernel and bias of each layer; convolutions are (k, k, channels, filters), dense ones (in, out)."""
    return [(data[f"{name}.kernel"], data[f"{name}.bias"]) for name in KERNELS]


def throughput(step: Callable[[], object], images: int, seconds: float) -> Answer:
    """Return how many images a second `step`, which works on `images` of them and waits for the result, handles."""
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


def fastest(variants: Mapping[str, Callable[[], object]], rounds: int = 3) -> str:
    """Return the name of the variant that steps most often in a second; they take turns, the best turn counts."""
    rates = {name: [throughput(step, 1, 0.7)["images_per_second"]] for name, step in variants.items()}
    for _ in range(rounds - 1 if len(variants) > 1 else 0):
        for name, step in variants.items():
            rates[name].append(throughput(step, 1, 0.7)["images_per_second"])
    return max(rates, key=lambda name: max(rates[name]))


def serve(prepare: Callable[[Data], tuple[dict[str, Callable[..., Answer]], str, NDArray[np.float32]]]) -> None:
    """Answer until standard input ends.

    Parameters
    ----------
    prepare : callable
        From the data to the tasks by name, what was chosen among the framework's variants, and the probabilities
        of the first `SHOWN` images, (SHOWN, 10).
    """
    # Answers keep the real standard output; whatever a framework prints joins its errors.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(answer: Answer) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    with np.load(sys.argv[1]) as file:
        tasks, chosen, probabilities = prepare(dict(file))
    tell({"tasks": list(tasks), "chosen": chosen, "probabilities": np.asarray(probabilities).tolist()})
    for line in sys.stdin:
        question = json.loads(line)
        tell(tasks[question.pop("task")](**question))


class Worker:
    """The asking end: a worker process, which runs only while it is asked something.

    Parameters
    ----------
    python : path
        Interpreter of the environment that has the framework.
    script : path
        One of the files beside this one.
    data : path
        ``.npz`` with ``images`` (n, 28, 28) uint8, ``labels`` (n,), and the weights by inksight's names.
    environment : dict of str to str
        Variables to set beside the present ones.
    """

    def __init__(self, python: Path, script: Path, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name = script.stem
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the worker)
        self.process = subprocess.Popen(
            [python, script, data],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=os.environ | (environment or {}),
        )
        try:
            ready = self._hear()
        except BaseException:
            self.close()
            raise
        self.tasks: list[str] = ready["tasks"]
        self.chosen: str = ready["chosen"]
        self.probabilities = np.array(ready["probabilities"])  # (SHOWN, 10)

    def ask(self, task: str, **how: float) -> Answer:
        """Wake the worker, wait for one measurement, and stop it again."""
        assert self.process.stdin is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(json.dumps({"task": task, **how}) + "\n")
        self.process.stdin.flush()
        return self._hear()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            assert stream is not None
            stream.close()

    def _hear(self) -> Answer:
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
