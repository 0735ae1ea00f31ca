"""Small networks, recipes and trials for tests, and stand-ins for the processes that train trials."""

import os
import signal
from concurrent.futures import Future
from dataclasses import replace
from threading import Timer

from inksight import Augmentation, Recipe
from inksight.experiments.trial import Result, Trial
from inksight.experiments.trial_training import train_trial
from inksight.nn.history import Epoch, History

TINY = "4x5p,8x3"
SMALL = "8x5p,12x3"
QUICK = Recipe(
    epochs=3, batch_size=32, learning_rate=2e-2, beta1=0.8, beta2=0.95, augmentation=Augmentation(5, 1, 0.05, 0.05)
)
RECIPE = Recipe(epochs=1, batch_size=64, learning_rate=1e-2, beta1=0.8, beta2=0.95, augmentation=Augmentation(5, 1))
WILD = Trial("4x3,4x3,4x3,4x3,4x3,4x3,4x3,d4", Recipe(epochs=9, batch_size=64, learning_rate=1e6, schedule="constant"))
LONG = replace(RECIPE, epochs=100_000)


class Forbidden:
    """Stands in for the test images: any use fails."""

    def __getattribute__(self, name):
        raise AssertionError("the test images were used")


def result_of(trial, accuracy=0.5, failed=""):
    """Return an invented result of a trial."""
    rows = [Epoch(i + 1, 1.0, 0.5, 1.0, accuracy, 0.01, 2.0) for i in range(trial.recipe.epochs)]
    return Result(trial, "data", History(() if failed else tuple(rows)), seconds=2.0, failed=failed)


class InProcessWorkers:
    """Stands in for the workers of a sweep: calls the function in this process."""

    def __init__(self, processes, function, *shared):
        self.count, self.function, self.shared = processes.count, function, shared

    def submit(self, task):
        future: Future[Result] = Future()
        try:
            future.set_result(self.function(*self.shared, task))
        except Exception as error:
            future.set_exception(error)
        return future

    def close(self):
        pass


class Made(InProcessWorkers):
    """Stands in for the workers of a sweep: no process, and an invented accuracy a moment later.

    `every` lists the trials of all instances; `most` is the largest number that ran at the same time.
    """

    every: tuple[Trial, ...] = ()
    running = most = 0

    @staticmethod
    def accuracy(trial):
        return min(trial.recipe.learning_rate + trial.seed / 1000, 1.0)

    def result(self, trial):
        return result_of(trial, self.accuracy(trial))

    def submit(self, task):
        Made.every = (*Made.every, task)
        Made.running += 1
        Made.most = max(Made.most, Made.running)
        future: Future[Result] = Future()

        def finish():
            Made.running -= 1
            _, data = self.shared
            future.set_result(replace(self.result(task), data=data))

        Timer(0.01, finish).start()
        return future


def die_if_seed_is_0(parts, data, trial):
    """Train a trial as `train_trial` does, unless its seed is 0."""
    if trial.seed == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return train_trial(parts, data, trial)


def tell_number(parts, data, trial):
    """Train a trial as `train_trial` does, and leave a file with the number of its process."""
    (parts / f"{os.getpid()}.process").touch()
    return train_trial(parts, data, trial)
