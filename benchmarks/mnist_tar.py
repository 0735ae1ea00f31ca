"""MNIST as PNG files in a tar archive and as a NumPy file: here, by Ray, and killed again and again.

Run: ``python -m benchmarks.mnist_tar [COUNT]``; all 70,000 images by default.

The command ``inksight read`` reads each source with two processes of each engine. A further job on the archive is
started again until it is done: in between the command, or one of its worker processes, is killed at random times, in
turn. Claimed: all jobs on one source write the same files, byte by byte, so that no row is missing, none is there
twice, and none differs.
"""

import io
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.common import arguments
from benchmarks.common.machine import describe
from benchmarks.scale import descendants
from inksight._shared.tasks import ENGINES
from inksight.data.loading import load

COUNT = 70_000
PAUSE = (2.0, 20.0)  # seconds between two kills
LIMIT = 200  # starts


def write_tar(path: Path, count: int) -> None:
    """Write the first images of MNIST as PNG files of black ink on white."""
    with tarfile.open(path, "w") as archive:
        for number, image in enumerate(load("mnist").images[:count]):
            content = io.BytesIO()
            Image.fromarray(255 - image).save(content, "PNG")
            member = tarfile.TarInfo(f"{number:05}.png")
            member.size = content.tell()
            content.seek(0)
            archive.addfile(member, content)


def start(source: Path, out: Path, engine: str = "local") -> "subprocess.Popen[bytes]":
    """Start the command."""
    options = ["--workers", "2", "--engine", engine, "--out", str(out)]
    command = [sys.executable, "-m", "inksight", "read", str(source), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run_whole(source: Path, out: Path, engine: str) -> None:
    """Run a job to its end, undisturbed, and print its speed."""
    from pyarrow.parquet import ParquetFile

    began = time.perf_counter()
    if start(source, out, engine).wait():
        raise SystemExit(f"the undisturbed job on {source.name} by the engine {engine} failed")
    seconds = time.perf_counter() - began
    rows = sum(ParquetFile(path).metadata.num_rows for path in out.glob("part-*"))
    print(f"{source.name}, {engine:>5}: {rows:,} rows, {seconds:.0f} s, {rows / seconds:,.0f} per second", flush=True)


def disturb(source: Path, out: Path) -> tuple[int, int]:
    """Run a job to its end; return how many commands and how many worker processes were killed meanwhile."""
    generator = random.Random(0)
    commands = workers = 0
    for _ in range(LIMIT):
        process = start(source, out)
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(generator.uniform(*PAUSE))
                break
            if (commands + workers) % 2:
                process.send_signal(signal.SIGKILL)
                commands += 1
                process.wait()
            elif children := [number for number in descendants(process.pid) if _is_worker(number)]:
                with suppress(ProcessLookupError):
                    subprocess.run(["kill", "-9", str(generator.choice(children))], check=False)
                    workers += 1
        if process.returncode == 0:
            return commands, workers
        time.sleep(0.1)
    raise SystemExit(f"the job was not done after {LIMIT} starts")


def _is_worker(number: int) -> bool:
    with suppress(OSError):
        return b"popen_loky" in Path(f"/proc/{number}/cmdline").read_bytes()
    return False


def same_files(folders: list[Path]) -> bool:
    """Return whether all folders have the same parts, and print it."""
    parts = [{path.name: path.read_bytes() for path in folder.glob("part-*")} for folder in folders]
    same = bool(parts[0]) and all(each == parts[0] for each in parts)
    names = ", ".join(folder.name for folder in folders)
    print(f"{names}: {len(parts[0])} files, {'the same' if same else 'DIFFERENT'}", flush=True)
    return same


def main(count: int = COUNT) -> int:
    print(describe("loky", "ray", "pyarrow"), flush=True)
    with tempfile.TemporaryDirectory() as work:
        archive, array, broken = (Path(work) / name for name in ("mnist.tar", "mnist.npy", "mnist.tar-killed"))
        write_tar(archive, count)
        np.save(array, load("mnist").images[:count])
        print(f"{count:,} images: {archive.stat().st_size / 1e6:,.0f} MB as PNG in a tar archive, "
              f"{array.stat().st_size / 1e6:,.0f} MB as a NumPy file", flush=True)  # fmt: skip
        folders = {
            source: [Path(work) / f"{source.name}-{engine}" for engine in ENGINES] for source in (archive, array)
        }
        for source, outs in folders.items():
            for engine, out in zip(ENGINES, outs, strict=True):
                run_whole(source, out, engine)
        commands, workers = disturb(archive, broken)
        print(f"killed: {commands} commands, {workers} worker processes")
        folders[archive].append(broken)
        same = [same_files(outs) for outs in folders.values()]
    return 0 if all(same) and commands and workers else 1


if __name__ == "__main__":
    many = arguments.positional("count", f"number of pictures (default: {COUNT})", type=int, default=COUNT)
    sys.exit(arguments.run(main, __doc__, many))
