"""A Ray cluster of three machines, of which one is cut off from the network in the middle of a job.

Run as root: ``python -m benchmarks.lost_node [COUNT]``; 4,000 pictures by default. Needs Linux, Ray and ``ip`` of
iproute2, and says so and ends where it may not make network namespaces.

The machines are network namespaces, joined by virtual cables: a head without cores, which also runs the command, and
two nodes with a core each. The cable of one node is cut when a quarter of the shards is done; its processes live on.
Claimed: the job ends before the deadline, and its files are those of an undisturbed job by the engine local, byte by
byte.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from benchmarks.common import arguments
from benchmarks.common.machine import describe
from benchmarks.mnist_tar import same_files, write_tar

COUNT = 4000
SHARDS = 40
DEADLINE = 600.0  # seconds; Ray declares a node dead after one minute, and gives up its tasks after seven
NAMES = ("head", "first", "second")
RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block")


def ip(*words: str) -> None:
    """Run the command ``ip``; raise `SystemExit` if it fails."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"ip {' '.join(words)}: {done.stderr.strip()}")


def shortfall() -> str:
    """Return why this machine cannot make network namespaces, or an empty string."""
    probe = f"inksight-{os.getpid()}"
    try:
        done = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    except OSError as error:
        return f"there is no command ip: {error.strerror}"
    if not done.returncode:
        ip("netns", "delete", probe)
    return done.stderr.strip()


class Machines:
    """Namespaces by the names of `NAMES`, with the addresses 10.77.0.1 and following, and a folder for Ray in each."""

    def __init__(self, work: Path) -> None:
        self.work, self.token = work, secrets.token_hex(32)
        self.space = {name: f"inksight-{os.getpid()}-{name}" for name in NAMES}
        self.address = {name: f"10.77.0.{number}" for number, name in enumerate(NAMES, start=1)}

    def connect(self) -> None:
        """Make the namespaces and the cables from the nodes to a bridge in that of the head."""
        head = self.space["head"]
        for name in NAMES:
            ip("netns", "add", self.space[name])
            ip("-n", self.space[name], "link", "set", "lo", "up")
        ip("-n", head, "link", "add", "bridge", "type", "bridge")
        for name in NAMES[1:]:
            ip("-n", head, "link", "add", name, "type", "veth", "peer", "name", "cable", "netns", self.space[name])
            ip("-n", head, "link", "set", name, "master", "bridge", "up")
        for name in NAMES:
            device = "bridge" if name == "head" else "cable"
            ip("-n", self.space[name], "address", "add", f"{self.address[name]}/24", "dev", device)
            ip("-n", self.space[name], "link", "set", device, "up")

    def start(self, name: str, *command: str, log: Path) -> "subprocess.Popen[bytes]":
        """Start a command on a machine, which sees only its own folder of Ray."""
        # A token that only this cluster knows, which a head that is reached over a network may ask for.
        environment = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token}
        own = self.work / name
        own.mkdir(exist_ok=True)
        Path("/tmp/ray").mkdir(exist_ok=True)  # where Ray keeps its sockets, whose names must be short
        words = ["sh", "-c", 'mount --bind "$0" /tmp/ray && exec "$@"', str(own), *command]
        with log.open("wb") as output:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.space[name], *words], stdout=output, stderr=output, env=environment
            )

    def cut(self, name: str) -> None:
        """Cut the cable of a node."""
        ip("-n", self.space["head"], "link", "set", name, "down")

    def remove(self) -> None:
        """End what runs on the machines, and remove them."""
        for space in self.space.values():
            found = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False)
            for number in found.stdout.split():
                with suppress(ProcessLookupError):
                    os.kill(int(number), 9)
            subprocess.run(["ip", "netns", "delete", space], capture_output=True, check=False)


@contextmanager
def cluster(work: Path) -> Iterator[Machines]:
    """Start Ray on three machines; yield these."""
    machines = Machines(work)
    try:
        machines.connect()
        for name in NAMES:
            role: tuple[str, ...]
            if name == "head":
                role = ("--head", "--port=6379", "--num-cpus=0", "--include-dashboard=false", "--disable-usage-stats")
            else:
                role = (f"--address={machines.address['head']}:6379", "--num-cpus=1")
            memory = "--object-store-memory=100000000"
            log = work / f"{name}.log"
            machines.start(name, *RAY, *role, memory, f"--node-ip-address={machines.address[name]}", log=log)
            started = partial(_says, log, b"Ray runtime started")
            wait(started, f"Ray on the machine {name}")
        yield machines
    finally:
        machines.remove()


def _says(log: Path, words: bytes) -> bool:
    text = log.read_bytes()
    if b"Traceback" in text:
        raise SystemExit(f"Ray did not start: {text.decode(errors='replace').strip().splitlines()[-1][:300]}")
    return words in text


def wait(until: Callable[[], bool], what: str) -> None:
    """Wait until a function returns true; raise `SystemExit` after the deadline."""
    end = time.monotonic() + DEADLINE
    while not until():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not after {DEADLINE:.0f} s")
        time.sleep(0.05)


def main(count: int = COUNT) -> int:
    if reason := shortfall():
        print(f"left out, as it needs network namespaces: {reason}")
        return 0
    print(describe("ray"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source, whole, out = work / "mnist.tar", work / "local", work / "ray-without-a-node"
        write_tar(source, count)
        read = [sys.executable, "-m", "inksight", "read", str(source), "--shards", str(SHARDS), "--out"]
        subprocess.run([*read, str(whole), "--workers", "2"], capture_output=True, check=True)
        with cluster(work) as machines:
            address = f"{machines.address['head']}:6379"
            log = work / "job.log"
            job = machines.start("head", *read, str(out), "--engine", "ray", "--address", address, log=log)

            def parts() -> int:
                return len(list(out.glob("part-*"))) if out.exists() else 0

            wait(lambda: parts() >= SHARDS // 4 or job.poll() is not None, "a quarter of the shards")
            done, began = parts(), time.monotonic()
            machines.cut("second")
            try:
                code = job.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                print(f"the job has not ended after {DEADLINE:.0f} s, with {parts()} of {SHARDS} shards")
                return 1
        print(f"{count:,} pictures in {SHARDS} shards; a node cut off after {done}; the rest took "
              f"{time.monotonic() - began:.0f} s")  # fmt: skip
        if code:
            print(log.read_text(errors="replace"))
        same = same_files([whole, out])
    return 0 if same and not code and done < SHARDS else 1


if __name__ == "__main__":
    many = arguments.positional("count", f"number of pictures (default: {COUNT})", type=int, default=COUNT)
    sys.exit(arguments.run(main, __doc__, many))
