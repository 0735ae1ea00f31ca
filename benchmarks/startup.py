"""How soon inksight answers: the median of several processes, each timed from just before it is started.

Run as ``python -m benchmarks.startup [rounds]``. The commands take turns within a round; ``python -c pass`` shows
what the interpreter itself takes. Processes are timed to their exit, but for the first steps. A first prediction is a
process that loads a model file and reads one image; ``inksight read`` is given a picture of 100x100 pixels, one of
MNIST's training digits drawn larger, dark on white. A first step is ``inksight train``, which reads MNIST and trains
the post's network by the default recipe: timed until the first step is done, its loss has been fetched, and the bar is
about to show it; there the process tells the time, by the clock that all processes have in common, and ends. It runs
once with an empty cache of compiled steps and once more with what that left. Loading MNIST is timed inside its process,
NumPy's import included.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image

from benchmarks.machine import describe
from inksight.config import NETWORKS
from inksight.data.loading import load
from inksight.nn.model import Model

CLI = "from inksight.cli import main; main()"
PREDICT = "import sys, inksight, numpy; inksight.load_model(sys.argv[1]).predict(numpy.zeros((28, 28), numpy.uint8))"
STEP = """
import os, time
from inksight._shared import progress
def tell(bar, now):
    os.write(1, str(time.perf_counter()).encode())
    os._exit(0)
progress.TrainingBar.update = tell
from inksight.cli import main
main()
"""
COMMANDS = {
    "python -c pass": ["pass"],
    "inksight --version": [CLI, "--version"],
    "inksight train --help": [CLI, "train", "--help"],
    "inksight summary": [CLI, "summary"],
    "first prediction": [PREDICT, "MODEL"],
    "inksight read": [CLI, "read", "PICTURE"],
    "first step, cold": [STEP, "train", "--out", "TRAINED"],
    "first step, compiled before": [STEP, "train", "--out", "TRAINED"],
}
LOAD = "import time; t = time.perf_counter(); import inksight; inksight.load('mnist'); print(time.perf_counter() - t)"
CLAIMS = {  # seconds, at most
    "inksight --version": 0.3,
    "inksight train --help": 0.3,
    "first prediction": 0.3,
    "inksight read": 0.3,
    "first step, cold": 2.0,
    "first step, compiled before": 1.2,
    "load('mnist')": 0.5,
}


def measure(code: str, arguments: list[str], environment: dict[str, str]) -> float:
    """Run a process and return how long it took: until the time it printed if it is `STEP`, or else until its exit."""
    command = [sys.executable, "-c", code, *arguments]
    start = time.perf_counter()
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    return (float(printed) if code == STEP else time.perf_counter()) - start


def draw(path: str) -> None:
    """Write a picture of a digit, 100x100 pixels."""
    Image.fromarray(255 - load("mnist").split().train.images[0]).resize((100, 100)).save(path)


def main(rounds: int) -> int:
    """Print every median; return 1 if a claim does not hold."""
    print(f"{describe('numpy', 'jax', 'click')}; median of {rounds}")
    seconds: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "load('mnist')")}
    with tempfile.TemporaryDirectory() as folder:
        files = {"MODEL": f"{folder}/m.safetensors", "TRAINED": f"{folder}/t.safetensors", "PICTURE": f"{folder}/p.png"}
        draw(files["PICTURE"])
        Model.untrained(NETWORKS["post"]).save(files["MODEL"])
        for number in range(rounds):
            environment = os.environ | {"XDG_CACHE_HOME": f"{folder}/{number}"}
            environment.pop("JAX_COMPILATION_CACHE_DIR", None)  # a cache of the user's own would not be empty
            for name, (code, *arguments) in COMMANDS.items():
                given = [files.get(argument, argument) for argument in arguments]
                seconds[name].append(measure(code, given, environment))
            printed = subprocess.run([sys.executable, "-c", LOAD], check=True, capture_output=True, text=True).stdout
            seconds["load('mnist')"].append(float(printed))
    failed = 0
    for name, times in seconds.items():
        median = statistics.median(times)
        holds = median <= CLAIMS.get(name, median)
        failed += not holds
        claim = f"  (claimed: {CLAIMS[name]} s{'' if holds else ', NOT HELD'})" if name in CLAIMS else ""
        print(f"  {name:28} {median:.3f} s{claim}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
