"""Which images are for training, for validation and for the test: row numbers only, no pixels."""

import math

import numpy as np
from numpy.typing import NDArray

from inksight.config import check, is_between, is_count
from inksight.errors import InputError

Rows = slice | NDArray[np.int64]


def divide(n: int, held_out: int, test_size: float, seed: int) -> tuple[Rows, Rows, Rows | None]:
    """Return the rows for training, for validation and, if the source has its own test set, for the test.

    Parameters
    ----------
    n : int
        Number of images.
    held_out : int
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
    >>> divide(70_000, 10_000, 0.2, 2)
    (slice(0, 50000, None), slice(50000, 60000, None), slice(60000, 70000, None))
    >>> train, validation, test = divide(10, 0, 0.2, 2)
    >>> train, validation
    (array([5, 0, 7, 2, 3, 6, 9, 8]), array([4, 1]))
    """
    check(is_between(test_size, 0, 1) and 0 < test_size < 1, "test_size", test_size, "above 0 and below 1")
    check(is_count(seed, 0) and seed < 2**32, "seed", seed, "0 to 2**32 - 1")
    rest = n - held_out
    chosen = max(rest // 6, 1) if held_out else math.ceil(rest * test_size)
    train = rest - chosen
    if train < 1:
        raise InputError(f"too few images to divide, {rest}: training and validation need at least one each")
    if held_out:
        return slice(0, train), slice(train, rest), slice(rest, n)
    # The old generator, because scikit-learn's rows come from it.
    order = np.random.RandomState(seed).permutation(n)
    return order[chosen:], order[:chosen], None
