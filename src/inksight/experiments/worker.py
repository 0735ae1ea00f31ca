"""A process of its own for one trial: what is handed to it, how it is started, what it does."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InksightError, InputError
from inksight.experiments.trial import Result, Trial

PARTS = ("train", "validation")  # never the test images


def write_parts(splits: Splits, place: Path) -> None:
    """Write the images that trials may see to `place`, as plain arrays that processes can share."""
    for name in PARTS:
        part = splits.parts[name]
        np.save(place / f"{name}-images.npy", part.images)
        np.save(place / f"{name}-labels.npy", part.require_labels("a sweep"))
    names = {"name": splits.train.name, "class_names": splits.train.class_names}
    (place / "names.json").write_text(json.dumps(names), encoding="utf-8")


def read_parts(place: Path) -> Splits:
    """Return what `write_parts` wrote; the images stay on disk, mapped, so that all processes share one copy."""
    names = json.loads((place / "names.json").read_text(encoding="utf-8"))
    train, validation = (
        Dataset(
            np.load(place / f"{part}-images.npy", mmap_mode="r"),
            np.load(place / f"{part}-labels.npy"),
            names["name"],
            tuple(names["class_names"]),
        )
        for part in PARTS
    )
    return Splits(train, validation, None)


class Worker:
    """A process that trains one trial and writes its result.

    A fresh interpreter for each trial: nothing is inherited from a process that may have used JAX, a script needs no
    ``if __name__ == "__main__"``, memory goes back after each, and a crash takes one trial with it.

    Parameters
    ----------
    trial : Trial
    data : str
        Digest of the data, for the result.
    place : Path
        Where `write_parts` wrote.
    out : Path
        The result's file.
    threads : int
        Of the engine, ``INKSIGHT_THREADS``.
    """

    def __init__(self, trial: Trial, data: str, place: Path, out: Path, threads: int) -> None:
        self.trial, self.data, self.out = trial, data, out
        self.errors = place / f"{trial.id}.err"
        job = {"trial": trial.to_dict(), "data": data, "place": str(place), "out": str(out.resolve())}
        # It finds the modules that this process finds, and is deaf to the terminal's Ctrl-C: who started it decides.
        path = os.pathsep.join(folder or str(Path.cwd()) for folder in sys.path)
        environment = os.environ | {"INKSIGHT_THREADS": str(threads), "PYTHONPATH": path}
        if threads == 1:
            flags = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
            environment["XLA_FLAGS"] = flags.strip()
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "inksight.experiments.worker", json.dumps(job)],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
                env=environment, start_new_session=True,
            )  # fmt: skip

    @property
    def done(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def result(self) -> Result:
        """Return the result of a process that has ended.

        One that crashed, or was killed, has failed without a file: a sweep that goes on tries again.

        Raises
        ------
        InputError
            If the process found its input wrong; then it would be wrong for any other trial.
        """
        with self.process as process:
            code = process.wait()
        if code == 0:
            return Result.load(self.out)
        lines = self.errors.read_text(encoding="utf-8", errors="replace").split("\n")
        said = next((line.strip()[:300] for line in reversed(lines) if line.strip()), "nothing")
        if code == 2:
            raise InputError(said)
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}, saying: {said}"
        return Result(self.trial, self.data, failed=f"its process {how}")

    def stop(self) -> None:
        """End the process now."""
        with self.process as process:
            process.kill()


def train_trial(splits: Splits, trial: Trial, data: str) -> Result:
    """Train, and return the result; a loss that is not finite is one, too."""
    from inksight.engine.ops import engine  # these bring JAX, which a process that only hands out trials does without
    from inksight.training.fit import fit

    try:
        done = fit(splits, trial.network, trial.recipe, seed=trial.seed, progress=False)
    except InputError:
        raise
    except InksightError as error:
        return Result(trial, data, engine=engine(), failed=str(error))
    if done.stopped != "epochs":
        raise InksightError(f"training was {done.stopped}")
    return Result(
        trial, data, done.model.history, done.seconds, done.compile_seconds, done.images_per_second,
        done.model.digest, engine(),
    )  # fmt: skip


def main(job: str) -> int:
    """Do what a `Worker` was made for, and return the exit code; 2 for input that is wrong."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asked = json.loads(job)
    try:
        trial = Trial.from_dict(asked["trial"])
        train_trial(read_parts(Path(asked["place"])), trial, asked["data"]).save(asked["out"])
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _end_with_parent() -> None:
    """End this process when nobody holds the other end of its standard input any more."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
