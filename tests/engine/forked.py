"""Predicts, trains or asks for the number of threads, and then does both in child processes of every kind.

Usage: forked.py BEFORE, where BEFORE is a key of `BEFORE`. Prints each kind whose children predict what the parent
predicts and train the same weights; `test_processes.py` runs it.
"""

import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

import inksight
from inksight.engine import library as native
from inksight.engine.trainer import flatten

IMAGES = np.random.default_rng(0).integers(0, 256, size=(256, 28, 28), dtype=np.uint8)
CHILDREN = 3


def predict() -> NDArray[np.float32]:
    """Return the probabilities of images that keep all threads busy."""
    return inksight.load_model("tiny").probabilities(IMAGES)


def train() -> NDArray[np.float32]:
    """Return the weights after one epoch."""
    data = inksight.Splits(inksight.load("mnist")[:200])
    model = inksight.train(data, "2x5p", inksight.Recipe(epochs=1), progress=False)
    return flatten(model.params)


def work(_: int = 0) -> NDArray[np.float32]:
    """Return predictions and trained weights as one array."""
    return np.concatenate([predict().ravel(), train()])


BEFORE: dict[str, Callable[[], object]] = {
    "nothing": lambda: None, "threads": native.threads, "predict": predict, "train": train,
}  # fmt: skip


def os_fork() -> list[NDArray[np.float32]]:
    """Work in children of ``os.fork``, which send the result through a pipe."""
    results = []
    for _ in range(CHILDREN):
        reader, writer = os.pipe()
        if not os.fork():
            try:
                with os.fdopen(writer, "wb") as pipe:
                    pipe.write(work().tobytes())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            results.append(np.frombuffer(pipe.read(), np.float32))
        os.wait()
    return results


def pool(method: str) -> list[NDArray[np.float32]]:
    """Work in a pool of processes."""
    with multiprocessing.get_context(method).Pool(CHILDREN) as processes:
        return processes.map(work, range(CHILDREN))


def executor(method: str) -> list[NDArray[np.float32]]:
    """Work in an executor's processes."""
    with ProcessPoolExecutor(CHILDREN, multiprocessing.get_context(method)) as processes:
        return list(processes.map(work, range(CHILDREN)))


def loky() -> list[NDArray[np.float32]]:
    """Work in joblib's processes."""
    return list(joblib.Parallel(CHILDREN, backend="loky")(joblib.delayed(work)(i) for i in range(CHILDREN)))


if __name__ == "__main__":
    # Python warns of every fork while there are threads. The engine starts its own anew in each child.
    warnings.filterwarnings("ignore", r".*use of fork\(\) may lead to deadlocks", DeprecationWarning)
    BEFORE[sys.argv[1]]()
    found = {
        "os.fork": os_fork(), "pool, fork": pool("fork"), "executor, fork": executor("fork"),
        "executor, forkserver": executor("forkserver"), "executor, spawn": executor("spawn"), "loky": loky(),
    }  # fmt: skip
    expected = work()
    for kind, results in found.items():
        if len(results) == CHILDREN and all(np.array_equal(result, expected) for result in results):
            print(kind)
