import numpy as np
import pytest

from inksight.augment import draw_lattices
from inksight.batches import Batches
from inksight.config import Augmentation, Recipe


@pytest.mark.parametrize(("images", "batch"), [(10, 4), (8, 4), (3, 64), (1, 1)])
def test_every_image_comes_once_a_pass(images, batch):
    batches = Batches(images, Recipe(epochs=2, passes=3, batch=batch), seed=5, first_epoch=1)
    seen = list(batches.of_epoch(0))
    assert [int(n) for n in dict.fromkeys(int(b.number) for b in seen)] == [3, 4, 5]
    for number in (3, 4, 5):
        rows = np.concatenate([b.rows[b.weight > 0] for b in seen if b.number == number])
        assert sorted(rows) == list(range(images))
    assert 2 * len(seen) == batches.steps
    orders = [np.concatenate([b.rows for b in seen if b.number == number]).tolist() for number in (3, 4, 5)]
    assert images < 4 or len({tuple(order) for order in orders}) > 1


def test_every_image_is_moved_by_its_own_lattice():
    recipe = Recipe(epochs=1, batch=4, augmentation=Augmentation(rotation=30, shift=2))
    for batch in Batches(10, recipe, seed=5, first_epoch=2).of_epoch(0):
        every = draw_lattices(5, 2, 10, recipe.augmentation)
        np.testing.assert_array_equal(batch.lattice, every[batch.rows])
