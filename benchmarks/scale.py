"""Speed and memory of reading 10,000 to 10,000,000 images in shards: on this machine, and by Ray on this machine.

Run: ``python -m benchmarks.scale [LARGEST] [--folder FOLDER]``. The largest number of images is 10,000,000 by default,
for which FOLDER needs 8 GB. It is a temporary folder by default.

Data: a NumPy file of MNIST's images, repeated. Model: `post`, which has the network of all shipped ones but `best`.

Measured: the seconds of the whole command ``inksight read FILE --out FOLDER``, with its start, for one and two
processes; the processor time of these; and the largest memory of all of them together, in which what they share counts
once (Pss). Ray runs up to a million images; its own processes are part of the memory, but not of the processor time.
"Bare" is `Model.probabilities` on one thread, called for 8,192 images at a time in a process that does nothing else,
before and after, of which the faster one counts.

Claimed of the largest job on this machine: it takes at most 1 GB, and in a second of processor time it reads at least
60 % as many images as bare prediction. Processor time does not depend on what else the machine does. The cost assumes
a price per core and hour.
"""

import os
import resource
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
    "    start = time.process_time()\n"
    "    for first in range(0, len(images), 8192):\n"
    "        model.probabilities(images[first : first + 8192])\n"
    "    best = max(best, len(images) / (time.process_time() - start))\n"
    "print(best)\n"
)


def bare() -> float:
    """Return images per second of processor time of prediction alone, on one thread."""
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


def run_command(path: Path, out: Path, workers: int, engine: str) -> tuple[float, float, float]:
    """Return the seconds of a command, its seconds of processor time, and the largest memory in bytes."""
    options = ["--model", "post", "--workers", str(workers), "--engine", engine, "--out", str(out)]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [sys.executable, "-m", "inksight", "read", str(path), *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    peak = [0.0]
    watch = threading.Thread(target=_watch, args=(process, peak))
    watch.start()
    code = process.wait()
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    watch.join()
    if code:
        raise SystemExit(f"the command exited with code {code}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak[0]


def _watch(process: "subprocess.Popen[bytes]", peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_memory, descendants(process.pid))))
        time.sleep(0.2)


def descendants(number: int) -> list[int]:
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
    with tempfile.TemporaryDirectory(dir=folder) as work:
        for size in sizes:
            path = Path(work) / "digits.npy"
            write_images(path, size)
            memory = processor = 0.0
            for engine, workers in (("local", 1), ("local", 2), ("ray", 1), ("ray", 2)):
                if engine == "ray" and size > RAY_LARGEST:
                    continue
                seconds, used, peak = run_command(path, Path(work) / f"{engine}-{workers}-{size}", workers, engine)
                if engine == "local":
                    memory, processor = max(memory, peak / 1e6), max(processor, used)
                print(
                    f"{size:>10,} images, {engine:>5}, {workers} process{'es' if workers > 1 else '  '}: "
                    f"{seconds:6.1f} s, {size / seconds:>7,.0f} images/s; {used:6.1f} s of processor time; "
                    f"{peak / 1e6:>4,.0f} MB",
                    flush=True,
                )
    alone = max(before, bare())
    share = sizes[-1] / processor / alone
    cost = processor / sizes[-1] * 1e6
    print(f"bare prediction: {alone:,.0f} images per second of processor time")
    print(f"a million images: {cost:.0f} s of processor time, ${cost / 3600 * PRICE:.5f}")
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
