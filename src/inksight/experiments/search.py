"""`sweep`: many trainings, each in a process of its own, compared by their validation accuracy; `halving` to save time.

A folder keeps one file a trial, so that a sweep goes on where it was ended.
"""

import hashlib
import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from inksight._shared.files import check_writable, make_folder
from inksight._shared.interrupt import CtrlC
from inksight._shared.progress import say, track
from inksight._shared.validation import check, is_count
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InputError
from inksight.experiments.ranking import Sweep, show, varying
from inksight.experiments.trial import Result, Trial
from inksight.experiments.worker import Worker, write_parts


def sweep(
    data: Dataset | Splits,
    trials: Sequence[Trial],
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    threads: int = 1,
    progress: bool = True,
) -> Sweep:
    """Train every trial whose result is not in `folder` yet.

    Parameters
    ----------
    data : Dataset or Splits
        A dataset is split first. Trials are given its training and validation images and nothing else.
    trials : sequence of Trial
        Those that do the same count once.
    folder : path-like
        Made if missing; gets one file a trial, ``ID.json``, when the trial is done.
    workers : int, optional
        Processes at a time; by default the cores this process may use.
    threads : int
        Of each process.
    progress : bool
        Show a line a trial, and a bar where a terminal or a notebook can show it, on standard error.

    Returns
    -------
    Sweep
        A trial whose loss stopped being finite is a result, too, with its reason. Ctrl-C stops all processes and
        returns what is done.

    Raises
    ------
    InputError
        If there is no trial, or the data don't suit it, or the folder can't be written or has results from other data.

    Examples
    --------
    >>> import inksight
    >>> from inksight.experiments.trial import grid
    >>> data = inksight.load("mnist")[:200]
    >>> with TemporaryDirectory() as folder:
    ...     done = sweep(data, grid(["4x5p,8x3"], inksight.Recipe(epochs=1), {}, seeds=[0, 1]), folder, progress=False)
    >>> [len(configuration.accuracies) for configuration in done.configurations]
    [2]
    """
    splits = data.split() if isinstance(data, Dataset) else data
    if splits.validation is None:
        raise InputError("a sweep needs validation images, got none: it would have nothing to compare by")
    unique = {trial.id: trial for trial in trials}
    check(len(unique) > 0, "number of trials", 0, "1 or more")
    workers = _cores() if workers is None else workers
    check(is_count(workers) and workers <= 1024, "workers", workers, "1 to 1024")
    check(is_count(threads) and threads <= 1024, "threads", threads, "1 to 1024")
    out = make_folder(folder)
    check_writable(out / "result.json")

    digest = hashlib.sha256((splits.train.digest + splits.validation.digest).encode()).hexdigest()
    results = {name: found for name in unique if (found := _kept(out / f"{name}.json", name, digest, progress))}
    if results and progress:
        say(f"{len(results)} of {len(unique)} results are in {str(out)!r} already")
    todo = [trial for name, trial in unique.items() if name not in results]
    names = varying(list(unique.values()))
    with TemporaryDirectory(prefix="inksight-") as place, CtrlC() as ctrl_c:
        if todo:
            write_parts(splits, Path(place))
        start = (Worker(trial, digest, Path(place), out / f"{trial.id}.json", threads) for trial in todo)
        with closing(_finished(start, min(workers, len(todo)), ctrl_c)) as finished:
            for _, result in zip(track(todo, "trials", progress), finished, strict=False):
                results[result.trial.id] = result
                if progress:
                    say(_line(result, names))
    done = tuple(results[name] for name in unique if name in results)
    return Sweep(done, interrupted=len(done) < len(unique))


def halving(
    data: Dataset | Splits,
    trials: Sequence[Trial],
    folder: str | os.PathLike[str],
    *,
    factor: int = 3,
    workers: int | None = None,
    threads: int = 1,
    progress: bool = True,
) -> Sweep:
    """Train all configurations for a few epochs, the best of them for `factor` times as many, and so on.

    Parameters
    ----------
    data, folder, workers, threads, progress
        As for `sweep`.
    trials : sequence of Trial
        Their epochs, the same in all, are those of the last rung. Each rung trains anew, because the learning rate's
        schedule ends with the epochs.
    factor : int
        2 or more; `rungs` says what it makes of the epochs.

    Returns
    -------
    Sweep
        Of all rungs; the configurations of the last come first.

    References
    ----------
    Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016.
    """
    check(len(trials) > 0, "number of trials", 0, "1 or more")
    epochs = sorted({trial.recipe.epochs for trial in trials})
    check(len(epochs) == 1, "epochs of a halving", epochs, "one number, that of the last rung")
    plan = rungs(len({replace(trial, seed=0).id for trial in trials}), epochs[0], factor)
    left, interrupted = list(trials), False
    results: list[Result] = []
    for rung, (count, budget) in enumerate(plan, start=1):
        if progress and len(plan) > 1:
            say(f"rung {rung} of {len(plan)}: {count} configurations, {budget} epochs")
        left = [replace(trial, recipe=replace(trial.recipe, epochs=budget)) for trial in left]
        done = sweep(data, left, folder, workers=workers, threads=threads, progress=progress)
        results += done.results
        interrupted = done.interrupted
        good = [each for each in done.configurations if each.accuracies]
        if interrupted or not good or rung == len(plan):
            break
        left = [result.trial for each in good[: plan[rung][0]] for result in each.results]
    return Sweep(tuple(results), interrupted, halved=True)


def rungs(configurations: int, epochs: int, factor: int) -> list[tuple[int, int]]:
    """Return how many configurations each rung of a halving trains, and for how many epochs.

    As many rungs as leave at least one configuration in the last and one epoch in the first.

    Examples
    --------
    >>> rungs(9, 27, 3)
    [(9, 3), (3, 9), (1, 27)]
    >>> rungs(20, 20, 3)
    [(20, 2), (6, 6), (2, 20)]
    >>> rungs(100, 5, 3)
    [(100, 1), (33, 5)]
    """
    check(is_count(factor, 2) and factor <= 1000, "factor of the halving", factor, "2 to 1000")
    last = 0
    while factor ** (last + 1) <= min(configurations, epochs):
        last += 1
    return [(configurations // factor**rung, epochs // factor ** (last - rung)) for rung in range(last + 1)]


def _finished(start: Iterator[Worker], workers: int, ctrl_c: CtrlC) -> Generator[Result]:
    """Keep so many processes at work, yield results as they come, and leave no process behind."""
    running: list[Worker] = []
    try:
        running.extend(islice(start, workers))
        while running and not ctrl_c.pressed:
            for worker in [each for each in running if each.done]:
                running.remove(worker)
                running.extend(islice(start, 1))
                yield worker.result()
            time.sleep(0.02)
    finally:
        for worker in running:
            worker.stop()


def _kept(path: Path, name: str, digest: str, progress: bool) -> Result | None:
    """Return the result in a file, or None if there is none or, which is said, it is damaged."""
    if not path.exists():
        return None
    try:
        result = Result.load(path)
        check(result.trial.id == name, "id", result.trial.id, f"{name}, the name of the file")
    except InputError as error:
        if progress:
            say(f"{error}; training it again")
        return None
    if result.data != digest:
        raise InputError(f"{str(path.parent)!r} has results from other data: give another folder")
    return result


def _line(result: Result, names: Sequence[str]) -> str:
    """Return what to say of a finished trial: where it differs from the others, and how it went."""
    settings = result.trial.settings
    parts = [settings["network"], *(f"{name} {show(settings[name])}" for name in names), f"seed {result.trial.seed}"]
    if result.failed:
        return "  ".join([*parts, f"failed: {result.failed}"])
    return "  ".join([*parts, f"val_accuracy {result.val_accuracy:.4f}", f"{result.seconds:.1f} s"])


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
