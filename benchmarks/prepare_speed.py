"""How many pictures of one digit `prepare` makes ready in a second, on one core.

Run as ``OPENBLAS_NUM_THREADS=1 python -m benchmarks.prepare_speed``: the process keeps to one core, where more threads
would be in each other's way. MNIST's training digits are drawn in dark ink on grey paper with some noise, their sides
drawn evenly from 28 to 200 pixels, and handed in as arrays of bytes: `prepare` turns them to brightness and does all
that follows. `prepare_grey` has been given the brightness. Drawing them is not timed. Seconds are
the processor's, spent in this process alone, and the best of several rounds over all pictures counts: other work on the
machine can only slow one down.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from inksight.data import load
from inksight.preparation import prepare, prepare_grey, resample

PICTURES, ROUNDS, SEED = 1000, 7, 0
LEAST, MOST = 28, 200  # pixels a side
CLAIMS = {"prepare": 3000.0, "prepare_grey": 3000.0}  # pictures a second, at least


def pictures(count: int, seed: int) -> list[NDArray[np.uint8]]:
    """Draw digits on paper, (side, side) uint8 each."""
    random = np.random.default_rng(seed)
    train = load("mnist").split().train
    result = []
    for row in random.integers(0, len(train), count):
        side = int(random.integers(LEAST, MOST + 1))
        ink = resample(train.images[row] / 255, side, side)
        paper, pen, noise = random.uniform(0.6, 0.95), random.uniform(0.05, 0.35), random.uniform(0, 0.03)
        grey = paper + (pen - paper) * ink + random.normal(0, noise, ink.shape)
        result.append(np.floor(np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8))
    return result


def rates(work: Callable[[Any], Any], given: Sequence[Any], rounds: int) -> list[float]:
    """Return how many were done a second in each round over all that is given."""
    result = []
    for _ in range(rounds):
        began = time.process_time()
        for one in given:
            work(one)
        result.append(len(given) / (time.process_time() - began))
    return result


def main(rounds: int = ROUNDS) -> int:
    """Print both rates; return 1 if a claim does not hold."""
    print(f"{describe('numpy', 'scipy')}; one core; best of {rounds} rounds over {PICTURES:,} pictures, seed {SEED}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    drawn = pictures(PICTURES, SEED)
    failed = False
    for name, work, given in (
        ("prepare", prepare, drawn),
        ("prepare_grey", prepare_grey, [picture / 255 for picture in drawn]),
    ):
        found = rates(work, given, rounds)
        best, claim = max(found), CLAIMS[name]
        failed |= best < claim
        verdict = f"claimed: {claim:,.0f}" + ("" if best >= claim else ", NOT HELD")
        print(f"  {name:13} {best:,.0f} a second ({verdict}), median round {statistics.median(found):,.0f}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
