"""The rows of each part: the same as scikit-learn's, or with the test set of the source."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.model_selection import train_test_split

from inksight.data.dataset import Dataset
from inksight.data.splits import Splits, is_grouped, split_rows
from inksight.errors import InputError

IMAGES = np.zeros((6, 28, 28), np.uint8)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 3000), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_rows_are_those_of_scikit_learn(n, test_size, seed):
    try:
        train, validation = train_test_split(np.arange(n), test_size=test_size, random_state=seed)
    except ValueError:  # scikit-learn also rejects an empty training set
        with pytest.raises(InputError, match="too few images to divide"):
            split_rows(n, 0, test_size, seed)
        return
    rows = split_rows(n, 0, test_size, seed)
    np.testing.assert_array_equal(rows[0], train)
    np.testing.assert_array_equal(rows[1], validation)
    assert rows[2] is None


def test_the_split_of_the_post_with_42000_images(mnist):
    kaggle = Dataset(mnist.images[:42_000], mnist.labels[:42_000])
    parts = kaggle.split()
    x_train, x_test, y_train, y_test = train_test_split(kaggle.images, kaggle.labels, test_size=0.2, random_state=2)
    assert parts.train.labels is not None
    assert parts.validation is not None
    assert parts.validation.labels is not None
    assert np.array_equal(parts.train.images, x_train)
    assert np.array_equal(parts.train.labels, y_train)
    assert np.array_equal(parts.validation.images, x_test)
    assert np.array_equal(parts.validation.labels, y_test)
    assert parts.test is None
    assert isinstance(parts, Splits)


@given(st.integers(1, 500), st.integers(1, 500))
def test_the_test_set_of_the_source_is_kept(rest, held_out):
    if rest == 1:
        with pytest.raises(InputError, match="too few images"):
            split_rows(rest + held_out, held_out, 0.2, 2)
        return
    rows = np.arange(rest + held_out)
    train, validation, test = (rows[part] for part in split_rows(len(rows), held_out, 0.2, 2))
    np.testing.assert_array_equal(np.concatenate([train, validation, test]), rows)
    assert len(test) == held_out
    assert len(validation) == max(rest // 6, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"validation_size": 0}, "validation_size must be above 0 and below 1, got 0"),
        ({"validation_size": 1.0}, "validation_size"),
        ({"validation_size": float("nan")}, "validation_size"),
        ({"validation_size": "0.2"}, "validation_size"),
        ({"seed": -1}, "seed must be 0 to 2\\*\\*32 - 1, got -1"),
        ({"seed": 2**32}, "seed"),
        ({"seed": 0.5}, "seed"),
    ],
)
def test_wrong_splits(arguments, words):
    with pytest.raises(InputError, match=words):
        Dataset(IMAGES).split(**arguments)


@pytest.mark.parametrize("data", [Dataset(IMAGES[:1]), Dataset(IMAGES[:0]), Dataset(IMAGES, test_count=6)])
def test_too_few_to_split(data):
    with pytest.raises(InputError, match="too few images to divide"):
        data.split()


@pytest.mark.parametrize("test_count", [0, 2])
def test_the_validation_set_of_a_source_is_taken(test_count):
    data = Dataset(IMAGES[:6], np.arange(6), test_count=test_count, validation_count=1)
    splits = data.split()
    assert splits.validation is not None
    assert splits.validation.require_labels("this").tolist() == [5 - test_count]
    assert splits.train.require_labels("this").tolist() == list(range(5 - test_count))
    assert (splits.test is not None) == (test_count > 0)
    assert data[:3].validation_count == 0
    with pytest.raises(InputError, match="validation_count must be 0 to 4, got 5"):
        Dataset(IMAGES[:6], test_count=2, validation_count=5)


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("classes", [2, 10])
def test_images_that_come_class_by_class_are_shuffled_before_they_are_divided(classes, blocks):
    """As in folders of pictures, also where several of them were joined: every part must have every class."""
    labels = np.concatenate([np.tile(np.repeat(np.arange(classes), 60), blocks), np.arange(classes)])
    names = tuple(map(str, range(classes)))
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(len(labels)), 256)
    parts = Dataset(images, labels, class_names=names, test_count=classes).split().parts
    assert all((part.counts > 0).all() for part in parts.values())
    assert len(parts["validation"]) == 10 * classes * blocks
    assert parts["test"].require_labels("this").tolist() == list(range(classes))
    numbers = np.concatenate([part.images[:, 0, :2] @ np.array([256, 1]) for part in parts.values()])
    assert sorted(numbers.tolist()) == list(range(len(labels)))


def test_mixed_labels_and_those_of_one_class_keep_their_order(mnist):
    assert not is_grouped(mnist.require_labels("this")[:60_000])
    assert not is_grouped(np.zeros(9, np.int64))
    assert not is_grouped(np.arange(10))
    assert not is_grouped(np.array([], np.int64))
    labels = np.random.default_rng(0).integers(0, 3, 300)
    assert not is_grouped(labels)
    assert is_grouped(np.sort(labels))
