"""The expected duration of trainings, from times that are given: no test measures one."""

import math

import numpy as np
import pytest
from trials import QUICK, SMALL

from inksight import Dataset, InputError, Model, Recipe, Splits
from inksight._shared.progress import about
from inksight.training import pace as module
from inksight.training.fitting import MIN_STEPS, fit
from inksight.training.pace import Pace, measure_pace
from inksight.training.result import TrainingResult


def pace(recipe, named=False, limit=math.inf):
    return Pace(recipe, named, limit, 0.5, 0.01, 0.001, Model.untrained(SMALL))


def test_seconds_are_those_of_steps_validation_and_detector():
    recipe = Recipe(epochs=3, batch_size=100, passes=2)
    steps = 3 * 2 * 10  # the tenth batch is not full
    assert pace(recipe).training(950) == pytest.approx(steps * 0.5)
    assert pace(recipe).training(950, 200) == pytest.approx(steps * 0.5 + (3 + 2) * 200 * 0.01 + 950 * 0.001)
    assert pace(recipe).training(20_000, 1) == pytest.approx(3 * 400 * 0.5 + 5 * 0.01 + 10_000 * 0.001)
    assert pace(recipe).training(950, epochs=1) == pytest.approx(steps * 0.5 / 3)
    assert pace(recipe, limit=7.0).training(950) == 7.0
    assert pace(recipe).trainings([(950, 0), (100, 0)]) == pytest.approx(steps * 0.5 + 6 * 0.5)


def test_a_named_recipe_has_more_epochs_if_there_are_few_images(rng):
    recipe = Recipe(epochs=3, batch_size=100)
    assert pace(recipe, named=True).training(1000) == pytest.approx(MIN_STEPS * 0.5)
    assert pace(recipe, named=True).training(100_000) == pytest.approx(3000 * 0.5)
    data = Dataset(rng.integers(0, 255, (200, 28, 28), np.uint8), np.arange(200) % 2, class_names=("a", "b"))
    trained = fit(Splits(data), "4x5p", "seconds", progress=False).model
    measured = measure_pace(data, "4x5p", "seconds")
    assert measured.training(200) == pytest.approx(len(trained.history) * 2 * measured.step_seconds)


@pytest.mark.parametrize("options", [{}, {"epochs": 2}, {"seconds": 60.0}, {"epochs": 4, "seconds": 60.0}])
def test_pace_is_that_of_the_trial(few, options, monkeypatch):
    trials = []

    def timed(data, network, recipe, **arguments):
        result = fit(data, network, recipe, **arguments)
        trials.append((data, result))
        return TrainingResult(result.model, result.stopped, result.train_images, 6.0, 100.0)

    monkeypatch.setattr(module, "fit", timed)
    measured = measure_pace(few.train, SMALL, QUICK, **options)
    (data, result), *others = trials
    assert not others
    assert data.validation is data.test is None
    assert measured.step_seconds == pytest.approx(6.0 / (len(result.model.history) * math.ceil(300 / 32)))
    assert measured.limit == options.get("seconds", math.inf)
    assert len(result.model.history) <= measured.recipe.epochs


def test_the_trial_is_not_longer_than_a_training(few, monkeypatch):
    monkeypatch.setattr(module, "TRIAL_SECONDS", 1e9)
    assert len(measure_pace(few.train, SMALL, QUICK).model.history) == QUICK.epochs
    monkeypatch.setattr(module, "TRIAL_SECONDS", 0.0)
    assert len(measure_pace(few.train, SMALL, QUICK).model.history) == 1


def test_the_sample_has_whole_batches_and_every_class(mnist):
    labels = np.zeros(60_000, np.int64)
    labels[59_999] = 7
    data = Dataset(mnist.images[:60_000], labels)
    rows = module._sample_rows(data, 300)
    assert len(rows) == len(np.unique(rows)) == 4200
    assert 59_999 in rows
    assert sorted(module._sample_rows(data[-50:], 300)) == list(range(50))


def test_errors_are_those_of_a_training(few):
    with pytest.raises(InputError, match="recipe must be one of"):
        measure_pace(few.train, SMALL, "fast")
    with pytest.raises(InputError, match="network must be one of"):
        measure_pace(few.train, "resnet")
    with pytest.raises(InputError, match="training needs labels"):
        measure_pace(Dataset(few.train.images))


def test_durations_are_rounded():
    assert [about(seconds) for seconds in (0, 119, 121, 5399, 5401, 172_801)] == [
        "about 1 s", "about 119 s", "about 2 minutes", "about 90 minutes", "about 1.5 hours", "about 2.0 days",
    ]  # fmt: skip
