"""How many pictures of one digit `prepare` makes ready in a second, on one core.

Run as ``OPENBLAS_NUM_THREADS=1 python -m benchmarks.prepare_speed``: the process keeps to one core, where more threads
would be in each other's way. MNIST's training digits are drawn in dark ink on grey paper with some noise, their sides
drawn evenly from 28 to 200 pixels, and handed in as arrays of bytes: `prepare` turns them to brightness and does all
that follows. `prepare_grayscale` has been given the brightness. Both go to the native engine; `prepare_with_numpy` is what
`prepare_grayscale` does where there is none, in NumPy. Drawing them is not timed. Seconds are the processor's, spent in this
process alone, and the best of several rounds over all pictures counts: other work on the machine can only slow one
down. The ways take turns, a round each, so that it slows all of them.
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
from inksight.data.loading import load
from inksight.engine import library as native
from inksight.imaging.preprocessing import prepare, prepare_grayscale, prepare_with_numpy
from inksight.imaging.resampling import resample

PICTURES, ROUNDS, SEED = 1000, 7, 0
LEAST, MOST = 28, 200  # pixels a side
CLAIMS = {"prepare": 3000.0, "prepare_grey": 3000.0}  # pictures a second, at least, by the native engine


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


def rate(work: Callable[[Any], Any], given: Sequence[Any]) -> float:
    """Return how many were done a second."""
    began = time.process_time()
    for one in given:
        work(one)
    return len(given) / (time.process_time() - began)


def main(rounds: int = ROUNDS) -> int:
    """Print the rates; return 1 if a claim does not hold."""
    engine = f"engine {native.engine()}" if native.prepares() else "no engine"
    print(f"{describe('numpy', 'scipy')}; {engine}; one core")
    print(f"best of {rounds} rounds over {PICTURES:,} pictures of {LEAST} to {MOST} pixels a side, seed {SEED}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    drawn = pictures(PICTURES, SEED)
    grey = [picture / 255 for picture in drawn]
    ways = {
        "prepare": (prepare, drawn),
        "prepare_grey": (prepare_grayscale, grey),
        "by_steps": (prepare_with_numpy, grey),
    }
    found = [{name: rate(*way) for name, way in ways.items()} for _ in range(rounds)]
    failed = False
    for name in ways:
        rates = [one[name] for one in found]
        verdict = ""
        if claim := CLAIMS.get(name):
            failed |= max(rates) < claim
            verdict = f" (claimed: {claim:,.0f}{', NOT HELD' if max(rates) < claim else ''})"
        print(f"  {name:13} {max(rates):,.0f} a second{verdict}, median round {statistics.median(rates):,.0f}")
    times = statistics.median(one["prepare_grey"] / one["by_steps"] for one in found)
    print(f"  prepare_grey is {times:.1f} times as fast as by_steps (median of rounds)")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
