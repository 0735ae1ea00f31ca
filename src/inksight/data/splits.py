"""`Splits`: training, validation and test set; and the rows of each."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, is_between, is_count
from inksight.data.dataset import Dataset, join
from inksight.errors import InputError

Rows = slice | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Splits(Display):
    """The parts of a `Dataset`. Their plot shows how many images of each class every part has.

    Weights are fitted on `train`, choices are made on `validation`, and `test` is evaluated once at the end. A part
    may be None.
    """

    train: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None

    @property
    def parts(self) -> dict[str, Dataset]:
        """The parts that are not None, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def evaluation_set(self) -> Dataset:
        """The test set if there is one, else the validation set, else the training set."""
        return list(self.parts.values())[-1]

    def seen_by(self, trained_on: str) -> tuple[str, ...]:
        """Return the names of the parts that a model was trained on, given the digest in `Model.trained_on`.

        The result is empty if the model was trained on other images or on a part of these only.

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
        """Return splits with the validation set appended to the training set."""
        if self.validation is None:
            return self
        return Splits(join(self.train, self.validation), None, self.test)


def split_rows(
    n: int, test_count: int, validation_size: float, seed: int, validation_count: int = 0, grouped: bool = False
) -> tuple[Rows, Rows, Rows | None]:
    """Return the rows of the training set, the validation set and, if the source has one, the test set.

    Parameters
    ----------
    n : int
        Number of images.
    test_count : int
        Number of images, at the end, that are the test set of the source. If it is above 0, a sixth of the others is
        the validation set: the last ones, or any if they are `grouped`. If it is 0, `validation_size` and `seed`
        select the validation set as scikit-learn's ``train_test_split`` does.
    validation_size : float
        Share of the validation set, above 0 and below 1; the number of images is rounded up.
    seed : int
        Seed of the shuffle, 0 to 2**32 - 1; ``random_state`` in scikit-learn.
    validation_count : int
        Number of images, before those of the test set, that are the validation set of the source.
    grouped : bool
        Whether the images come class by class, as they do from a folder; see `is_grouped`.

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
    check(
        is_between(validation_size, 0, 1) and 0 < validation_size < 1,
        "validation_size",
        validation_size,
        "above 0 and below 1",
    )
    check(is_count(seed, 0) and seed < 2**32, "seed", seed, "0 to 2**32 - 1")
    test_start = n - test_count
    keeps_order = validation_count > 0 or (test_count > 0 and not grouped)
    if not validation_count:
        validation_count = max(test_start // 6, 1) if test_count else math.ceil(test_start * validation_size)
    train_count = test_start - validation_count
    if train_count < 1:
        raise InputError(
            f"too few images to divide, {test_start}: training and validation need at least one each, give more images"
        )
    test = slice(test_start, n) if test_count else None
    if keeps_order:
        return slice(0, train_count), slice(train_count, test_start), test
    # scikit-learn uses the legacy generator.
    order = np.random.RandomState(seed).permutation(test_start)
    return order[validation_count:], order[:validation_count], test


def is_grouped(labels: NDArray[np.int64]) -> bool:
    """Return whether labels come class by class: fewer than half as many change as in a random order.

    The end of such labels does not hold every class.

    Examples
    --------
    >>> is_grouped(np.array([0, 0, 0, 1, 1, 1])), is_grouped(np.array([0, 1, 1, 0, 0, 1]))
    (True, False)
    """
    counts = np.bincount(labels)
    expected = len(labels) - np.square(counts).sum() / max(len(labels), 1)
    return bool(np.count_nonzero(np.diff(labels)) < expected / 2)
