"""Calls the engine's C interface while allocations fail, each time in a process that has not called it before.

Prints how many allocations failed, call by call. `test_memory.py` runs it with the allocator of
`failing_allocations.cpp`.
"""

import ctypes
import itertools
import os
import pickle
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import reference
from numpy.typing import NDArray

from inksight import InksightError
from inksight.config import Recipe, get_network
from inksight.engine import library as native
from inksight.engine.predictor import Predictor
from inksight.engine.trainer import Steps, Trainer
from inksight.imaging.preprocessing import prepare_with_engine
from inksight.nn.parameters import init_params, stage_names

Arrays = dict[str, NDArray[np.generic]]
ALL_SUCCEEDED, SOME_FAILED = 0, 10  # exit codes of a child
NETWORK = get_network("4x5p,9x3,d5")
RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=10_000).astype(np.float32)
IMAGES = RANDOM.integers(0, 256, size=(256, 28, 28), dtype=np.uint8)
PICTURES = {"small": np.full((40, 30), 0.9), "large": np.full((1700, 1300), 0.9)}
for picture in PICTURES.values():
    picture[len(picture) // 4 : len(picture) // 2, 12:20] = 0.1
LIBRARY = native.load()[0]
shim = ctypes.CDLL(None)


class Failing:
    """The engine, where the k-th allocation fails in each call of one function; none if k is 0."""

    def __init__(self, function: str, k: int) -> None:
        self.function, self.k, self.failures = function, k, 0

    def __getattr__(self, name: str) -> Callable[..., object]:
        function = getattr(LIBRARY, name)
        return self.call if name == self.function else function

    def call(self, *arguments: Any) -> int:
        """Call the function. Its parameters must be integers and pointers."""
        function = getattr(LIBRARY, self.function)
        values = (x if isinstance(x, int) else ctypes.cast(x, ctypes.c_void_p).value or 0 for x in arguments)
        result = int(shim.call_failing(self.k, function, (ctypes.c_int64 * 9)(*values)))
        self.failures += shim.allow_allocations()
        return result & 0xFFFFFFFF if function.restype is ctypes.c_int else result


def predict(n: int) -> Arrays:
    """Return all stages of n images."""
    result: Arrays = {**Predictor(NETWORK, WEIGHTS, 0.13, 0.09)(IMAGES[:n], stage_names(NETWORK))}
    return result


def train(n: int) -> Arrays:
    """Return what a step on n images gives."""
    rows = np.arange(n, dtype=np.int32)[None] % 256
    lattices = np.broadcast_to(reference.IDENTITY_LATTICE, (1, n, 2, 5, 5))
    steps = Steps(rows, np.ones((1, n), np.float32), lattices, rows % 10, np.array([0.1]))
    trainer = Trainer(NETWORK, Recipe(1, muon_scale=0.3), init_params(NETWORK, 0), 0.13, 0.09, IMAGES)
    losses, correct = trainer.take(steps)
    return {"losses": losses, "correct": correct, "weights": trainer.state.weights}


def prepare(name: str) -> Arrays:
    """Return the results of preprocessing a picture."""
    done = prepare_with_engine(PICTURES[name])
    return {"image": done.image, "gray": done.grayscale, "ink": done.ink, "box": np.array(done.box)}


def peak() -> Arrays:
    """Measure the limit. There is nothing to compare: no two measurements agree."""
    native.peak()
    return {}


CALLS: dict[str, Callable[[], Arrays]] = {
    "inksight_trainer_new": partial(train, 1),
    **{f"inksight_trainer_steps/{n}": partial(train, n) for n in (20, 300)},
    "inksight_predictor_new": partial(predict, 1),
    **{f"inksight_predict/{n}": partial(predict, n) for n in (1, 16, 256)},
    **{f"inksight_preprocess/{name}": partial(prepare, name) for name in PICTURES},
    "inksight_peak": peak,
    "inksight_threads": lambda: {"threads": np.array(native.threads())},
    "inksight_use": lambda: {"names": np.array(native.available())},
}


def in_child(work: Callable[[], int]) -> int:
    """Run `work` in a forked process, and return its exit code. Stop if the child crashes."""
    child = os.fork()
    if not child:
        try:
            os._exit(work())
        finally:
            os._exit(1)  # an exception, which would go on as a second parent
    status = os.waitpid(child, 0)[1]
    assert os.WIFEXITED(status), f"killed by signal {os.WTERMSIG(status)}"
    return os.WEXITSTATUS(status)


def check(function: str, work: Callable[[], Arrays], folder: Path) -> int:
    """Fail the first, second, ... allocation of a function's calls until none is left. Return how many failed."""
    path = folder / "expected"
    assert in_child(lambda: path.write_bytes(pickle.dumps(work())) and 0) == 0
    expected = pickle.loads(path.read_bytes())

    def is_right() -> bool:
        result = work()
        return all(np.array_equal(result[name], expected[name]) for name in expected)

    def attempt(k: int) -> int:
        failing = Failing(function, k)
        native.library = lambda: failing  # type: ignore[assignment, return-value]
        try:
            if not is_right():
                return 2
        except InksightError as error:
            if not failing.failures or "not enough memory" not in str(error):
                return 3
        failing.k = 0
        return (SOME_FAILED if failing.failures else ALL_SUCCEEDED) if is_right() else 4

    for k in itertools.count(1):
        code = in_child(partial(attempt, k))
        assert code in (ALL_SUCCEEDED, SOME_FAILED), f"{function}, allocation {k}: exit code {code}"
        if code == ALL_SUCCEEDED:
            return k - 1
    raise AssertionError


if __name__ == "__main__":
    shim.call_failing.restype = ctypes.c_int64
    with tempfile.TemporaryDirectory() as name:
        for call, work in CALLS.items():
            print(call, check(call.split("/")[0], work, Path(name)), flush=True)
