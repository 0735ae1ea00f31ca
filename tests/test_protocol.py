"""No test image is used for any choice: whatever they are, the models, temperatures and choices are the same."""

from dataclasses import replace

import numpy as np
import pytest
from trials import QUICK, RECIPE, TINY, Forbidden

from benchmarks import accuracy
from inksight import Dataset, Splits, evaluate, prune, train
from inksight.config import BUDGETS, RECIPES
from inksight.experiments.search import halving, sweep
from inksight.experiments.trial import grid
from inksight.training import fine_tuning as teaching


@pytest.fixture(scope="module")
def sources(mnist) -> tuple[Dataset, Dataset]:
    """A small source with a test set of its own, and the same with other test images, under wrong labels."""
    one = replace(mnist[:700], test_count=100)
    images, labels = one.images.copy(), one.labels.copy()
    images[-100:], labels[-100:] = 255 - images[-100:], (labels[-100:] + 1) % 10
    other = replace(one, images=images, labels=labels)
    assert [len(part) for part in (*one.split().parts.values(),)] == [500, 100, 100]
    assert not np.array_equal(one.split().test.images, other.split().test.images)
    return one, other


def content(model):
    return model.digest, model.temperature, model.trained_on, [row.val_accuracy for row in model.history]


def test_training_and_calibration_are_the_same_whatever_the_test_images(sources):
    one, other = (train(source, TINY, QUICK, epochs=1, progress=False) for source in sources)
    assert content(one) == content(other)
    assert one.temperature != 1


def test_a_training_on_everything_is_without_test_images(sources):
    one, other = (
        train(source.split().with_validation_to_train(), TINY, QUICK, epochs=1, progress=False) for source in sources
    )
    assert content(one) == content(other)


def test_pruning_is_the_same_whatever_the_test_images(sources):
    one, other = (
        prune(source, TINY, QUICK, keep_accuracy=None, epochs=1, steps=1, images=100, progress=False)
        for source in sources
    )
    assert content(one.model) == content(other.model)
    assert [step.accuracy for step in one.steps] == [step.accuracy for step in other.steps]


def test_teaching_is_the_same_whatever_the_test_images(sources, mnist, monkeypatch):
    monkeypatch.setattr(teaching, "MOST_LOST", 1.0)
    start = train(sources[0], TINY, QUICK, epochs=1, progress=False)
    one, other = (teaching.teach(mnist[900:930], start, source, progress=False) for source in sources)
    assert content(one.model) == content(other.model)
    assert (one.before, one.after, one.share) == (other.before, other.after, other.share)


@pytest.mark.parametrize("search", [sweep, halving])
def test_a_sweep_is_the_same_whatever_the_test_images(search, sources, tmp_path):
    trials = grid([TINY], RECIPE, {"learning_rate": [1e-2, 2e-2]}, seeds=(0,))
    one, other = (
        search(source, trials, tmp_path / name, progress=False) for source, name in zip(sources, "ab", strict=True)
    )
    assert [r.history["val_accuracy"].tolist() for r in one.results] == [
        r.history["val_accuracy"].tolist() for r in other.results
    ]


def test_the_benchmark_of_accuracy_reads_test_images_once_a_seed(sources, tmp_path, monkeypatch, capsys):
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
    monkeypatch.setattr(
        accuracy, "evaluate", lambda model, data, **rest: read.append(data) or evaluate(model, data, **rest)
    )
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


def test_every_budget_names_what_exists():
    for network, recipe in BUDGETS.values():
        assert accuracy.get_network(network)
        assert accuracy.get_recipe(recipe)
