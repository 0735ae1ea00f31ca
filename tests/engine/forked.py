"""Predicts, trains or asks for the number of threads, and then predicts in child processes of every kind.

Usage: forked.py BEFORE, where BEFORE is a key of `BEFORE`. Prints each kind whose children predict what the parent
predicts; `test_processes.py` runs it.
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

IMAGES = np.random.default_rng(0).integers(0, 256, size=(256, 28, 28), dtype=np.uint8)
CHILDREN = 3


def predict(_: int = 0) -> NDArray[np.float32]:
    """Return the probabilities of images that keep all threads busy."""
    return inksight.load_model("tiny").probabilities(IMAGES)


def train() -> None:
    """Train for one epoch, which starts the threads of JAX too."""
    data = inksight.Splits(inksight.load("mnist")[:200])
    inksight.train(data, "2x5p", inksight.Recipe(epochs=1), progress=False)


BEFORE: dict[str, Callable[[], object]] = {
    "nothing": lambda: None, "threads": native.threads, "predict": predict, "train": train,
}  # fmt: skip


def os_fork() -> list[NDArray[np.float32]]:
    """Predict in children of ``os.fork``, which send the result through a pipe."""
    results = []
    for _ in range(CHILDREN):
        reader, writer = os.pipe()
        if not os.fork():
            try:
                with os.fdopen(writer, "wb") as pipe:
                    pipe.write(predict().tobytes())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            results.append(np.frombuffer(pipe.read(), np.float32).reshape(len(IMAGES), -1))
        os.wait()
    return results


def pool(method: str) -> list[NDArray[np.float32]]:
    """Predict in a pool of processes."""
    with multiprocessing.get_context(method).Pool(CHILDREN) as processes:
        return processes.map(predict, range(CHILDREN))


def executor(method: str) -> list[NDArray[np.float32]]:
    """Predict in an executor's processes."""
    with ProcessPoolExecutor(CHILDREN, multiprocessing.get_context(method)) as processes:
        return list(processes.map(predict, range(CHILDREN)))


def loky() -> list[NDArray[np.float32]]:
    """Predict in joblib's processes."""
    return list(joblib.Parallel(CHILDREN, backend="loky")(joblib.delayed(predict)(i) for i in range(CHILDREN)))


if __name__ == "__main__":
    # JAX warns of every fork, because its own threads do not reach the child. The children use only the engine.
    warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
    warnings.filterwarnings("ignore", r".*use of fork\(\) may lead to deadlocks", DeprecationWarning)
    BEFORE[sys.argv[1]]()
    found = {
        "os.fork": os_fork(), "pool, fork": pool("fork"), "executor, fork": executor("fork"),
        "executor, forkserver": executor("forkserver"), "executor, spawn": executor("spawn"), "loky": loky(),
    }  # fmt: skip
    expected = predict()
    for kind, results in found.items():
        if len(results) == CHILDREN and all(np.array_equal(result, expected) for result in results):
            print(kind)
