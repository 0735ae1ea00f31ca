"""How soon inksight answers: whole processes, from start to exit, the median of several.

Run as ``python -m benchmarks.startup [rounds]``. The commands take turns within a round; ``python -c pass`` shows
what the interpreter itself takes; loading MNIST is timed inside its process, NumPy's import included.
"""

import statistics
import subprocess
import sys
import time

from benchmarks.machine import describe

PYTHON = sys.executable
COMMANDS = {
    "python -c pass": [PYTHON, "-c", "pass"],
    "inksight --version": [PYTHON, "-c", "from inksight.cli import main; main()", "--version"],
    "inksight train --help": [PYTHON, "-c", "from inksight.cli import main; main()", "train", "--help"],
    "inksight summary": [PYTHON, "-c", "from inksight.cli import main; main()", "summary"],
}
LOAD = "import time; t = time.perf_counter(); import inksight; inksight.load('mnist'); print(time.perf_counter() - t)"
CLAIMS = {"inksight --version": 0.3, "inksight train --help": 0.3, "load('mnist')": 0.5}  # seconds, at most


def main(rounds: int) -> int:
    """Print every median; return 1 if a claim does not hold."""
    print(f"{describe('numpy', 'click')}; median of {rounds}")
    seconds: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "load('mnist')")}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
        printed = subprocess.run([PYTHON, "-c", LOAD], check=True, capture_output=True, text=True).stdout
        seconds["load('mnist')"].append(float(printed))
    failed = 0
    for name, times in seconds.items():
        median = statistics.median(times)
        holds = median <= CLAIMS.get(name, median)
        failed += not holds
        claim = f"  (claimed: {CLAIMS[name]} s{'' if holds else ', NOT HELD'})" if name in CLAIMS else ""
        print(f"  {name:22} {median:.3f} s{claim}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
