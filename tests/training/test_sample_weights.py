"""Sample weights: which image each belongs to, what they change, and which are refused."""

from dataclasses import replace

import numpy as np
import pytest
from trials import QUICK, TINY

from inksight import Dataset, InputError, Recipe, Splits
from inksight.data.loading import write_csv
from inksight.training.batches import Batches
from inksight.training.fitting import fit
from inksight.training.sample_weights import weighted_splits


def numbered(n, **options):
    """A dataset whose images hold their number."""
    return Dataset(np.arange(n, dtype=np.uint8)[:, None, None].repeat(28, 1).repeat(28, 2), np.arange(n) % 2, **options)


@pytest.mark.parametrize("options", [{}, {"test_count": 5}, {"test_count": 5, "validation_count": 4}])
def test_each_weight_stays_with_its_image(options, tmp_path):
    data = numbered(30, **options)
    given = np.arange(30.0)
    for source in (data, data.split()):
        train = data.split().train.images[:, 0, 0]
        splits, weights = weighted_splits(source, given if source is data else train)
        assert weights is not None
        images = splits.train.images[:, 0, 0]
        np.testing.assert_array_equal(images, train[train > 0])  # the image 0 has the weight 0
        np.testing.assert_allclose(weights, images / images.mean(), rtol=1e-6)
        assert weights.dtype == np.float32
        assert splits.validation is not None
        np.testing.assert_array_equal(splits.validation.images, data.split().validation.images)
    if not options:  # a CSV file has no parts
        write_csv(data, tmp_path / "data.csv")
        _, from_file = weighted_splits(tmp_path / "data.csv", given)
        np.testing.assert_array_equal(from_file, weighted_splits(data, given)[1])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1, 2], "shape of sample_weight must be (3,), one for each image; with Splits, for each training image, got"),
        ([[1], [1], [1]], "shape of sample_weight must be (3,)"),
        (1, "shape of sample_weight must be (3,)"),
        (["a", "b", "c"], "sample_weight must be numbers of 0 or more, one for each of 3 images"),
        (["1", "2", "3"], "sample_weight must be numbers of 0 or more"),
        (np.ones(3, complex), "sample_weight must be numbers of 0 or more"),
        (np.ones(3, "timedelta64[s]"), "sample_weight must be numbers of 0 or more"),
        ([[1], [2, 3], 4], "sample_weight must be numbers of 0 or more"),
        ([1, -2, 3], "sample_weight must be finite numbers of 0 or more, got -2 for image 1: correct it, or give 0"),
        ([1, 2, np.nan], "got nan for image 2"),
        ([1, np.inf, 1], "got inf for image 1"),
        ([0, 0, 0], "sample_weight must not be zero for all training images: leave it out"),
    ],
)
def test_wrong_weights_are_refused(weights, words):
    with pytest.raises(InputError) as caught:
        weighted_splits(Splits(numbered(3)), weights)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_extreme_weights_stay_finite(scale):
    splits, weights = weighted_splits(Splits(numbered(4)), np.array([scale, scale, scale * 1e-5, scale * 1e-20]))
    assert weights is not None
    assert splits.train.images[:, 0, 0].tolist() == [0, 1, 2]  # the last weight would be 0 beside the others
    np.testing.assert_allclose(weights, np.array([1, 1, 1e-5]) / (2 + 1e-5) * 3, rtol=1e-6)


def test_batches_carry_the_weights_of_their_images():
    weights = np.linspace(0.5, 1.5, 5, dtype=np.float32)
    for batch in Batches(5, Recipe(epochs=1, batch_size=3), 0, 0, weights).of_epoch(0):
        used = batch.weight > 0
        np.testing.assert_array_equal(batch.weight[used], weights[batch.rows[used]])
        assert used.sum() in (2, 3)


def test_equal_weights_change_nothing_and_zero_leaves_images_out(few):
    recipe = replace(QUICK, epochs=1)

    def digest(splits, weights=None):
        return fit(splits, TINY, recipe, sample_weight=weights, progress=False).model.digest

    count = len(few.train)
    plain = digest(few)
    assert digest(few, np.full(count, 3)) == plain
    weights = np.random.default_rng(0).integers(0, 3, count)
    weighted = digest(few, weights)
    assert weighted != plain
    assert digest(replace(few, train=few.train[weights > 0]), weights[weights > 0] / 7) == weighted
