"""Speed and memory of reading 10,000 to 10,000,000 images in shards: on this machine, and by Ray on this machine.

Run: ``python -m benchmarks.scale [LARGEST] [--folder FOLDER]``. The largest number of images is 10,000,000 by default,
for which FOLDER needs 8 GB. It is a temporary folder by default.

Data: a NumPy file of MNIST's images, repeated. Model: `post`, which has the network of all shipped ones but `best`.

Measured: the seconds of the whole command ``inksight read FILE --out FOLDER``, with its start, for one and two
processes; and the largest memory of all its processes together, in which what they share counts once (Pss). Ray runs up
to a million images; its own processes are part of the memory. "Bare" is `Model.probabilities` on one thread, called
for 8,192 images at a time in a process that does nothing else, before and after, of which the faster one counts.

Claimed of the largest job with one process, on this machine: it takes at most 1 GB, and reads at least 60 % as many
images per second as bare prediction. The cost assumes a price per core and hour.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from inksight.data.loading import load

LARGEST = 10_000_000
RAY_LARGEST = 1_000_000
SHARE = Claim(0.6, "{:.0%} at least")
MEMORY = Claim(1000, "{:,.0f} MB at most", at_most=True)
PRICE = 0.04  # dollars per core and hour, about that of rented machines
BARE = (
    "import sys, time, numpy as np, inksight\n"
    "images, model = inksight.load('mnist').images[:65536], inksight.load_model('post')\n"
    "best = 0.0\n"
    "for _ in range(3):\n"
    "    start = time.perf_counter()\n"
    "    for first in range(0, len(images), 8192):\n"
    "        model.probabilities(images[first : first + 8192])\n"
    "    best = max(best, len(images) / (time.perf_counter() - start))\n"
    "print(best)\n"
)


def bare() -> float:
    """Return images per second of prediction alone, on one thread."""
    environment = os.environ | {"INKSIGHT_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", BARE], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def write_images(path: Path, count: int) -> None:
    """Write MNIST's images, repeated, as a NumPy file."""
    images = load("mnist").images
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, 28, 28)}
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, count, len(images)):
            file.write(images[: min(len(images), count - first)].tobytes())


def run_command(path: Path, out: Path, workers: int, engine: str) -> tuple[float, float]:
    """Return the seconds of a command and the largest memory of its processes, in bytes."""
    options = ["--model", "post", "--workers", str(workers), "--engine", engine, "--out", str(out)]
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "inksight", "read", str(path), *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    peak = [0.0]
    watch = threading.Thread(target=_watch, args=(process, peak))
    watch.start()
    code = process.wait()
    seconds = time.perf_counter() - start
    watch.join()
    if code:
        raise SystemExit(f"the command exited with code {code}")
    return seconds, peak[0]


def _watch(process: "subprocess.Popen[bytes]", peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_memory, _tree(process.pid))))
        time.sleep(0.2)


def _tree(number: int) -> list[int]:
    """Return a process and its descendants, and their children that have moved to a session of their own."""
    found, rest = [], [number]
    while rest:
        found.append(rest.pop())
        with suppress(OSError):
            for thread in Path(f"/proc/{found[-1]}/task").iterdir():
                rest += map(int, (thread / "children").read_text().split())
    return found


def _memory(number: int) -> float:
    """Return the bytes of a process, in which its share of shared memory counts."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        return 1024 * float(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0.0


def main(largest: int = LARGEST, folder: str | None = None) -> int:
    print(describe("loky", "ray", "pyarrow"), flush=True)
    before = bare()
    sizes = [size for size in (10_000, 100_000, 1_000_000, 10_000_000) if size <= largest]
    rates: dict[tuple[str, int, int], float] = {}
    peaks: dict[tuple[str, int, int], float] = {}
    with tempfile.TemporaryDirectory(dir=folder) as work:
        for size in sizes:
            path = Path(work) / "digits.npy"
            write_images(path, size)
            for engine, workers in (("local", 1), ("local", 2), ("ray", 1), ("ray", 2)):
                if engine == "ray" and size > RAY_LARGEST:
                    continue
                key = engine, workers, size
                seconds, peaks[key] = run_command(path, Path(work) / f"{engine}-{workers}-{size}", workers, engine)
                rates[key] = size / seconds
                print(
                    f"{size:>10,} images, {engine:>5}, {workers} process{'es' if workers > 1 else '  '}: "
                    f"{seconds:8.1f} s {rates[key]:>9,.0f} images/s {peaks[key] / 1e6:>6,.0f} MB", flush=True,
                )  # fmt: skip
    alone = max(before, bare())
    size = sizes[-1]
    core_seconds = 1e6 / rates["local", 1, size]
    print(f"bare prediction on one core: {alone:,.0f} images/s")
    print(f"a million images: {core_seconds:.0f} core seconds, ${core_seconds / 3600 * PRICE:.5f}")
    share, memory = rates["local", 1, size] / alone, max(peaks["local", workers, size] for workers in (1, 2)) / 1e6
    print(f"share of the bare speed: {share:.0%} ({SHARE.verdict(share)})")
    print(f"largest memory: {memory:,.0f} MB ({MEMORY.verdict(memory)})")
    return 0 if SHARE.holds(share) and MEMORY.holds(memory) else 1


if __name__ == "__main__":
    sys.exit(
        arguments.run(
            main, __doc__,
            arguments.positional("largest", f"largest number of images (default: {LARGEST})",
                                 type=arguments.at_least(10_000), default=LARGEST),
            arguments.option("folder", "for the files (default: a temporary one)"),
        )
    )  # fmt: skip
