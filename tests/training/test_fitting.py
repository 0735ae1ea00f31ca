"""`train` and `fit`: learning, reproducibility, ways to stop, and validation of arguments."""

import math
import signal
import threading
import time
from dataclasses import replace
from itertools import count, pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from trials import QUICK, SMALL, Forbidden

import inksight
from inksight import InksightError, InputError, Splits
from inksight.config import Recipe
from inksight.engine.trainer import Trainer
from inksight.errors import InputWarning
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.training.batches import Batches
from inksight.training.fitting import MIN_STEPS, fit, train


def test_small_network_learns(small_run):
    history = small_run.model.history
    assert [row.epoch for row in history] == [1, 2, 3]
    assert history["val_accuracy"][-1] > 0.75  # chance is 0.1
    assert history["loss"][2] < history["loss"][0]
    assert (small_run.stopped, small_run.train_images) == ("epochs", 4000)
    assert small_run.images_per_second == pytest.approx(12000 / history["seconds"].sum())


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances by 0.01 s with every call, so that tests do not depend on the load of the machine."""
    ticks = count()
    monkeypatch.setattr("inksight.training.schedule.time", SimpleNamespace(perf_counter=lambda: next(ticks) / 100))


@pytest.mark.usefixtures("clock")
def test_augmentation_tapers_by_time_if_the_time_is_limited(few, monkeypatch):
    shares = []
    of_epoch = Batches.of_epoch

    def spy(self, epoch, done=0.0):
        shares.append(done)
        return of_epoch(self, epoch, done)

    monkeypatch.setattr(Batches, "of_epoch", spy)
    fit(few, SMALL, replace(QUICK, taper=1.0), seconds=1, progress=False)
    assert shares[0] == 0
    assert all(before < after for before, after in pairwise(shares))
    assert len(shares) > 1
    assert shares[-1] <= 1


def test_train_returns_a_model_that_predicts(digits):
    model = train(digits, SMALL, replace(QUICK, epochs=1), progress=False)
    assert model.predict(digits.test.images[:3]).shape == (3,)


def test_the_same_seed_gives_the_same_bytes(digits, small_run):
    assert fit(digits, SMALL, QUICK, progress=False).model.digest == small_run.model.digest
    assert fit(digits, SMALL, QUICK, seed=1, progress=False).model.digest != small_run.model.digest


def test_calls_are_short_so_that_the_bar_moves_and_ctrl_c_is_heard(digits, monkeypatch):
    counts, seconds = [], []
    take = Trainer.take

    def spy(self, steps):
        began = time.perf_counter()
        result = take(self, steps)
        seconds.append(time.perf_counter() - began)
        counts.append(len(steps.rows))
        return result

    monkeypatch.setattr(Trainer, "take", spy)
    fit(digits, SMALL, QUICK, epochs=2, progress=False)
    assert (counts[0], sum(counts)) == (1, 2 * 125)  # 4,000 images in batches of 32, twice
    assert max(counts) > 1
    assert np.median(seconds) < 0.2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"network": SMALL}, "network must be left out when training goes on from a model"),
        ({"budget": "best", "recipe": QUICK}, "budget must be left out when both network and recipe are given"),
    ],
)
def test_options_without_effect_are_errors(digits, model, options, words):
    with pytest.raises(InputError, match=words):
        train(digits, start=model, progress=False, **options)


def test_further_training_appends_to_the_history(digits, model):
    more = train(digits, start=model, recipe=QUICK, epochs=1, progress=False)
    assert [row.epoch for row in more.history] == [1, 2, 3, 4]
    assert more.history.rows[:3] == model.history.rows
    assert more.normalization == model.normalization
    assert more.digest != model.digest


def test_model_stores_recipe_and_digest_of_the_data(digits, model):
    assert model.recipe == QUICK
    assert model.trained_on == digits.train.digest


def test_until_stops_at_a_validation_accuracy(digits):
    result = fit(digits, SMALL, QUICK, epochs=50, until=0.3, progress=False)
    assert result.stopped == "until"
    assert result.model.history.rows[-1].val_accuracy >= 0.3
    assert all(row.val_accuracy < 0.3 for row in result.model.history.rows[:-1])


@pytest.mark.usefixtures("clock")
def test_seconds_stop_during_an_epoch_at_the_end_of_the_schedule(digits):
    result = fit(digits, SMALL, QUICK, seconds=0.5, progress=False)
    assert result.stopped == "seconds"
    assert result.seconds == pytest.approx(0.5, abs=0.1)  # checked between calls
    assert result.model.history.rows[-1].learning_rate < QUICK.learning_rate / 2


def test_callback_gets_every_epoch_and_can_stop(digits):
    seen = []

    def on_epoch(model):
        seen.append(model.history.rows[-1].epoch)
        return len(seen) == 2

    result = fit(digits, SMALL, QUICK, epochs=9, on_epoch=on_epoch, progress=False)
    assert (seen, result.stopped) == ([1, 2], "callback")


def test_ctrl_c_keeps_the_model_so_far(digits, ctrl_c):
    def on_epoch(model):
        if len(model.history) == 1:  # sends Ctrl-C during one of the following epochs
            threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()

    result = fit(digits, SMALL, QUICK, epochs=1000, on_epoch=on_epoch, progress=False)
    assert result.stopped == "interrupted"
    assert 1 <= len(result.model.history) < 1000
    assert result.model.predict(digits.test.images[:1]).shape == (1,)
    with pytest.raises(KeyboardInterrupt):  # the previous handler of Ctrl-C is restored
        signal.raise_signal(signal.SIGINT)


def test_loss_that_is_not_finite_raises_an_error(digits):
    diverging = Recipe(epochs=9, batch_size=64, learning_rate=1e6, schedule="constant")
    with pytest.raises(InksightError, match=r"loss became \S+ at step \d+ of epoch \d, learning rate 1e\+06: try"):
        fit(digits, "4x3,4x3,4x3,4x3,4x3,4x3,4x3,d4", diverging, progress=False)


def test_training_without_validation(digits):
    model = train(Splits(digits.train[:300], None, None), SMALL, QUICK, epochs=1, progress=False)
    assert math.isnan(model.history.rows[0].val_accuracy)


def test_training_does_not_use_the_test_images(digits):
    fit(Splits(digits.train[:300], digits.validation, Forbidden()), SMALL, QUICK, epochs=1, progress=False)


def test_batch_size_may_exceed_the_number_of_images(digits):
    one_per_class = np.array([np.flatnonzero(digits.train.labels == d)[0] for d in range(10)])
    result = fit(Splits(digits.train[one_per_class], None, None), SMALL, QUICK, progress=False)
    assert result.train_images == 10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, "epochs must be 1 to 100000, got 0"),
        ({"seconds": 0}, "seconds must be 0.001 to 1e9, got 0"),
        ({"until": 99}, "until must be an accuracy from 0 to 1, such as 0.99, got 99"),
        ({"network": "resnet"}, "network must be one of"),
        ({"recipe": "fast"}, "recipe must be one of"),
        (
            {"network": inksight.Network((inksight.Bank(2),), classes=3)},
            "classes of the network must be the data's 10",
        ),
    ],
)
def test_invalid_options_raise_errors(digits, options, words):
    with pytest.raises(InputError) as caught:
        fit(digits, **({"network": SMALL} | options), progress=False)
    assert words in str(caught.value)


def test_invalid_training_data_raises_errors(digits):
    train_set = digits.train
    with pytest.raises(InputError, match="label"):
        fit(Splits(replace(train_set, labels=None), None, None), SMALL, QUICK, progress=False)
    with pytest.raises(InputError, match="number of training images must be 1 or more, got 0"):
        fit(Splits(train_set[:0], None, None), SMALL, QUICK, progress=False)
    with pytest.raises(InputError, match="until needs validation images"):
        fit(Splits(train_set, None, None), SMALL, QUICK, until=0.9, progress=False)
    blank = replace(train_set, images=np.zeros_like(train_set.images))
    with pytest.raises(InputError, match="training images must be images with ink"):
        fit(Splits(blank, None, None), SMALL, QUICK, progress=False)


def test_few_images_are_trained_long_enough_by_a_named_recipe(digits):
    few = Splits(digits.train[:300], digits.validation)
    result = fit(few, SMALL, "seconds", progress=False)
    assert len(result.model.history) * math.ceil(300 / 128) >= MIN_STEPS
    assert result.model.history["val_accuracy"][-1] > 0.8  # 0.2 after the two epochs of the recipe
    assert len(fit(few, SMALL, "seconds", epochs=1, progress=False).model.history) == 1
    assert fit(few, SMALL, QUICK, progress=False).model.recipe == QUICK


def test_a_model_can_be_trained_on_some_of_the_classes(digits):
    def some(data):
        return data[np.isin(data.labels, (3, 7))]

    with pytest.warns(InputWarning, match="no training image of class 0, 1, 2, 4, 5, 6, 8, 9: the model will not"):
        result = fit(Splits(some(digits.train), some(digits.validation)), SMALL, "seconds", progress=False)
    test = some(digits.test)
    assert (result.model.predict(test.images) == test.labels).mean() > 0.97
    assert isinstance(result.model.ood_detector, MahalanobisDetector)
    assert np.isfinite(result.model.ood_detector.means).all()


def test_training_needs_two_classes(digits):
    with pytest.raises(InputError, match="two classes or more"):
        fit(Splits(digits.train.of_digit(3)), SMALL, QUICK, progress=False)
