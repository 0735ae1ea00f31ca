"""A job that is killed again and again, against an undisturbed one: MNIST as PNG files in a tar archive.

Run: ``python -m benchmarks.mnist_tar [COUNT]``; all 70,000 pictures by default.

The command ``inksight read`` is started again until its job is done. In between it, or one of its worker processes, is
killed at random times, in turn. Claimed: its files are those of the undisturbed job, byte by byte, so that no row is
missing, none is there twice, and none differs.
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

from PIL import Image

from benchmarks.common import arguments
from benchmarks.common.machine import describe
from benchmarks.scale import descendants
from inksight.data.loading import load

COUNT = 70_000
PAUSE = (2.0, 60.0)  # seconds between two kills
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


def start(source: Path, out: Path) -> "subprocess.Popen[bytes]":
    """Start the command."""
    command = [sys.executable, "-m", "inksight", "read", str(source), "--workers", "2", "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


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


def main(count: int = COUNT) -> int:
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as work:
        source, whole, broken = (Path(work) / name for name in ("mnist.tar", "whole", "broken"))
        write_tar(source, count)
        began = time.perf_counter()
        if start(source, whole).wait():
            raise SystemExit("the undisturbed job failed")
        seconds = time.perf_counter() - began
        size = source.stat().st_size / 1e6
        print(f"{count:,} pictures, {size:,.0f} MB: {seconds:.0f} s, {count / seconds:,.0f} per second", flush=True)
        commands, workers = disturb(source, broken)
        print(f"killed: {commands} commands, {workers} worker processes")
        parts = [{path.name: path.read_bytes() for path in folder.glob("part-*")} for folder in (whole, broken)]
        same = parts[0] == parts[1]
        print(f"files: {len(parts[0])}, {'the same' if same else 'DIFFERENT'}")
    return 0 if same and commands and workers else 1


if __name__ == "__main__":
    many = arguments.positional("count", f"number of pictures (default: {COUNT})", type=int, default=COUNT)
    sys.exit(arguments.run(main, __doc__, many))
