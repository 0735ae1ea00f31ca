"""`Dataset`: validated images and labels."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, is_count
from inksight.config import DIGITS, IMAGE_SIZE
from inksight.data.folds import first_duplicates
from inksight.errors import InputError, InputWarning

if TYPE_CHECKING:
    from inksight.data.splits import Rows, Splits


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Display):
    """Images of handwritten digits and, if known, their labels. The arrays are read-only.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, 28, 28)
        High = ink.
    labels : ndarray of integers, shape (n,), optional
        Class of each image, 0 to ``len(class_names) - 1``; stored as int64. None if unlabeled.
    name : str
        Name of the source, for titles and messages.
    class_names : tuple of str
        Name of each class.
    test_count : int
        Number of images, at the end, that are the test set of the source.
    validation_count : int
        Number of images, before those of the test set, that are the validation set of the source.

    Raises
    ------
    InputError
        If an array has another type, shape or length, or a label is not one of the classes.

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
    validation_count: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", tuple(self.class_names))
        classes = len(self.class_names)
        all_strings = all(isinstance(name, str) for name in self.class_names)
        check(all_strings and 1 <= classes <= 1000, "class_names", self.class_names, "1 to 1000 strings")
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
        others = len(images) - self.test_count
        check(
            is_count(self.validation_count, 0) and self.validation_count <= others,
            "validation_count", self.validation_count, f"0 to {others}",
        )  # fmt: skip
        if labels is None:
            return
        if not (isinstance(labels, np.ndarray) and labels.dtype.kind in "iu" and labels.ndim == 1):
            raise InputError(f"labels must be integers of shape (n,), got {_describe(labels)}")
        check(len(labels) == len(images), "number of labels", len(labels), f"{len(images)}, one per image")
        invalid = np.flatnonzero((labels < 0) | (labels >= classes))
        if invalid.size:
            first = invalid[0]
            raise InputError(
                f"labels must be 0 to {classes - 1}, got {labels[first]} for image {first}: correct or remove it"
            )
        object.__setattr__(self, "labels", _read_only(labels.astype(np.int64, copy=False)))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: "slice | NDArray[np.integer] | NDArray[np.bool_] | Sequence[int]") -> "Dataset":
        """Return the images and labels selected by a slice, an array of indices or a mask."""
        try:
            rows = index if isinstance(index, slice) else np.asarray(index)
            if isinstance(rows, np.ndarray):
                if rows.size == 0 and rows.dtype.kind == "f":
                    rows = rows.astype(np.intp)  # NumPy makes an empty list a float array
                check(rows.ndim == 1, "data[...]", index, "a slice, indices or a mask; data[3:4] is one image")
            images = self.images[rows]
            labels = None if self.labels is None else self.labels[rows]
        except (IndexError, TypeError, ValueError) as error:
            raise InputError(f"cannot select images of {self.name!r}, which has {len(self):,}: {error}") from error
        return replace(self, images=images, labels=labels, test_count=0, validation_count=0)

    def __add__(self, other: "Dataset") -> "Dataset":
        """Return the images of both datasets; ``sum`` adds up any number of them.

        The classes are those of both, see `join`. If one of the datasets has a validation or a test set, both are
        divided by `split`, and their training, validation and test sets are joined: images of a test set stay test
        images. An image that would be in two of these sets is left out of the training set, or of the validation set if
        it is a test image. For example, Kaggle's ``train.csv`` contains test images of MNIST.

        Raises
        ------
        InputError
            If one of them has labels and the other has none, or together they have more than 1000 classes.

        Warns
        -----
        InputWarning
            If images are left out.

        Examples
        --------
        >>> images = np.random.default_rng(0).integers(0, 256, (17, 28, 28)).astype(np.uint8)
        >>> digits = Dataset(images[:12], np.arange(12) % 10, "digits", test_count=2)
        >>> signs = Dataset(images[12:], np.array([0, 1, 1, 0, 1]), "signs", ("+", "-"))
        >>> both = digits + signs
        >>> both
        Dataset('digits + signs', 17 images, 12 classes)
        >>> {name: len(part) for name, part in both.split().parts.items()}
        {'train': 13, 'validation': 2, 'test': 2}
        """
        if not isinstance(other, Dataset):
            return NotImplemented
        divide = any(data.test_count or data.validation_count for data in (self, other))
        pairs = zip(_sections(self, divide), _sections(other, divide), strict=True)
        train, validation, test = [join(*pair) for pair in pairs]
        if divide:
            test, validation, train = _without_repeats([test, validation, train])
        whole = reduce(join, (train, validation, test))
        if left_out := len(self) + len(other) - len(whole):
            message = f"{left_out:,} images of {whole.name!r} are in its test or validation set and in another set too"
            warnings.warn(f"{message}: they are left out of the other one", InputWarning, stacklevel=2)
        return replace(whole, validation_count=len(validation), test_count=len(test))

    def __radd__(self, other: int) -> "Dataset":
        # `sum` starts from 0.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __repr__(self) -> str:
        unlabeled = "" if self.labels is not None else ", unlabeled"
        return f"Dataset({self.name!r}, {len(self):,} images, {len(self.class_names)} classes{unlabeled})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of images and labels, 64 hexadecimal digits, the same on every machine."""
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
        """Return the labels. Raise `InputError` with the `purpose` that needs them if there are none."""
        if self.labels is None:
            raise InputError(f"{purpose} needs labels, and {self.name!r} has none: give a labeled source")
        return self.labels

    def require_every_class(self, purpose: str) -> NDArray[np.int64]:
        """Return the labels. Raise `InputError` with the `purpose` that needs every class if one has no image."""
        labels = self.require_labels(purpose)
        for name, count in zip(self.class_names, self.counts, strict=True):
            check(count > 0, f"number of images of class {name!r} in {self.name!r}", 0, f"at least 1 for {purpose}")
        return labels

    def of_digit(self, digit: int | str) -> "Dataset":
        """Return the images of a class, which is given by its index or name."""
        names = self.class_names
        index = names.index(digit) if isinstance(digit, str) and digit in names else digit
        is_index = isinstance(index, (int, np.integer)) and not isinstance(index, bool)
        check(
            is_index and 0 <= int(index) < len(names),
            "digit", digit, f"one of {', '.join(names)} or an index from 0 to {len(names) - 1}",
        )  # fmt: skip
        return self[self.require_labels("choosing a digit") == index]

    def summary(self) -> str:
        """Return the array shapes and the number of images of each class as text.

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
        test_count = f", the last {self.test_count:,} are its test set" if self.test_count else ""
        lines = [
            f"{self.name}: {len(self):,} images, {IMAGE_SIZE}x{IMAGE_SIZE} pixels{test_count}",
            f"images  {self.images.shape}  {self.images.dtype}",
        ]
        if self.labels is None:
            return "\n".join([*lines, "labels  none"])
        lines.append(f"labels  {self.labels.shape}  {self.labels.dtype}")
        counts = [f"{count:,}" for count in self.counts]
        left, right = max(map(len, self.class_names)), max(map(len, counts))
        lines += [f"{name:<{left}}  {count:>{right}}" for name, count in zip(self.class_names, counts, strict=True)]
        return "\n".join(lines)

    def split(self, validation_size: float = 0.2, seed: int = 2) -> "Splits":
        """Divide the images into a training set, a validation set and, if the source has one, its test set.

        The validation set of the source is taken if it has one. If it has only a test set, the last sixth of the other
        images is the validation set: MNIST is divided into 50,000, 10,000 and 10,000 images. If these images come class
        by class, as from a folder, they are shuffled first. Any other source is shuffled and divided into two parts,
        the same as scikit-learn's ``train_test_split(test_size=validation_size, random_state=seed)``.

        Parameters
        ----------
        validation_size : float
            Share of the images in the validation set, above 0 and below 1, if the source has neither a validation set
            nor a test set.
        seed : int
            Seed of the shuffle, 0 to 2**32 - 1.

        Raises
        ------
        InputError
            If a value is out of range or there are too few images to divide.

        Examples
        --------
        >>> data = Dataset(np.zeros((10, 28, 28), np.uint8), np.arange(10))
        >>> data.split().validation.labels
        array([4, 1])
        """
        from inksight.data.splits import Splits  # imports this module

        train, validation, test = self.split_rows(validation_size, seed)
        return Splits(self[train], self[validation], None if test is None else self[test])

    def split_rows(self, validation_size: float = 0.2, seed: int = 2) -> "tuple[Rows, Rows, Rows | None]":
        """Return the rows of the parts of `split`, to divide anything else that has one value per image.

        Examples
        --------
        >>> data = Dataset(np.zeros((10, 28, 28), np.uint8), np.arange(10))
        >>> train, validation, test = data.split_rows()
        >>> validation, test
        (array([4, 1]), None)
        """
        from inksight.data.splits import is_grouped, split_rows

        others = len(self) - self.test_count
        grouped = self.labels is not None and is_grouped(self.labels[:others])
        return split_rows(len(self), self.test_count, validation_size, seed, self.validation_count, grouped)

    @property
    def default_part(self) -> str:
        """The name of the part to evaluate on: ``test`` if the source has a test set, else ``all``."""
        return "test" if self.test_count else "all"

    def part(self, name: str | None = None) -> "Dataset":
        """Return a part of `split`, or all images.

        Parameters
        ----------
        name : str, optional
            ``train``, ``validation``, ``test`` or ``all``; by default `default_part`.

        Raises
        ------
        InputError
            If the split has no such part.
        """
        if name is None:
            name = self.default_part
        if name == "all":
            return self
        parts = self.split().parts
        check(name in parts, f"part of {self.name!r}", name, ", ".join([*parts, "all"]))
        return parts[name]

    def split_off(self, name: str) -> "tuple[Dataset, Dataset | None]":
        """Return a `part` and a dataset of all other images, or None if there are no others.

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
    """Return the images and labels of `first`, then those of `second`, without validation and test sets.

    If the names of their classes differ, the classes are those of both: in the order of the dataset that has all of
    them, else those of `first`, then the others.

    Raises
    ------
    InputError
        If one of them has labels and the other has none, or there are more than 1000 classes.

    Examples
    --------
    >>> data = Dataset(np.zeros((3, 28, 28), np.uint8), np.array([7, 1, 7]), name="three")
    >>> join(data[2:], data[:1]).labels
    array([7, 7])
    >>> signs = Dataset(np.zeros((2, 28, 28), np.uint8), np.array([0, 1]), "signs", ("+", "-"))
    >>> join(data, signs).labels
    array([ 7,  1,  7, 10, 11])
    """
    pair = (first, second)
    names = second.class_names if set(first.class_names) < set(second.class_names) else first.class_names
    names += tuple(name for name in second.class_names if name not in names)
    unlabeled = [data.name for data in pair if data.labels is None]
    if len(unlabeled) == 1:
        raise InputError(f"both datasets must have labels or none, {unlabeled[0]!r} has none: add labels, or remove it")
    labels = None if unlabeled else np.concatenate([_labels_among(names, data) for data in pair])
    name = first.name if first.name == second.name else f"{first.name} + {second.name}"
    return Dataset(np.concatenate([data.images for data in pair]), labels, name, names)


def _labels_among(names: tuple[str, ...], data: Dataset) -> NDArray[np.int64]:
    """Return the labels of a dataset as indices of `names`, which include the names of its classes."""
    labels = data.require_labels("joining")
    return labels if names == data.class_names else np.array([names.index(name) for name in data.class_names])[labels]


def _sections(data: Dataset, divide: bool) -> tuple[Dataset, Dataset, Dataset]:
    """Return the training, validation and test images; if the data is not divided, all are training images."""
    none = data[:0]
    if not divide or len(data) < 2:  # a single image cannot be divided
        return data[:], none, none
    splits = data.split()
    return splits.train, splits.validation or none, splits.test or none


def _without_repeats(sections: Sequence[Dataset]) -> list[Dataset]:
    """Return datasets without the images that are in one before."""
    first = first_duplicates(np.concatenate([section.images for section in sections]))
    starts = np.cumsum([0, *map(len, sections)])
    return [section[first[i : i + len(section)] >= i] for section, i in zip(sections, starts[:-1], strict=True)]


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous read-only view, so that the cached digest stays valid."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return f"{type(value).__name__} {value!r:.60}"
