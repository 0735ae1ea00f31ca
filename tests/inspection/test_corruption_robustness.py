"""Accuracy on corrupted images."""

import json
from dataclasses import replace

import numpy as np
import pytest

from inksight import Dataset, InputError, Model, Splits
from inksight.augmentation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from inksight.imaging.preprocessing import prepare
from inksight.inspection.corruption_robustness import robustness


@pytest.fixture(scope="module")
def result(model, digits):
    return robustness(model, digits.validation, images=100, prepare=True, progress=False)


def test_accuracies_are_those_of_the_predictions_on_corrupted_images(result, model, digits):
    rows = np.random.default_rng(0).permutation(500)[:100]
    images, labels = digits.validation.images[rows], digits.validation.labels[rows]
    assert result.images == 100
    assert result.clean_accuracy == (model.predict(images) == labels).mean()
    for i, name in enumerate(CORRUPTIONS):
        changed = corrupt(images, name, 2)
        assert result.accuracies[i, 1] == (model.predict(changed) == labels).mean()
    prepared = np.stack([prepare(image).image for image in changed])
    assert result.prepared_accuracies[-1, 1] == (model.predict(prepared) == labels).mean()


def test_accuracy_falls_with_severity_and_preprocessing_restores_some(result):
    assert result.accuracies.shape == (11, 5)
    means = result.accuracies.mean(axis=0)
    assert result.clean_accuracy > means[0] > means[2] > means[4] > 0.2
    names = list(CORRUPTIONS)
    for name in ("contrast", "shift"):
        row = names.index(name)
        assert result.prepared_accuracies[row].min() > result.prepared_clean_accuracy - 0.1
        assert result.prepared_accuracies[row, 4] > result.accuracies[row, 4] + 0.2
    assert result.prepared_mean > result.mean
    assert result.accuracies[names.index(result.worst)].mean() == result.accuracies.mean(axis=1).min()


def test_the_examples_are_one_image(result, digits):
    (row,) = np.flatnonzero((digits.validation.images == result.example).all(axis=(1, 2)))
    assert result.examples.shape == (11, SEVERITIES, 28, 28)
    blurred = corrupt(digits.validation.images[row], "blur", 3)[0]
    np.testing.assert_array_equal(result.examples[list(CORRUPTIONS).index("blur"), 2], blurred)


def test_a_seed_reproduces_the_result(model, digits):
    first, same, other = (
        robustness(model, digits.validation, images=60, seed=seed, progress=False) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.accuracies, same.accuracies)
    np.testing.assert_array_equal(first.examples, same.examples)
    assert (first.accuracies != other.accuracies).any()


def test_a_constant_model_has_chance_accuracy(model, digits):
    bias = np.zeros(10, np.float32)
    bias[7] = 1e3
    constant = replace(model, params=model.params | {"output.bias": bias})
    assert isinstance(constant, Model)
    ten = Dataset(digits.validation.images[:100], np.arange(100) % 10)
    result = robustness(constant, ten, progress=False)
    assert result.clean_accuracy == 0.1
    np.testing.assert_allclose(result.accuracies, 0.1)


def test_an_image_without_ink_counts_as_wrong(model):
    bias = np.zeros(10, np.float32)
    bias[7] = 1e3
    constant = replace(model, params=model.params | {"output.bias": bias})
    blank = Dataset(np.zeros((5, 28, 28), np.uint8), np.full(5, 7))
    result = robustness(constant, blank, prepare=True, progress=False)
    assert (result.clean_accuracy, result.prepared_clean_accuracy) == (0, 0)
    assert result.accuracies[list(CORRUPTIONS).index("rotation")].max() == 0
    assert result.accuracies[list(CORRUPTIONS).index("noise")].min() == 1


def test_text_and_json(result, model, digits):
    text = str(result)
    assert f"{result.clean_accuracy:.2%} of 100 clean images right" in text
    assert text.count("lined paper") >= 2  # in the table of the corrupted images, and in that of the preprocessed ones
    assert all(name in text for name in CORRUPTIONS)
    parsed = json.loads(json.dumps(result.to_dict(), allow_nan=False))["corruptions"]["blur"]
    assert parsed["accuracy"] == result.accuracies[list(CORRUPTIONS).index("blur")].tolist()
    assert parsed["prepared_accuracy"][0] > 0.5
    without = robustness(model, digits.validation, images=20, progress=False)
    assert without.to_dict()["corruptions"]["blur"]["prepared_accuracy"] is None
    assert (without.prepared_accuracies, without.prepared_mean) == (None, None)
    assert "preprocessed" not in str(without)


def test_bad_data_is_an_error(model, digits):
    with pytest.raises(InputError, match="a robustness test needs at least one image"):
        robustness(model, digits.validation[:0])
    with pytest.raises(InputError, match="a robustness test needs labels"):
        robustness(model, replace(digits.validation, labels=None))
    with pytest.raises(InputError, match="classes of the data"):
        robustness(model, replace(digits.validation, class_names=tuple("abcdefghij")))
    with pytest.raises(InputError, match="images must be 1 or more, got 0"):
        robustness(model, digits.validation, images=0)


def test_splits_know_which_parts_a_model_was_trained_on(model, digits):
    splits = Splits(digits.train, digits.validation, None)
    assert splits.seen_by(model.trained_on) == ("train",)
    assert splits.seen_by(splits.with_validation_to_train().train.digest) == ("train", "validation")
    assert Splits(digits.validation, digits.train).seen_by(model.trained_on) == ()
