"""Test images are not used for any choice: with other test images, models and choices are the same."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from trials import QUICK, RECIPE, TINY, Forbidden, InProcessWorkers

from benchmarks import accuracy
from inksight import Dataset, Splits, evaluate, prune, train
from inksight.config import BUDGETS, RECIPES, get_network, get_recipe
from inksight.experiments.search import halving, sweep
from inksight.experiments.trial import grid
from inksight.training import fine_tuning


@pytest.fixture(scope="module")
def sources(mnist) -> tuple[Dataset, Dataset]:
    """A small dataset with test images, and the same with other test images and wrong labels for them."""
    original = replace(mnist[:700], test_count=100)
    images, labels = original.images.copy(), original.labels.copy()
    images[-100:], labels[-100:] = 255 - images[-100:], (labels[-100:] + 1) % 10
    changed = replace(original, images=images, labels=labels)
    assert [len(part) for part in original.split().parts.values()] == [500, 100, 100]
    assert not np.array_equal(original.split().test.images, changed.split().test.images)
    return original, changed


def content(model):
    return model.digest, model.temperature, model.trained_on, [row.val_accuracy for row in model.history]


def test_training_and_calibration_do_not_depend_on_test_images(sources):
    one, other = (train(source, TINY, QUICK, epochs=1, progress=False) for source in sources)
    assert content(one) == content(other)
    assert one.temperature != 1


def test_training_on_all_images_does_not_depend_on_test_images(sources):
    one, other = (
        train(source.split().with_validation_to_train(), TINY, QUICK, epochs=1, progress=False) for source in sources
    )
    assert content(one) == content(other)


def test_pruning_does_not_depend_on_test_images(sources):
    one, other = (
        prune(source, TINY, QUICK, keep_accuracy=None, epochs=1, steps=1, images=100, progress=False)
        for source in sources
    )
    assert content(one.model) == content(other.model)
    assert [step.accuracy for step in one.steps] == [step.accuracy for step in other.steps]


def test_fine_tuning_does_not_depend_on_test_images(sources, mnist, monkeypatch):
    monkeypatch.setattr(fine_tuning, "MAX_ACCURACY_LOSS", 1.0)
    start = train(sources[0], TINY, QUICK, epochs=1, progress=False)
    one, other = (fine_tuning.teach(mnist[900:930], start, source, progress=False) for source in sources)
    assert content(one.model) == content(other.model)
    assert (one.validation_before, one.validation_after) == (other.validation_before, other.validation_after)
    assert one.interpolation == other.interpolation


@pytest.mark.parametrize("search", [sweep, partial(halving, factor=2)], ids=["sweep", "halving"])
def test_search_does_not_depend_on_test_images(search, sources, tmp_path, monkeypatch):
    monkeypatch.setattr("inksight.experiments.trial_training.start_workers", InProcessWorkers)
    trials = grid([TINY], replace(RECIPE, epochs=2), {"learning_rate": [1e-2, 2e-2]}, seeds=(0,))
    one, other = (
        search(source, trials, tmp_path / name, progress=False) for source, name in zip(sources, "ab", strict=True)
    )
    assert [r.history["val_accuracy"].tolist() for r in one.results] == [
        r.history["val_accuracy"].tolist() for r in other.results
    ]


def test_accuracy_benchmark_evaluates_on_test_images_once_per_seed(sources, tmp_path, monkeypatch, capsys):
    splits = sources[0].split()
    monkeypatch.setattr(accuracy, "RESULTS", tmp_path / "accuracy.jsonl")
    monkeypatch.setattr(accuracy, "REJECTED", {3: (8, 0)})
    monkeypatch.setitem(RECIPES, "quick", replace(QUICK, epochs=1))
    row = accuracy.Row("toy", TINY, "quick", 600, 0.5)
    unseen = Splits(splits.train, splits.validation, Forbidden())
    accuracy.validated(row, unseen)
    first = accuracy.trained(row, unseen, 0, temperature=1.5)
    assert (first.model.temperature, first.train_images) == (1.5, 600)
    test, read = splits.test, []

    def recorded_evaluate(model, data, **options):
        read.append(data)
        return evaluate(model, data, **options)

    monkeypatch.setattr(accuracy, "evaluate", recorded_evaluate)
    found = accuracy.measure(row, splits, 2, "a machine")
    assert read == [test, test]
    assert [result["seed"] for result in found] == [None, 0, 1]
    assert found[1]["test_accuracy"] == float((first.model.predict(test.images) == test.labels).mean())
    rest = np.delete(np.arange(100), 3)
    assert found[1]["without_rejected"] == float((first.model.predict(test.images) == test.labels)[rest].mean())
    assert accuracy.measure(row, splits, 2, "a machine") == found  # kept, not trained again
    assert read == [test, test]
    accuracy.forget({"another"})
    assert len(accuracy.known(row)) == 3
    accuracy.forget({"toy"})
    assert accuracy.known(row) == []
    assert accuracy.protocol(found)["mean"] == pytest.approx(np.mean([x["test_accuracy"] for x in found[1:]]))


def test_networks_and_recipes_of_all_budgets_exist():
    for network, recipe in BUDGETS.values():
        assert get_network(network)
        assert get_recipe(recipe)
