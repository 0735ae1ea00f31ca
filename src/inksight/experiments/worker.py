"""`Worker`: a process that trains one trial; its input, its start and its work."""

import json
import os
import sys
import threading
import time
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from inksight._shared.interrupt import CtrlC
from inksight._shared.process import describe_end, start_worker
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InksightError, InputError
from inksight.experiments.trial import Result, Trial

PARTS = ("train", "validation")  # that trials may use; never the test images


def write_parts(splits: Splits, folder: Path) -> None:
    """Write training and validation images to a folder, as plain arrays that processes can share."""
    for name in PARTS:
        part = splits.parts[name]
        np.save(folder / f"{name}-images.npy", part.images)
        np.save(folder / f"{name}-labels.npy", part.require_labels("a sweep"))
    names = {"name": splits.train.name, "class_names": splits.train.class_names}
    (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")


def read_parts(folder: Path) -> Splits:
    """Read what `write_parts` wrote; the images are memory-mapped, so that all processes share one copy."""
    names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    train, validation = (
        Dataset(
            np.load(folder / f"{part}-images.npy", mmap_mode="r"),
            np.load(folder / f"{part}-labels.npy"),
            names["name"],
            tuple(names["class_names"]),
        )
        for part in PARTS
    )
    return Splits(train, validation, None)


class Worker:
    """A process that trains one trial and writes its result.

    Each trial has a new interpreter: its memory is freed at the end, and a crash affects one trial only.

    Parameters
    ----------
    trial : Trial
    data : str
        Digest of the data, for the result.
    folder : Path
        The folder of `write_parts`.
    out : Path
        The result file to write.
    threads : int
        Threads of the engine (``INKSIGHT_THREADS``).
    """

    def __init__(self, trial: Trial, data: str, folder: Path, out: Path, threads: int) -> None:
        self.trial, self.data, self.out = trial, data, out
        self.errors = folder / f"{trial.id}.err"
        job = {"trial": trial.to_dict(), "data": data, "folder": str(folder), "out": str(out.resolve())}
        with self.errors.open("wb") as errors:
            self.process = start_worker(__name__, json.dumps(job), threads=threads, stderr=errors)

    @property
    def done(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def result(self) -> Result:
        """Return the result of a process that has ended.

        If the process crashed or was killed, the result is failed and has no file, so that a resumed sweep tries it
        again.

        Raises
        ------
        InputError
            If the process raised one, which all other trials would raise too.
        """
        with self.process as process:
            code = process.wait()
        if code == 0:
            return Result.load(self.out)
        lines = self.errors.read_text(encoding="utf-8", errors="replace").split("\n")
        last_line = next((line.strip()[:300] for line in reversed(lines) if line.strip()), "nothing")
        if code == 2:
            raise InputError(last_line)
        reason = describe_end(code) + (f": {last_line}" if code > 0 else "")
        return Result(self.trial, self.data, failed=f"its process {reason}")

    def stop(self) -> None:
        """Kill the process."""
        with self.process as process:
            process.kill()


def run_workers(workers: Iterator[Worker], count: int, ctrl_c: CtrlC) -> Generator[Result]:
    """Keep `count` processes running, yield results as they finish, and stop all running processes at the end."""
    running: list[Worker] = []
    try:
        running.extend(islice(workers, count))
        while running and not ctrl_c.pressed:
            for worker in [worker for worker in running if worker.done]:
                running.remove(worker)
                running.extend(islice(workers, 1))
                yield worker.result()
            time.sleep(0.02)
    finally:
        for worker in running:
            worker.stop()


def train_trial(splits: Splits, trial: Trial, data: str) -> Result:
    """Train a trial and return its result, which is failed if the loss becomes infinite or NaN."""
    from inksight.engine.choice import training_engine
    from inksight.training.fitting import fit

    try:
        training = fit(splits, trial.network, trial.recipe, seed=trial.seed, progress=False)
    except InputError:
        raise
    except InksightError as error:
        return Result(trial, data, engine=training_engine() or "", failed=str(error))
    if training.stopped != "epochs":
        raise InksightError(f"training was {training.stopped}")
    return Result(
        trial, data, training.model.history, training.seconds, training.images_per_second,
        training.model.digest, training_engine() or "",
    )  # fmt: skip


def main(job: str) -> int:
    """Train the trial of a job (JSON from `Worker`); return the exit code, 2 for an `InputError`."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    values = json.loads(job)
    try:
        trial = Trial.from_dict(values["trial"])
        train_trial(read_parts(Path(values["folder"])), trial, values["data"]).save(values["out"])
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _end_with_parent() -> None:
    """End this process when the parent process closes its end of the standard input, or ends."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
