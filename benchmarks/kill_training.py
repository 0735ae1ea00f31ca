"""Killed trainings: whether a training that is killed again and again ends in the bytes of an uninterrupted one.

Run: ``python -m benchmarks.kill_training [--kills N] [--seed S]``.

``inksight train --checkpoint`` trains a small network on 600 of MNIST's training images, for about a second, with a
checkpoint after every call of the engine. The process is ended by SIGKILL, at a random moment or in the middle of
writing a file: before or after one of the calls that create, write, flush, rename or close it. Then the same command
runs again, with another number of threads, until it is killed again or ends. After every fourth kill, the newest
checkpoint is truncated, one of its bits is flipped, or the next process finds no room for another checkpoint. When a
training ends, its model file is compared with that of the uninterrupted one, and the next one begins.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from inksight.data.loading import load

KILLS = 100
CLAIM = Claim(1.0, "{:.0%}")
# Runs the command line and ends the process by SIGKILL in the call of this number that changes a file. 0 means never.
# The calls are those of `inksight._shared.files`, whatever is written by them.
DRIVER = """
import io, os, resource, signal, sys
call, room = int(sys.argv.pop(1)), int(sys.argv.pop(1))
if room:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
from inksight import cli
import inksight.training.fitting

def count():
    global call
    call -= 1
    if call == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def counted(function):
    def replacement(*arguments, **options):
        count()
        result = function(*arguments, **options)
        count()
        return result
    return replacement

class Killed(io.FileIO):
    def write(self, content):
        half = len(content) // 2
        count()
        super().write(content[:half])
        count()
        return half + super().write(content[half:])

def open_to_write(file, mode="r", *arguments, **options):
    return io.BufferedWriter(Killed(file, mode)) if mode == "wb" else opened(file, mode, *arguments, **options)

for name in ("open", "fsync", "replace", "close"):
    setattr(os, name, counted(getattr(os, name)))
opened, io.open = io.open, open_to_write
print("ready", flush=True)
cli.main()
"""
TRAINING = ["--network", "4x5p,6x3s,d8", "--recipe", "seconds", "--epochs", "24", "--every", "0s"]


class Trainings:
    """Runs the same training in processes, with the data and the model file in a folder."""

    def __init__(self, folder: Path) -> None:
        self.data, self.checkpoint, self.out = folder / "data.npz", folder / "checkpoint", folder / "m.safetensors"
        few = load("mnist").split().train[:600]
        assert few.labels is not None
        np.savez(self.data, images=few.images, labels=few.labels)

    def start(self, call: int = 0, room: int = 0, threads: int = 1) -> subprocess.Popen[str]:
        """Start a training that is killed in a call (see `DRIVER`), or finds so many bytes of room for a file."""
        words = ["train", "--data", self.data, *TRAINING, "--checkpoint", self.checkpoint, "--out", self.out]
        command = ["env", f"INKSIGHT_THREADS={threads}", sys.executable, "-c", DRIVER, call, room, *words]
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )  # `env` becomes the interpreter, so that a signal reaches it
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def run(self, call: int = 0, room: int = 0, threads: int = 1) -> tuple[int, str]:
        """Run a training; return its exit status and what it wrote on standard error."""
        process = self.start(call, room, threads)
        _, errors = process.communicate()
        return process.returncode, errors

    def remove(self) -> None:
        """Remove the checkpoint and the model."""
        shutil.rmtree(self.checkpoint, ignore_errors=True)
        self.out.unlink(missing_ok=True)

    @property
    def newest(self) -> Path | None:
        """The checkpoint that was written last."""
        found = self.checkpoint.glob("inksight-checkpoint-*.safetensors")
        return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)


def damage(trainings: Trainings, kind: str, rng: random.Random) -> bool:
    """Damage the newest checkpoint; return whether there is one."""
    path = trainings.newest
    if path is None:
        return False
    content = bytearray(path.read_bytes())
    if kind == "truncated":
        del content[rng.randrange(len(content)) :]
    else:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return True


def main(kills: int = KILLS, seed: int = 0) -> int:
    """Print how the trainings ended; return 1 if one gave other bytes than the uninterrupted one."""
    print(describe("numpy"))
    rng, counts, finished, same = random.Random(seed), Counter[str](), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        trainings = Trainings(Path(folder))
        began = time.monotonic()
        process = trainings.start()
        ready = time.monotonic()
        assert process.wait() == 0, process.communicate()[1]
        seconds, expected = time.monotonic() - ready, trainings.out.read_bytes()
        print(f"uninterrupted: {ready - began:.1f} s of starting, {seconds:.1f} s of training, {len(expected)} bytes")
        trainings.remove()
        while counts["killed"] < kills or trainings.checkpoint.exists():
            threads, to_kill = 1 + rng.randrange(2), counts["killed"] < kills
            if to_kill and rng.random() < 0.5:
                status, errors = trainings.run(call=rng.randrange(1, 60), threads=threads)
                where = "in a call that changes a file"
            else:
                process = trainings.start(threads=threads)
                if to_kill:
                    time.sleep(rng.uniform(0, 0.6 * seconds))
                    process.kill()
                errors, status = process.communicate()[1], process.returncode
                where = "at a random moment"
            if status == 0:
                finished += 1
                same += trainings.out.read_bytes() == expected
                trainings.remove()
                continue
            assert status == -9, errors
            counts.update(["killed", where])
            if counts["killed"] % 4 == 0:
                kind = rng.choice(["truncated", "bit flipped", "disk full"])
                if kind == "disk full":
                    status, errors = trainings.run(room=rng.randrange(1, 4000))
                    assert status == 2, (status, errors)
                    assert "File too large" in errors
                    counts.update([kind])
                elif damage(trainings, kind, rng):
                    counts.update([kind])
    print(", ".join(f"{name}: {count}" for name, count in counts.items()))
    print(f"trainings: {finished}, of which with the bytes of the uninterrupted one: {same}  "
          f"({CLAIM.verdict(same / finished)})")  # fmt: skip
    return int(not CLAIM.holds(same / finished))


if __name__ == "__main__":
    kills = arguments.option("kills", f"number of kills (default: {KILLS})", type=arguments.at_least(1), default=KILLS)
    seed = arguments.option("seed", "seed of the moments (default: 0)", type=arguments.at_least(0), default=0)
    sys.exit(arguments.run(main, __doc__, kills, seed))
