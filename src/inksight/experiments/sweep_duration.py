"""`expected_seconds`: how long a sweep will take on this machine, measured by short trials in as many processes."""

import heapq
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inksight._shared.interrupt import CtrlC
from inksight._shared.tasks import Processes
from inksight.data.splits import Splits
from inksight.experiments.trial import Trial
from inksight.experiments.trial_training import share_parts, train_trials

SAMPLE = 10_000  # training images of a short trial, to which the out-of-distribution detector is fitted, too
FORWARD_SHARE = 1 / 3  # of a training step's time: a backward pass takes about twice as long as a forward pass


@dataclass(frozen=True, slots=True)
class Cost:
    """What a training costs.

    Parameters
    ----------
    fixed : float
        Seconds of everything but the epochs: starting a process, calibrating, fitting the detector.
    image : float
        Seconds per training image and pass.
    """

    fixed: float
    image: float

    def seconds(self, splits: Splits, trial: Trial) -> float:
        """Return the expected seconds of a trial."""
        validation = 0 if splits.validation is None else len(splits.validation)
        images = len(splits.train) * trial.recipe.passes + FORWARD_SHARE * validation
        return self.fixed + trial.recipe.epochs * images * self.image


def measure_costs(
    splits: Splits, trials: Sequence[Trial], folder: Path, processes: Processes, ctrl_c: CtrlC
) -> dict[str, Cost]:
    """Return the costs of the networks of trials, by name; without those whose short trial failed.

    For each network, the first trial that has it runs for one epoch of a sample, in the same way as the trials of the
    sweep: as many at once as in the sweep, because they slow each other down.

    Parameters
    ----------
    splits : Splits
    trials : sequence of Trial
    folder : Path
        For temporary files.
    processes : Processes
        Those of the sweep.
    ctrl_c : CtrlC
        Ends the short trials when it is pressed.
    """
    firsts: dict[str, Trial] = {}
    for trial in trials:
        firsts.setdefault(trial.network, trial)
    rows = np.linspace(0, len(splits.train), min(len(splits.train), SAMPLE), endpoint=False).astype(np.int64)
    sample = Splits(splits.train[rows], splits.validation)
    parts = share_parts(sample, folder, processes)
    short = [replace(trial, recipe=replace(trial.recipe, epochs=1)) for trial in firsts.values()]
    places = min(processes.count, len(trials))
    costs: dict[str, Cost] = {}
    for start in range(0, len(short), places):
        group = short[start : start + places]
        # Copies with other seeds fill the places that would be empty.
        copies = [replace(group[i % len(group)], seed=i) for i in range(places)]
        began = time.perf_counter()
        with closing(train_trials(parts, "", copies, processes, ctrl_c)) as results:
            for result in results:
                if not result.failed:
                    image = result.seconds / (len(sample.train) * result.trial.recipe.passes)
                    wall = time.perf_counter() - began
                    costs[result.trial.network] = Cost(wall - result.seconds, image)
    return costs


def expected_seconds(splits: Splits, trials: Sequence[Trial], costs: dict[str, Cost], workers: int) -> float:
    """Return the expected seconds of trials, each of which starts as soon as one of the workers is free.

    A network without a cost counts as the mean of the others; with no cost at all, the result is 0.

    Examples
    --------
    >>> import numpy as np, inksight
    >>> splits = Splits(inksight.Dataset(np.zeros((100, 28, 28), np.uint8), np.arange(100) % 10))
    >>> trials = [Trial("post", inksight.Recipe(epochs=2), seed) for seed in range(3)]
    >>> expected_seconds(splits, trials, {"post": Cost(fixed=1.0, image=0.01)}, workers=2)
    6.0
    """
    if not costs:
        return 0.0
    mean = Cost(
        *(sum(values) / len(costs) for values in zip(*((c.fixed, c.image) for c in costs.values()), strict=True))
    )
    ends = [0.0] * workers
    for trial in trials:
        heapq.heapreplace(ends, ends[0] + costs.get(trial.network, mean).seconds(splits, trial))
    return max(ends)
