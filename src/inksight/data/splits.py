"""`Splits`: the images for training, for validation and for the test; and the rows that each part has."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, is_between, is_count
from inksight.data.dataset import Dataset, join
from inksight.errors import InputError

Rows = slice | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Splits:
    """The parts of a `Dataset`.

    `train` is to fit the weights, `validation` to choose by as often as wanted, `test` to judge with once at
    the end; a part that is None is missing.
    """

    train: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None

    @property
    def parts(self) -> dict[str, Dataset]:
        """The parts there are, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def evaluation_set(self) -> Dataset:
        """The images to judge with: the test set or, without one, those for validation, or else all there are."""
        return list(self.parts.values())[-1]

    def seen_by(self, trained_on: str) -> tuple[str, ...]:
        """Return the names of the parts that a model was trained on, by the digest it keeps (`Model.trained_on`).

        Empty if it was trained on other images, or on some of these only.

        Examples
        --------
        >>> splits = Dataset(np.zeros((10, 28, 28), np.uint8), np.arange(10)).split()
        >>> splits.seen_by(splits.with_validation_to_train().train.digest)
        ('train', 'validation')
        """
        if trained_on == self.train.digest:
            return ("train",)
        return ("train", "validation") if trained_on == self.with_validation_to_train().train.digest else ()

    def with_validation_to_train(self) -> "Splits":
        """Return the same images with those for validation moved over to training, after the others."""
        if self.validation is None:
            return self
        return Splits(join(self.train, self.validation), None, self.test)


def split_rows(n: int, test_count: int, test_size: float, seed: int) -> tuple[Rows, Rows, Rows | None]:
    """Return the rows for training, for validation and, if the source has its own test set, for the test.

    Parameters
    ----------
    n : int
        Number of images.
    test_count : int
        How many of the last are the source's own test set. With one, the last sixth of the rest is for
        validation; without, `test_size` and `seed` choose as scikit-learn's ``train_test_split`` does.
    test_size : float
        Share for validation, above 0 and below 1; rounded up to a whole image.
    seed : int
        Of the shuffle, 0 to 2**32 - 1: scikit-learn's ``random_state``.

    Raises
    ------
    InputError
        If a value is out of range or there are too few images to divide.

    Examples
    --------
    >>> split_rows(70_000, 10_000, 0.2, 2)
    (slice(0, 50000, None), slice(50000, 60000, None), slice(60000, 70000, None))
    >>> train, validation, test = split_rows(10, 0, 0.2, 2)
    >>> train, validation
    (array([5, 0, 7, 2, 3, 6, 9, 8]), array([4, 1]))
    """
    check(is_between(test_size, 0, 1) and 0 < test_size < 1, "test_size", test_size, "above 0 and below 1")
    check(is_count(seed, 0) and seed < 2**32, "seed", seed, "0 to 2**32 - 1")
    rest = n - test_count
    chosen = max(rest // 6, 1) if test_count else math.ceil(rest * test_size)
    train = rest - chosen
    if train < 1:
        raise InputError(f"too few images to divide, {rest}: training and validation need at least one each")
    if test_count:
        return slice(0, train), slice(train, rest), slice(rest, n)
    # The old generator, because scikit-learn's rows come from it.
    order = np.random.RandomState(seed).permutation(n)
    return order[chosen:], order[:chosen], None
