"""How much accuracy changes of the images cost."""

import json
from dataclasses import replace

import numpy as np
import pytest

from inksight import Dataset, InputError, Model, Splits
from inksight.augmentation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from inksight.imaging.preprocessing import prepare
from inksight.inspection.corruption_robustness import robustness


@pytest.fixture(scope="module")
def found(model, digits):
    return robustness(model, digits.validation, images=100, prepare=True, progress=False)


def test_a_change_costs_what_the_model_reads_wrong_after_it(found, model, digits):
    rows = np.random.default_rng(0).permutation(500)[:100]
    images, labels = digits.validation.images[rows], digits.validation.labels[rows]
    assert found.images == 100
    assert found.clean_accuracy == (model.predict(images) == labels).mean()
    for i, name in enumerate(CORRUPTIONS):
        changed = corrupt(images, name, 2)
        assert found.accuracies[i, 1] == (model.predict(changed) == labels).mean()
    prepared = np.stack([prepare(image).image for image in changed])
    assert found.prepared_accuracies[-1, 1] == (model.predict(prepared) == labels).mean()


def test_harder_costs_more_and_preparation_rescues_what_it_can(found):
    assert found.accuracies.shape == (11, 5)
    means = found.accuracies.mean(axis=0)
    assert found.clean_accuracy > means[0] > means[2] > means[4] > 0.2
    names = list(CORRUPTIONS)
    for name in ("contrast", "shift"):
        row = names.index(name)
        assert found.prepared_accuracies[row].min() > found.prepared_clean_accuracy - 0.1
        assert found.prepared_accuracies[row, 4] > found.accuracies[row, 4] + 0.2
    assert found.prepared_mean > found.mean
    assert found.accuracies[names.index(found.worst)].mean() == found.accuracies.mean(axis=1).min()


def test_the_example_is_one_image_throughout(found, digits):
    (row,) = np.flatnonzero((digits.validation.images == found.example).all(axis=(1, 2)))
    assert found.examples.shape == (11, SEVERITIES, 28, 28)
    blurred = corrupt(digits.validation.images[row], "blur", 3)[0]
    np.testing.assert_array_equal(found.examples[list(CORRUPTIONS).index("blur"), 2], blurred)


def test_the_same_seed_gives_the_same(model, digits):
    one, other, third = (
        robustness(model, digits.validation, images=60, seed=seed, progress=False) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.accuracies, other.accuracies)
    np.testing.assert_array_equal(one.examples, other.examples)
    assert (one.accuracies != third.accuracies).any()


def test_a_network_that_always_says_the_same_is_right_by_chance(model, digits):
    bias = np.zeros(10, np.float32)
    bias[7] = 1e3
    constant = replace(model, params=model.params | {"output.bias": bias})
    assert isinstance(constant, Model)
    ten = Dataset(digits.validation.images[:100], np.arange(100) % 10)
    found = robustness(constant, ten, progress=False)
    assert found.clean_accuracy == 0.1
    np.testing.assert_allclose(found.accuracies, 0.1)


def test_nothing_on_the_image_is_wrong_whatever_the_network_says(model):
    bias = np.zeros(10, np.float32)
    bias[7] = 1e3
    constant = replace(model, params=model.params | {"output.bias": bias})
    blank = Dataset(np.zeros((5, 28, 28), np.uint8), np.full(5, 7))
    found = robustness(constant, blank, prepare=True, progress=False)
    assert (found.clean_accuracy, found.prepared_clean_accuracy) == (0, 0)
    assert found.accuracies[list(CORRUPTIONS).index("rotation")].max() == 0
    assert found.accuracies[list(CORRUPTIONS).index("noise")].min() == 1


def test_text_and_json(found, model, digits):
    text = str(found)
    assert f"{found.clean_accuracy:.2%} of 100 images right as they are" in text
    assert text.count("lined paper") >= 2  # as they are, and prepared
    assert all(name in text for name in CORRUPTIONS)
    back = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert back["changes"]["blur"]["accuracy"] == found.accuracies[list(CORRUPTIONS).index("blur")].tolist()
    assert back["changes"]["blur"]["prepared_accuracy"][0] > 0.5
    alone = robustness(model, digits.validation, images=20, progress=False)
    assert alone.to_dict()["changes"]["blur"]["prepared_accuracy"] is None
    assert (alone.prepared_accuracies, alone.prepared_mean) == (None, None)
    assert "prepared" not in str(alone)


def test_bad_data_is_named(model, digits):
    with pytest.raises(InputError, match="a robustness test needs at least one image"):
        robustness(model, digits.validation[:0])
    with pytest.raises(InputError, match="a robustness test needs labels"):
        robustness(model, replace(digits.validation, labels=None))
    with pytest.raises(InputError, match="classes of the data"):
        robustness(model, replace(digits.validation, class_names=tuple("abcdefghij")))
    with pytest.raises(InputError, match="images must be 1 or more, got 0"):
        robustness(model, digits.validation, images=0)


def test_a_model_knows_what_it_was_trained_on(model, digits):
    alone = Splits(digits.train, digits.validation, None)
    assert alone.seen_by(model.trained_on) == ("train",)
    assert alone.seen_by(alone.with_validation_to_train().train.digest) == ("train", "validation")
    assert Splits(digits.validation, digits.train).seen_by(model.trained_on) == ()
