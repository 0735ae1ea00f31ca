"""Batches: order, augmentation and its taper."""

import numpy as np
import pytest

from inksight.augmentation.geometric import draw_lattices
from inksight.config import Augmentation, Recipe
from inksight.training.batches import Batches


@pytest.mark.parametrize(("images", "batch"), [(10, 4), (8, 4), (3, 64), (1, 1)])
def test_every_image_occurs_once_per_pass(images, batch):
    batches = Batches(images, Recipe(epochs=2, passes=3, batch_size=batch), seed=5, first_epoch=1)
    seen = list(batches.of_epoch(0))
    assert list(dict.fromkeys(b.pass_number for b in seen)) == [3, 4, 5]
    for number in (3, 4, 5):
        rows = np.concatenate([b.rows[b.weight > 0] for b in seen if b.pass_number == number])
        assert sorted(rows) == list(range(images))
    assert 2 * len(seen) == batches.steps
    orders = [np.concatenate([b.rows for b in seen if b.pass_number == number]).tolist() for number in (3, 4, 5)]
    assert images < 4 or len({tuple(order) for order in orders}) > 1


def test_every_image_has_its_own_lattice():
    recipe = Recipe(epochs=1, batch_size=4, augmentation=Augmentation(rotation=30, shift=2))
    for batch in Batches(10, recipe, seed=5, first_epoch=2).of_epoch(0):
        lattices = draw_lattices(5, 2, 10, recipe.augmentation)
        np.testing.assert_array_equal(batch.lattice, lattices[batch.rows])


def test_augmentation_tapers_linearly():
    recipe = Recipe(epochs=4, batch_size=10, augmentation=Augmentation(rotation=30, shift=2, elastic=1), taper=0.5)
    batches = Batches(10, recipe, seed=5, first_epoch=1)

    def strength(epoch, done=0.0):
        batch = next(batches.of_epoch(epoch, done))
        for share in np.linspace(0, 1, 9):
            lattices = draw_lattices(5, 1 + epoch, 10, recipe.augmentation.scaled(float(share)))
            if np.allclose(batch.lattice, lattices[batch.rows], atol=1e-6):
                return share
        return None

    assert [strength(epoch) for epoch in range(4)] == [1, 0.875, 0.75, 0.625]
    assert strength(0, done=0.5) == 0.75  # where a time limit, not the epochs, ends the training
