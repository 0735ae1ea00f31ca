"""`measure_pace`: how long trainings take on this machine, measured by a short trial of the actual ones."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inksight.config import Network, Recipe, get_budget, get_recipe
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.nn.model import Model
from inksight.training.fitting import MAX_EPOCHS, MIN_STEPS, fit
from inksight.training.ood_detector import MAX_IMAGES, with_ood_detector

SAMPLE = 4096  # images of the trial
JUDGED = 1000  # images to measure predictions and the detector on
TRIAL_SECONDS = 1.0  # of training steps, after which no further epoch of the trial begins


@dataclass(frozen=True, eq=False)
class Pace:
    """How fast a network trains by a recipe on this machine.

    Parameters
    ----------
    recipe : Recipe
    named : bool
        Whether the recipe was given by name: it then has more epochs if there are few images; see `inksight.train`.
    limit : float
        Seconds of training steps after which a training stops.
    step_seconds : float
        Of one training step.
    judge_seconds : float
        Of predicting one image.
    detector_seconds : float
        Of fitting the out-of-distribution detector, per training image.
    model : Model
        The result of the trial.
    """

    recipe: Recipe
    named: bool
    limit: float
    step_seconds: float
    judge_seconds: float
    detector_seconds: float
    model: Model

    def training(self, images: int, validation: int = 0, epochs: int | None = None) -> float:
        """Return the expected seconds of a training on so many images.

        Parameters
        ----------
        images, validation : int
            Number of images to train on, and of validation images.
        epochs : int, optional
            By default those of the recipe.
        """
        steps = _steps(images, self.recipe)
        if epochs is None:
            epochs = max(self.recipe.epochs, math.ceil(MIN_STEPS / steps)) if self.named else self.recipe.epochs
        one_epoch = steps * self.step_seconds
        trained = min(epochs * one_epoch, self.limit)
        judged = math.ceil(trained / one_epoch) * validation * self.judge_seconds
        finished = self.detector_seconds * min(images, MAX_IMAGES) + 2 * validation * self.judge_seconds
        return trained + judged + (finished if validation else 0.0)

    def trainings(self, sizes: Sequence[tuple[int, int]]) -> float:
        """Return the expected seconds of trainings of these numbers of images and validation images, one by one."""
        return sum(self.training(*size) for size in sizes)


def measure_pace(
    data: Dataset,
    network: str | Network | None = None,
    recipe: str | Recipe | None = None,
    *,
    budget: str | None = None,
    epochs: int | None = None,
    seconds: float | None = None,
) -> Pace:
    """Train on a part of the data for a second or so, and return how fast that was.

    Parameters
    ----------
    data : Dataset
        Labeled.
    network, recipe, budget, epochs, seconds
        As in `inksight.train`.

    Raises
    ------
    InputError
        As `inksight.train`.
    KeyboardInterrupt
        On Ctrl-C.

    Examples
    --------
    >>> import inksight
    >>> pace = measure_pace(inksight.load("mnist")[:500], "4x5p,8x3", inksight.Recipe(epochs=1))
    >>> pace.training(1000) < pace.training(10_000)
    True
    """
    budget_network, budget_recipe = get_budget("default" if budget is None else budget)
    named = not isinstance(recipe, Recipe) and epochs is None and seconds is None
    recipe = get_recipe(budget_recipe if recipe is None else recipe)
    if epochs is not None or seconds is not None:
        recipe = replace(recipe, epochs=MAX_EPOCHS if epochs is None else epochs)
    sample = data[_sample_rows(data, recipe.batch_size)]
    # Not longer than one real training would take.
    longest = max(recipe.epochs * _steps(len(data), recipe) // _steps(len(sample), recipe), 1)
    result = fit(
        Splits(sample), budget_network if network is None else network, recipe, epochs=longest, progress=False,
        on_epoch=lambda model: sum(row.seconds for row in model.history) >= TRIAL_SECONDS,
    )  # fmt: skip
    if result.stopped == "interrupted":
        raise KeyboardInterrupt
    few = sample[:JUDGED]
    began = time.perf_counter()
    result.model.predict(few.images)
    judged = time.perf_counter()
    with_ood_detector(result.model, few, 0.0)
    ended = time.perf_counter()
    return Pace(
        recipe=recipe,
        named=named,
        limit=math.inf if seconds is None else seconds,
        step_seconds=result.seconds / (len(result.model.history) * _steps(len(sample), recipe)),
        judge_seconds=(judged - began) / len(few),
        detector_seconds=(ended - judged) / len(few),
        model=result.model,
    )


def _steps(images: int, recipe: Recipe) -> int:
    """Return the number of training steps of one epoch."""
    return recipe.passes * math.ceil(images / recipe.batch_size)


def _sample_rows(data: Dataset, batch_size: int) -> NDArray[np.int64]:
    """Return random rows in whole batches, if there are enough, with an image of every class that has any."""
    _, firsts = np.unique(data.require_labels("training"), return_index=True)
    order = np.concatenate([firsts, np.random.default_rng(0).permutation(len(data))])
    _, places = np.unique(order, return_index=True)
    rows: NDArray[np.int64] = order[np.sort(places)][: math.ceil(SAMPLE / batch_size) * batch_size]
    return rows
