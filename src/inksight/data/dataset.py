"""`Dataset`: checked images and labels."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, is_count
from inksight.config import DIGITS, IMAGE_SIZE
from inksight.errors import InputError

if TYPE_CHECKING:
    from inksight.data.splits import Splits


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Display):
    """Images of handwritten digits with, mostly, their labels; the arrays are read-only.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, 28, 28)
        High = ink.
    labels : ndarray of integers, shape (n,), optional
        Class of each image, 0 to ``len(class_names) - 1``; kept as int64. None if unlabelled.
    name : str
        Where the images came from, for titles and messages.
    class_names : tuple of str
        Name of each class.
    test_count : int
        How many of the last images are the source's own test set.

    Raises
    ------
    InputError
        If an array's type, shape or length is another, or a label is outside the classes.

    Examples
    --------
    >>> data = Dataset(np.zeros((3, 28, 28), np.uint8), np.array([7, 1, 7]), name="three")
    >>> data
    Dataset('three', 3 images, 10 classes)
    >>> len(data.of_digit(7)), data[1:].labels
    (2, array([1, 7]))
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None = None
    name: str = "digits"
    class_names: tuple[str, ...] = DIGITS
    test_count: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", tuple(self.class_names))
        classes = len(self.class_names)
        texts = all(isinstance(name, str) for name in self.class_names)
        check(texts and 1 <= classes <= 1000, "class_names", self.class_names, "1 to 1000 texts")
        images, labels = self.images, self.labels
        if not (
            isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.shape[1:] == (IMAGE_SIZE, IMAGE_SIZE)
        ):
            raise InputError(f"images must be uint8 of shape (n, {IMAGE_SIZE}, {IMAGE_SIZE}), got {_describe(images)}")
        object.__setattr__(self, "images", _read_only(images))
        check(
            is_count(self.test_count, 0) and self.test_count <= len(images),
            "test_count", self.test_count, f"0 to {len(images)}",
        )  # fmt: skip
        if labels is None:
            return
        if not (isinstance(labels, np.ndarray) and labels.dtype.kind in "iu" and labels.ndim == 1):
            raise InputError(f"labels must be integers of shape (n,), got {_describe(labels)}")
        check(len(labels) == len(images), "number of labels", len(labels), f"{len(images)}, one an image")
        wrong = np.flatnonzero((labels < 0) | (labels >= classes))
        if wrong.size:
            first = wrong[0]
            raise InputError(f"labels must be 0 to {classes - 1}, got {labels[first]} for image {first}")
        object.__setattr__(self, "labels", _read_only(labels.astype(np.int64, copy=False)))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: "slice | NDArray[np.integer] | NDArray[np.bool_] | Sequence[int]") -> "Dataset":
        """Return the images that a slice, an array of indices or a mask picks, with their labels."""
        try:
            rows = index if isinstance(index, slice) else np.asarray(index)
            if isinstance(rows, np.ndarray):
                if rows.size == 0 and rows.dtype.kind == "f":
                    rows = rows.astype(np.intp)  # an empty list has no type of its own
                check(rows.ndim == 1, "data[...]", index, "a slice, indices or a mask; data[3:4] is one image")
            images = self.images[rows]
            labels = None if self.labels is None else self.labels[rows]
        except (IndexError, TypeError, ValueError) as error:
            raise InputError(f"no such images in {self.name!r}, which has {len(self)}: {error}") from error
        return replace(self, images=images, labels=labels, test_count=0)

    def __repr__(self) -> str:
        unlabelled = "" if self.labels is not None else ", unlabelled"
        return f"Dataset({self.name!r}, {len(self):,} images, {len(self.class_names)} classes{unlabelled})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of images and labels in hexadecimal, 64 characters: the same on any machine."""
        sha = hashlib.sha256(f"{self.images.shape} {self.labels is not None}".encode())
        sha.update(self.images.data)
        if self.labels is not None:
            sha.update(self.labels.astype("<i8").data)
        return sha.hexdigest()

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of images of each class, int64, shape (classes,)."""
        return np.bincount(self.require_labels("counting classes"), minlength=len(self.class_names))

    def require_labels(self, purpose: str) -> NDArray[np.int64]:
        """Return the labels; an `InputError` saying that `purpose` needs them if there are none."""
        if self.labels is None:
            raise InputError(f"{purpose} needs labels, and {self.name!r} has none: give a labelled source")
        return self.labels

    def require_every_class(self, purpose: str) -> NDArray[np.int64]:
        """Return the labels; an `InputError` saying that `purpose` needs an image of every class if one has none."""
        labels = self.require_labels(purpose)
        for name, count in zip(self.class_names, self.counts, strict=True):
            check(count > 0, f"number of images of class {name!r} in {self.name!r}", 0, f"at least 1 for {purpose}")
        return labels

    def of_digit(self, digit: int | str) -> "Dataset":
        """Return the images of one class, given by its index or its name."""
        names = self.class_names
        found = names.index(digit) if isinstance(digit, str) and digit in names else digit
        known = isinstance(found, (int, np.integer)) and not isinstance(found, bool)
        check(
            known and 0 <= int(found) < len(names),
            "digit",
            digit,
            f"one of {', '.join(names)} or an index from 0 to {len(names) - 1}",
        )
        return self[self.require_labels("choosing a digit") == found]

    def summary(self) -> str:
        """Return the shapes and the number of images of each class, as lines of text.

        Examples
        --------
        >>> images, labels = np.zeros((3, 28, 28), np.uint8), np.array([1, 0, 1])
        >>> print(Dataset(images, labels, "three", ("a", "b")).summary())
        three: 3 images, 28x28 pixels
        images  (3, 28, 28)  uint8
        labels  (3,)  int64
        a  1
        b  2
        """
        test_count = f", the last {self.test_count:,} its own test set" if self.test_count else ""
        lines = [
            f"{self.name}: {len(self):,} images, {IMAGE_SIZE}x{IMAGE_SIZE} pixels{test_count}",
            f"images  {self.images.shape}  {self.images.dtype}",
        ]
        if self.labels is None:
            return "\n".join([*lines, "labels  none"])
        lines.append(f"labels  {self.labels.shape}  {self.labels.dtype}")
        counts = [f"{count:,}" for count in self.counts]
        left, right = max(map(len, self.class_names)), max(map(len, counts))
        return "\n".join(
            [*lines, *(f"{a:<{left}}  {b:>{right}}" for a, b in zip(self.class_names, counts, strict=True))]
        )

    def split(self, test_size: float = 0.2, seed: int = 2) -> "Splits":
        """Divide into images to train on, to choose by, and to judge with once at the end.

        A source with its own test set keeps it, and the last sixth of the rest is for validation: MNIST gives
        50,000, 10,000 and 10,000. Any other source has no test part and is shuffled: the rows, in the order,
        that scikit-learn's ``train_test_split(test_size=test_size, random_state=seed)`` picks.

        Examples
        --------
        >>> data = Dataset(np.zeros((10, 28, 28), np.uint8), np.arange(10))
        >>> data.split().validation.labels
        array([4, 1])
        """
        from inksight.data.splits import Splits, split_rows  # which needs `Dataset` itself

        train, validation, test = split_rows(len(self), self.test_count, test_size, seed)
        return Splits(self[train], self[validation], None if test is None else self[test])

    def part(self, name: str | None = None) -> "Dataset":
        """Return ``train``, ``validation`` or ``test`` of `split`, ``all`` images, or those to judge with.

        Parameters
        ----------
        name : str, optional
            If omitted, the source's own test set, or all images if it has none.

        Raises
        ------
        InputError
            If there is no such part.
        """
        if name is None:
            name = "test" if self.test_count else "all"
        if name == "all":
            return self
        parts = self.split().parts
        check(name in parts, f"part of {self.name!r}", name, ", ".join([*parts, "all"]))
        return parts[name]

    def split_off(self, name: str) -> "tuple[Dataset, Dataset | None]":
        """Return a `part` and all images that are not in it; None if there are no others.

        Examples
        --------
        >>> data = Dataset(np.zeros((10, 28, 28), np.uint8), np.arange(10))
        >>> len(data.split_off("validation")[1])
        8
        """
        chosen = self.part(name)
        others = [] if name == "all" else [part for other, part in self.split().parts.items() if other != name]
        return chosen, reduce(join, others) if others else None


def join(first: Dataset, second: Dataset) -> Dataset:
    """Return the labelled images of both, those of `first` before the others, under its name and classes.

    Examples
    --------
    >>> data = Dataset(np.zeros((3, 28, 28), np.uint8), np.array([7, 1, 7]), name="three")
    >>> join(data[2:], data[:1]).labels
    array([7, 7])
    """
    images = np.concatenate([first.images, second.images])
    labels = np.concatenate([part.require_labels("training") for part in (first, second)])
    return replace(first, images=images, labels=labels, test_count=0)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous view that cannot be written through: a digest must stay true."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return f"{type(value).__name__} {value!r:.60}"
