"""Start-up time: seconds from the start of a process to its answer.

Run: ``python -m benchmarks.startup [ROUNDS]``.

Measured: the median over rounds; the commands take turns within a round. Each is timed from just before the process is
started until it exits:

python -c pass
    The interpreter alone.
first prediction
    Load a model file and predict one image.
inksight read
    Read a picture of 100x100 pixels: one of MNIST's training digits, enlarged, dark on white.
first step
    ``inksight train``, which reads MNIST and trains the post's network by the default recipe, until the first step is
    done. There the process prints the time, by the clock that all processes share, and ends.
load('mnist')
    Timed inside its process, with the import of inksight and NumPy.
"""

import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from inksight.config import NETWORKS
from inksight.data.loading import load
from inksight.nn.model import Model

ROUNDS = 7
CLI = "from inksight.cli import main; main()"
PREDICT = "import sys, inksight, numpy; inksight.load_model(sys.argv[1]).predict(numpy.zeros((28, 28), numpy.uint8))"
# The progress bar's first update follows the first step.
FIRST_STEP = """
import os, time
from inksight.training.progress_bar import TrainingBar
def print_time(bar, progress):
    os.write(1, str(time.perf_counter()).encode())
    os._exit(0)
TrainingBar.update = print_time
from inksight.cli import main
main()
"""
LOAD = "import time; t = time.perf_counter(); import inksight; inksight.load('mnist'); print(time.perf_counter() - t)"
COMMANDS = {
    "python -c pass": ["pass"],
    "inksight --version": [CLI, "--version"],
    "inksight train --help": [CLI, "train", "--help"],
    "inksight summary": [CLI, "summary"],
    "first prediction": [PREDICT, "MODEL"],
    "inksight read": [CLI, "read", "PICTURE"],
    "first step": [FIRST_STEP, "train", "--out", "TRAINED"],
}
CLAIMS = {
    "inksight --version": Claim(0.3, "{:g} s", at_most=True),
    "inksight train --help": Claim(0.3, "{:g} s", at_most=True),
    "first prediction": Claim(0.3, "{:g} s", at_most=True),
    "inksight read": Claim(0.3, "{:g} s", at_most=True),
    "first step": Claim(0.5, "{:g} s", at_most=True),
    "load('mnist')": Claim(0.5, "{:g} s", at_most=True),
}


def measure(code: str, words: list[str]) -> float:
    """Run Python code in a process and return its seconds: to its exit or, for `FIRST_STEP`, to the printed time."""
    command = [sys.executable, "-c", code, *words]
    start = time.perf_counter()
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return (float(printed) if code == FIRST_STEP else time.perf_counter()) - start


def write_picture(path: str) -> None:
    """Write a picture of a digit, 100x100 pixels."""
    Image.fromarray(255 - load("mnist").split().train.images[0]).resize((100, 100)).save(path)


def main(rounds: int = ROUNDS) -> int:
    """Print the medians; return 1 if a claim does not hold."""
    print(f"{describe('numpy', 'click')}; median of {rounds}")
    seconds: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "load('mnist')")}
    with tempfile.TemporaryDirectory() as folder:
        files = {"MODEL": f"{folder}/m.safetensors", "TRAINED": f"{folder}/t.safetensors", "PICTURE": f"{folder}/p.png"}
        write_picture(files["PICTURE"])
        Model.untrained(NETWORKS["post"]).save(files["MODEL"])
        for _ in range(rounds):
            for name, (code, *given) in COMMANDS.items():
                seconds[name].append(measure(code, [files.get(word, word) for word in given]))
            printed = subprocess.run([sys.executable, "-c", LOAD], check=True, capture_output=True, text=True).stdout
            seconds["load('mnist')"].append(float(printed))
    failed = False
    for name, times in seconds.items():
        median, verdict = statistics.median(times), ""
        if claim := CLAIMS.get(name):
            failed |= not claim.holds(median)
            verdict = f"  ({claim.verdict(median)})"
        print(f"  {name:28} {median:.3f} s{verdict}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__, arguments.rounds(ROUNDS)))
