"""Small networks, recipes and trials for tests, and stand-ins for the processes that train trials."""

from dataclasses import replace

from inksight import Augmentation, Recipe
from inksight.experiments.trial import Result, Trial
from inksight.experiments.worker import read_parts, train_trial
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


class Made:
    """Stands in for a `Worker`: no process, and an invented accuracy.

    `every` lists all instances; `most` is the largest number that ran at the same time.
    """

    every: tuple["Made", ...] = ()
    running = most = 0

    @staticmethod
    def accuracy(trial):
        return min(trial.recipe.learning_rate + trial.seed / 1000, 1.0)

    def __init__(self, trial, data, folder, out, threads):
        self.trial, self.data, self.out, self.polls = trial, data, out, 0
        Made.every = (*Made.every, self)
        Made.running += 1
        Made.most = max(Made.most, Made.running)

    @property
    def done(self):
        self.polls += 1
        if self.polls == 2:
            Made.running -= 1
        return self.polls >= 2

    def result(self):
        result = replace(result_of(self.trial, self.accuracy(self.trial)), data=self.data)
        result.save(self.out)
        return result

    def stop(self):
        raise AssertionError("no worker was left to stop")


class InProcessWorker:
    """Stands in for a `Worker`: trains its trial in this process."""

    done = True

    def __init__(self, trial, data, folder, out, threads):
        self.trial, self.data, self.folder, self.out = trial, data, folder, out

    def result(self):
        result = train_trial(read_parts(self.folder), self.trial, self.data)
        result.save(self.out)
        return result
