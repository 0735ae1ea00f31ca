"""Speed of `inksight.prepare` on pictures of one digit, on one core.

Run: ``OPENBLAS_NUM_THREADS=1 python -m benchmarks.prepare_speed [ROUNDS]``; the process keeps to one core, where more
threads would only compete.

Data: 1,000 pictures of MNIST's training digits in dark ink on noisy gray paper, 28 to 200 pixels a side
(`benchmarks.synthetic.single_digits`), in memory.

Measured: pictures a second, the best of several rounds over all pictures, in CPU seconds of this process, because other
work on the machine can only slow a round down. `prepare` starts from uint8 arrays, the other two functions from
brightness: `prepare_grayscale` on the native engine, and `prepare_with_numpy`, which replaces it where there is no
engine. The functions take turns. Drawing the pictures is not timed.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from benchmarks.synthetic.single_digits import MAX_SIDE, MIN_SIDE, digit_pictures
from inksight.engine import library as native
from inksight.imaging.preprocessing import prepare, prepare_grayscale, prepare_with_numpy

PICTURES, ROUNDS, SEED = 1000, 7, 0
CLAIMS = {"prepare": Claim(3000, "{:,.0f}"), "prepare_grayscale": Claim(3000, "{:,.0f}")}  # pictures a second


def rate(function: Callable[[Any], Any], pictures: Sequence[Any]) -> float:
    """Return how many pictures a second a function processes."""
    start = time.process_time()
    for picture in pictures:
        function(picture)
    return len(pictures) / (time.process_time() - start)


@contextmanager
def one_core() -> Iterator[None]:
    """Keep the process to one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def main(rounds: int = ROUNDS) -> int:
    """Print the rates; return 1 if a claim does not hold."""
    print(f"{describe('numpy', 'scipy')}; one core" + ("" if native.computes() else "; prepared without the engine"))
    print(f"best of {rounds} rounds over {PICTURES:,} pictures of {MIN_SIDE} to {MAX_SIDE} pixels a side, seed {SEED}")
    pictures = digit_pictures(PICTURES, SEED)
    brightness = [picture / 255 for picture in pictures]
    functions: dict[str, tuple[Callable[[Any], Any], Sequence[Any]]] = {
        "prepare": (prepare, pictures),
        "prepare_grayscale": (prepare_grayscale, brightness),
        "prepare_with_numpy": (prepare_with_numpy, brightness),
    }
    with one_core():
        measured = [{name: rate(*function) for name, function in functions.items()} for _ in range(rounds)]
    failed = False
    for name in functions:
        rates = [in_round[name] for in_round in measured]
        verdict = ""
        if claim := CLAIMS.get(name):
            failed |= not claim.holds(max(rates))
            verdict = f" ({claim.verdict(max(rates))})"
        print(f"  {name:18} {max(rates):,.0f} a second{verdict}, median round {statistics.median(rates):,.0f}")
    ratio = statistics.median(in_round["prepare_grayscale"] / in_round["prepare_with_numpy"] for in_round in measured)
    print(f"  prepare_grayscale is {ratio:.1f} times as fast as prepare_with_numpy (median of rounds)")
    return int(failed)


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__, arguments.rounds(ROUNDS)))
