import numpy as np
import pytest
from reference import IDENTITY_LATTICE

from inksight.augmentation.geometric import KNOTS, draw_lattices
from inksight.config import Augmentation

ALL = Augmentation(rotation=30, shift=3, scale=0.2, shear=0.5, elastic=1)


def draw(index, pass_number=0, seed=0, augmentation=ALL):
    return draw_lattices(seed, pass_number, max(index) + 1, augmentation)[index]


def fit_affine_maps(lattices):
    """Return the affine maps (n, 2, 3) that lattices sample."""
    knots = np.concatenate([IDENTITY_LATTICE.reshape(2, -1), np.ones((1, KNOTS**2))]).T
    return np.stack([np.linalg.lstsq(knots, lattice.reshape(2, -1).T)[0].T for lattice in lattices])


def test_lattice_depends_on_seed_pass_and_image_alone():
    together, alone = draw([5, 9, 2]), draw([9])
    np.testing.assert_array_equal(together[1], alone[0])
    assert not np.allclose(alone, draw([9], pass_number=1))
    assert not np.allclose(alone, draw([9], seed=1))
    assert not np.allclose(together[0], together[1])


def test_no_augmentation_gives_the_identity():
    identity = np.stack([IDENTITY_LATTICE, IDENTITY_LATTICE])
    np.testing.assert_allclose(draw([0, 1], augmentation=Augmentation()), identity, atol=1e-6)


def test_elastic_moves_every_knot_independently():
    moves = draw(np.arange(500), augmentation=Augmentation(elastic=2)) - IDENTITY_LATTICE
    assert 1.99 < np.abs(moves).max() <= 2 * (1 + 1e-5)
    correlations = np.corrcoef(moves.reshape(500, -1).T) - np.eye(2 * KNOTS**2)
    assert np.abs(correlations).max() < 0.25  # 0.045 is their standard deviation


@pytest.mark.parametrize(
    ("augmentation", "amount", "limit"),
    [
        (Augmentation(rotation=30), lambda a: np.degrees(np.arctan2(a[:, 0, 1], a[:, 0, 0])), 30),
        (Augmentation(shift=3), lambda a: a[:, 0, 2], 3),
        (Augmentation(shift=3), lambda a: a[:, 1, 2], 3),
        (Augmentation(scale=0.2), lambda a: 1 / a[:, 0, 0] - 1, 0.2),
        (Augmentation(shear=0.5), lambda a: a[:, 1, 0], 0.5),
    ],
)
def test_amounts_are_uniform_from_minus_to_plus_the_limit(augmentation, amount, limit):
    amounts = amount(fit_affine_maps(draw(np.arange(4000), augmentation=augmentation)))
    assert np.abs(amounts).max() <= limit * (1 + 1e-5)
    quarters, _ = np.histogram(amounts, bins=4, range=(-limit * 1.001, limit * 1.001))
    assert quarters.min() > 900  # 1,000 expected, standard deviation 27
