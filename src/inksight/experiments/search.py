"""`sweep` trains many trials, each in its own process, and `halving` (successive halving) saves time.

Each trial has a result file in a folder, so that the same call resumes an interrupted sweep.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from inksight._shared.claim import claimed
from inksight._shared.files import check_writable, make_folder
from inksight._shared.interrupt import CtrlC
from inksight._shared.progress import about, say, track
from inksight._shared.tasks import Processes, processes_for
from inksight._shared.temporary import temporary_folder
from inksight._shared.validation import check, is_count
from inksight.data.loading import DataLike, as_splits
from inksight.data.splits import Splits
from inksight.errors import InputError
from inksight.experiments.ranking import Sweep, format_setting, varying_settings
from inksight.experiments.sweep_duration import expected_seconds, measure_costs
from inksight.experiments.trial import Result, Trial
from inksight.experiments.trial_training import share_parts, train_trials


def sweep(
    data: DataLike,
    trials: Sequence[Trial],
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    threads: int = 1,
    engine: str = "local",
    address: str | None = None,
    progress: bool = True,
) -> Sweep:
    """Train every trial that has no result in `folder` yet.

    Parameters
    ----------
    data : Dataset, Splits, str or path-like
        A dataset, or a source for `inksight.load`, is split first. Trials get the training and validation images only.
    trials : sequence of Trial
        Equal trials are trained once.
    folder : path-like
        Created if missing. The result of each trial is written to ``ID.json`` when the trial is done.
    workers : int, optional
        Maximum number of processes at the same time; by default the number of cores this process may use,
        or those of the cluster.
    threads : int
        Threads of each process.
    engine : str
        ``local`` trains on this machine, ``ray`` on the machines of a Ray cluster (``pip install inksight[ray]``).
    address : str, optional
        Of the Ray cluster; by default that of ``RAY_ADDRESS``, or else a new one on this machine.
    progress : bool
        Show how long it will take, which short trials measure, one line per trial, and a bar in a terminal or a
        notebook, on standard error.

    Returns
    -------
    Sweep
        A trial with an infinite or NaN loss has a failed result. Ctrl-C stops all processes and returns the results
        so far.

    Raises
    ------
    InputError
        If there is no trial, the data does not fit a trial, an option is out of range, or the folder is not writable or
        has results from other data.

    Examples
    --------
    >>> import inksight
    >>> from inksight.experiments.trial import grid
    >>> from tempfile import TemporaryDirectory
    >>> data = inksight.load("mnist")[:200]
    >>> trials = grid(["4x5p,8x3"], inksight.Recipe(epochs=1), {}, seeds=[0, 1])
    >>> with TemporaryDirectory() as folder:
    ...     result = sweep(data, trials, folder, progress=False)
    >>> [len(configuration.accuracies) for configuration in result.configurations]
    [2]
    """
    _check_trials(trials)
    processes = processes_for(workers, threads=threads, engine=engine, address=address)
    return _sweep(_with_validation(data), trials, folder, processes, progress, announce=progress)


def _sweep(
    splits: Splits, trials: Sequence[Trial], folder: str | os.PathLike[str], processes: Processes, progress: bool,
    announce: bool,
) -> Sweep:  # fmt: skip
    unique = {trial.id: trial for trial in trials}
    out = _writable(folder)
    assert splits.validation is not None

    digest = hashlib.sha256((splits.train.digest + splits.validation.digest).encode()).hexdigest()
    saved = {name: _saved_result(out / f"{name}.json", name, digest, progress) for name in unique}
    results = {name: result for name, result in saved.items() if result is not None}
    if results:
        say(f"{len(results)} of {len(unique)} results are already in {str(out)!r}", progress)
    todo = [trial for name, trial in unique.items() if name not in results]
    names = varying_settings(list(unique.values()))
    with claimed(out, progress), temporary_folder() as data_folder, CtrlC() as ctrl_c:
        if todo:
            if announce:
                _announce(splits, [todo], processes, data_folder, ctrl_c)
            parts = share_parts(splits, data_folder, processes)
            with closing(train_trials(parts, digest, todo, processes, ctrl_c, out)) as finished:
                for _, result in zip(track(todo, "trials", progress), finished, strict=False):
                    results[result.trial.id] = result
                    say(_describe(result, names), progress)
    done = tuple(results[name] for name in unique if name in results)
    return Sweep(done, interrupted=len(done) < len(unique))


def halving(
    data: DataLike,
    trials: Sequence[Trial],
    folder: str | os.PathLike[str],
    *,
    factor: int = 3,
    workers: int | None = None,
    threads: int = 1,
    engine: str = "local",
    address: str | None = None,
    progress: bool = True,
) -> Sweep:
    """Search by successive halving.

    All configurations are trained for a few epochs, the best of them for `factor` times as many, and so on.

    Parameters
    ----------
    data, folder, workers, threads, engine, address, progress
        See `sweep`.
    trials : sequence of Trial
        All with the same number of epochs, that of the last rung. Each rung trains from random weights, because the
        schedule of the learning rate ends with the epochs.
    factor : int
        Each rung keeps one in `factor` configurations, 2 to 1000; see `rungs`.

    Returns
    -------
    Sweep
        The results of all rungs; the configurations of the last rung come first.

    Raises
    ------
    InputError
        If trials differ in their epochs, the factor is out of range, or for a reason of `sweep`.

    References
    ----------
    Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016.
    """
    _check_trials(trials)
    epochs = sorted({trial.recipe.epochs for trial in trials})
    check(len(epochs) == 1, "epochs of a halving", epochs, "one number, that of the last rung")
    plan = rungs(len({replace(trial, seed=0).id for trial in trials}), epochs[0], factor)
    splits = _with_validation(data)
    processes = processes_for(workers, threads=threads, engine=engine, address=address)
    _writable(folder)
    if progress:
        seeds = len({trial.id for trial in trials}) // plan[0][0]
        expected = [[_with_epochs(trial, budget) for trial in trials[: count * seeds]] for count, budget in plan]
        with temporary_folder() as data_folder, CtrlC() as ctrl_c:
            _announce(splits, expected, processes, data_folder, ctrl_c)
        if ctrl_c.pressed:
            return Sweep((), interrupted=True, halved=True)
    remaining, interrupted = list(trials), False
    results: list[Result] = []
    for rung, (count, budget) in enumerate(plan, start=1):
        if len(plan) > 1:
            say(f"rung {rung} of {len(plan)}: {count} configurations, {budget} epochs", progress)
        remaining = [_with_epochs(trial, budget) for trial in remaining]
        swept = _sweep(splits, remaining, folder, processes, progress, announce=False)
        results += swept.results
        interrupted = swept.interrupted
        trained = [configuration for configuration in swept.configurations if configuration.accuracies]
        if interrupted or not trained or rung == len(plan):
            break
        remaining = [result.trial for configuration in trained[: plan[rung][0]] for result in configuration.results]
    return Sweep(tuple(results), interrupted, halved=True)


def _writable(folder: str | os.PathLike[str]) -> Path:
    """Return the folder, which can be written to."""
    out = make_folder(folder)
    check_writable(out / "result.json")
    return out


def _announce(
    splits: Splits, rounds: Sequence[Sequence[Trial]], processes: Processes, folder: Path, ctrl_c: CtrlC
) -> None:
    """Say how long rounds of trials will take, unless no short trial has succeeded."""
    trials = [trial for trials in rounds for trial in trials]
    costs = measure_costs(splits, trials, folder, processes, ctrl_c)
    if costs and not ctrl_c.pressed:
        seconds = sum(expected_seconds(splits, trials, costs, processes.count) for trials in rounds)
        say(f"{len(trials)} trainings, up to {min(processes.count, len(trials))} at a time: {about(seconds)}")


def _with_validation(data: DataLike) -> Splits:
    splits = as_splits(data)
    if splits.validation is None:
        raise InputError("a sweep needs validation images, got none: give a dataset, or splits that have some")
    return splits


def _with_epochs(trial: Trial, epochs: int) -> Trial:
    return replace(trial, recipe=replace(trial.recipe, epochs=epochs))


def _check_trials(trials: object) -> None:
    is_list = isinstance(trials, Sequence) and all(isinstance(trial, Trial) for trial in trials)
    check(is_list, "trials", trials, "a list of Trial, as `inksight.experiments.grid` returns it")
    check(bool(trials), "number of trials", 0, "1 or more")


def rungs(configurations: int, epochs: int, factor: int) -> list[tuple[int, int]]:
    """Return the number of configurations and of epochs of each rung of a successive halving.

    There are as many rungs as possible with at least one configuration in the last and one epoch in the first.

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


def _saved_result(path: Path, trial_id: str, digest: str, progress: bool) -> Result | None:
    """Return the result in a file, or None if the file is missing or damaged; report the latter."""
    if not path.exists():
        return None
    try:
        result = Result.load(path)
        check(result.trial.id == trial_id, "id", result.trial.id, f"{trial_id}, the name of the file")
    except InputError as error:
        say(f"{error}; training it again", progress)
        return None
    if result.data != digest:
        raise InputError(f"{str(path.parent)!r} has results from other data: give another folder")
    return result


def _describe(result: Result, names: Sequence[str]) -> str:
    """Return one line about a finished trial, with the settings that are named."""
    settings = result.trial.settings
    changes = [f"{name} {format_setting(settings[name])}" for name in names]
    parts = [settings["network"], *changes, f"seed {result.trial.seed}"]
    if result.failed:
        return "  ".join([*parts, f"failed: {result.failed}"])
    return "  ".join([*parts, f"val_accuracy {result.val_accuracy:.4f}", f"{result.seconds:.1f} s"])
