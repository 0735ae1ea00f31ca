"""`train_trials`: trials in several processes, and what the processes share."""

import json
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from inksight._shared.interrupt import CtrlC
from inksight._shared.tasks import Processes, WorkerDied, outcomes, start_workers
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


def share_parts(splits: Splits, folder: Path, processes: Processes) -> Splits | Path:
    """Return what processes train on: the folder, which those of this machine share, or the images themselves."""
    if processes.engine == "local":
        write_parts(splits, folder)
        return folder
    return Splits(splits.train, splits.validation, None)


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


def train_trial(parts: Splits | Path, data: str, trial: Trial) -> Result:
    """Train a trial and return its result, which is failed if the loss becomes infinite or NaN.

    Parameters
    ----------
    parts : Splits or Path
        The images, or the folder of `write_parts`.
    data : str
        Digest of the images, for the result.
    trial : Trial
    """
    from inksight.engine.choice import training_engine
    from inksight.training.fitting import fit

    splits = read_parts(parts) if isinstance(parts, Path) else parts
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


def train_trials(
    parts: Splits | Path,
    data: str,
    trials: Sequence[Trial],
    processes: Processes,
    ctrl_c: CtrlC,
    out: Path | None = None,
) -> Generator[Result]:
    """Train trials in processes and yield their results as they finish; close the generator to stop the processes.

    Parameters
    ----------
    parts, data
        See `train_trial`.
    trials : sequence of Trial
        At least one.
    processes : Processes
    ctrl_c : CtrlC
        Ends the trainings when it is pressed.
    out : Path, optional
        Folder for the results as files. If a process crashed or was killed, its result is failed and has no file, so
        that a resumed sweep tries it again.

    Raises
    ------
    InputError
        If a trial raised one, which all others would raise too.
    """
    processes = replace(processes, count=min(processes.count, len(trials)))
    with closing(start_workers(processes, train_trial, parts, data)) as workers:
        for trial, finished in outcomes(workers, trials, stop=lambda: ctrl_c.pressed):
            try:
                result = finished.result()
            except InputError:
                raise
            except WorkerDied as error:
                result = Result(trial, data, failed=f"its process {error}")
            except Exception as error:
                result = Result(trial, data, failed=f"{type(error).__name__}: {error}"[:300])
            else:
                if out is not None:
                    result.save(out / f"{trial.id}.json")
            yield result
