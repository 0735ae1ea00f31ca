"""How soon inksight answers: whole processes, from start to exit, the median of several.

Run as ``python -m benchmarks.startup [rounds]``. The commands take turns within a round; ``python -c pass`` shows
what the interpreter itself takes. A first prediction is a process that loads a model file and reads one image. A first
step is one that loads MNIST and takes the first steps of a training, once with an empty cache of compiled steps and
once more with what that left. Loading MNIST is timed inside its process, NumPy's import included.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe
from inksight.config import NETWORKS
from inksight.model import Model

CLI = "from inksight.cli import main; main()"
PREDICT = "import sys, inksight, numpy; inksight.load_model(sys.argv[1]).predict(numpy.zeros((28, 28), numpy.uint8))"
STEP = (
    "from inksight import Splits, load, train; data = load('mnist').split().train;"
    "train(Splits(data, None, None), seconds=0.001, progress=False)"
)
COMMANDS = {
    "python -c pass": ["pass"],
    "inksight --version": [CLI, "--version"],
    "inksight train --help": [CLI, "train", "--help"],
    "inksight summary": [CLI, "summary"],
    "first prediction": [PREDICT, "MODEL"],
    "first step, cold": [STEP],
    "first step, compiled before": [STEP],
}
LOAD = "import time; t = time.perf_counter(); import inksight; inksight.load('mnist'); print(time.perf_counter() - t)"
CLAIMS = {  # seconds, at most
    "inksight --version": 0.3,
    "inksight train --help": 0.3,
    "first prediction": 0.3,
    "first step, cold": 2.0,
    "first step, compiled before": 1.2,
    "load('mnist')": 0.5,
}


def main(rounds: int) -> int:
    """Print every median; return 1 if a claim does not hold."""
    print(f"{describe('numpy', 'jax', 'click')}; median of {rounds}")
    seconds: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "load('mnist')")}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"
        Model.untrained(NETWORKS["post"]).save(model)
        for number in range(rounds):
            environment = os.environ | {"XDG_CACHE_HOME": f"{folder}/{number}"}
            for name, (code, *arguments) in COMMANDS.items():
                given = [str(model) if argument == "MODEL" else argument for argument in arguments]
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-c", code, *given], check=True, stdout=subprocess.DEVNULL, env=environment
                )
                seconds[name].append(time.perf_counter() - start)
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
