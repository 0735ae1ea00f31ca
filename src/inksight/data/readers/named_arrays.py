"""Arrays by name, from NumPy files: which hold images, which labels, and of which part of the data."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight.config import DIGITS, IMAGE_SIZE
from inksight.data.readers.class_names import parse_labels
from inksight.data.readers.pixels import PIXELS, to_images
from inksight.data.readers.raw import Raw, join
from inksight.errors import InputError

_PARTS = {
    "train": ("train", "training", "trn", "tr"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "tst", "te"),
}
_PART_WORDS = [word for words in _PARTS.values() for word in words]
_IMAGES = ("x", "image", "images", "img", "imgs", "data", "features", "inputs", "pixels", "digits")
_LABELS = ("y", "label", "labels", "target", "targets", "class", "classes", "digit", "t")
_SHAPES = f"(n, {IMAGE_SIZE}, {IMAGE_SIZE}), also with one channel or as (n, {PIXELS})"


def part_of(words: Iterable[str]) -> str | None:
    """Return the part of the data that one of the words means: ``train``, ``validation``, ``test`` or None.

    Examples
    --------
    >>> part_of(["training", "images"]), part_of(["valid"]), part_of(["images"])
    ('train', 'validation', None)
    """
    given = set(words)
    return next((part for part, known in _PARTS.items() if given.intersection(known)), None)


@dataclass(frozen=True, slots=True)
class Array:
    """An array in a file before its content is read.

    Parameters
    ----------
    name : str
    shape : tuple of int
    dtype : dtype
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def words(self) -> set[str]:
        """The words in the name: ``train`` and ``images`` in TrainImages or train_images, ``x`` in X_train."""
        words = [word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", self.name)]
        split = [(word[:1], word[1:]) for word in words if word[:1] in "xy" and word[1:] in _PART_WORDS]
        return set(words).union(*split)

    @property
    def part(self) -> str | None:
        """The part of the data that the name mentions, or None."""
        return part_of(self.words)

    @property
    def has_images(self) -> bool:
        """Whether the shape is that of images: (n, 28, 28), (n, 28, 28, 1), (n, 1, 28, 28) or (n, 784)."""
        sides = tuple(length for length in self.shape[1:] if length != 1)
        return self.dtype.kind in "uifb" and sides in ((IMAGE_SIZE, IMAGE_SIZE), (PIXELS,))

    @property
    def has_labels(self) -> bool:
        """Whether the shape is that of labels: one number or text per image, or one column per class."""
        return not self.has_images and len(self.shape) in (1, 2)


def read_parts(path: Path, arrays: Iterable[Array], read: Callable[[str], NDArray[Any]]) -> Raw:
    """Return the digits in a file of named arrays.

    Parameters
    ----------
    path : Path
        For messages.
    arrays : iterable of Array
        All arrays of the file. Names like x, images or data mean images, and y, labels or target mean labels; train,
        val or test in a name mean a part. Without such names, images and labels are told apart by their shapes.
    read : callable
        Returns the content of the array with the given name.

    Returns
    -------
    Raw
        The training images, then the validation images, then the test images.

    Raises
    ------
    InputError
        If there are no images, an image array or its labels cannot be told, or an array holds other values than pixels
        or labels.

    Examples
    --------
    >>> content = {"X": np.zeros((2, 784)), "y": np.array([3, 4])}
    >>> arrays = [Array(name, array.shape, array.dtype) for name, array in content.items()]
    >>> read_parts(Path("digits.npz"), arrays, content.__getitem__).labels
    array([3, 4])
    """
    found = list(arrays)
    by_part = {part: [array for array in found if array.part == part] for part in (*_PARTS, None)}
    if not by_part["train"]:
        by_part["train"] = by_part[None]
    raws = {}
    for part in _PARTS:
        pair = _choose(path, part, by_part[part])
        if pair is not None:
            raws[part] = _read_pair(path, *pair, read)
    if "train" not in raws:
        listed = ", ".join(f"{array.name} {array.shape}" for array in found[:6]) or "nothing"
        raise InputError(
            f"{str(path)!r} must contain images of shape {_SHAPES}, and may contain labels, got {listed[:200]}: "
            "name them x_train and y_train"
        )
    return join(path, raws["train"], raws.get("validation"), raws.get("test"))


def _choose(path: Path, part: str, arrays: list[Array]) -> tuple[Array, Array | None] | None:
    """Return the images and the labels of a part, or None if the file has no such part."""
    images = _named([array for array in arrays if array.has_images], _IMAGES)
    if not images:
        for array in arrays:
            if array.part == part or array.words.intersection(_IMAGES):
                raise InputError(
                    f"{str(path)!r}: the {part} images must be numbers of shape {_SHAPES}, got {_describe(array)}; "
                    "convert the array and save it again"
                )
        return None
    _require_one(path, f"{part} images", images)
    n = images[0].shape[0]
    labels = _named([array for array in arrays if array.has_labels], _LABELS)
    matching = [array for array in labels if array.shape[0] == n]
    if labels and not matching:
        raise InputError(
            f"{str(path)!r}: {images[0].name} and {labels[0].name} must have the same length, got {n} and "
            f"{labels[0].shape[0]}; save one label per image"
        )
    _require_one(path, f"{part} labels", matching)
    return images[0], matching[0] if matching else None


def _named(arrays: list[Array], words: tuple[str, ...]) -> list[Array]:
    """Return the arrays with one of the words in their names if there are any, else all."""
    return [array for array in arrays if array.words.intersection(words)] or arrays


def _require_one(path: Path, what: str, arrays: list[Array]) -> None:
    if len(arrays) > 1:
        names = " and ".join(repr(array.name) for array in arrays[:4])
        raise InputError(f"{str(path)!r}: {names} may be the {what}: save the file with one of them")


def _describe(array: Array) -> str:
    if array.dtype.hasobject:
        return f"{array.name!r} of pickled Python objects, which could run code"
    return f"{array.name!r}, {array.dtype} of shape {array.shape}"


def _read_pair(path: Path, images: Array, labels: Array | None, read: Callable[[str], NDArray[Any]]) -> Raw:
    pixels = to_images(read(images.name), lambda row: f"{str(path)!r}: array {images.name!r}, image {row}")
    if labels is None:
        return Raw(pixels, None)
    numbers, class_names = _to_labels(f"{str(path)!r}: array {labels.name!r}", read(labels.name))
    return Raw(pixels, numbers, class_names)


def _to_labels(where: str, values: NDArray[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return labels, and the names of their classes, from numbers, texts or one column per class."""
    if values.ndim == 2 and values.shape[1] > 1:
        if (
            values.dtype.kind not in "uifb"
            or not ((values == 1).sum(1) == 1).all()
            or np.count_nonzero(values) != len(values)
        ):
            raise InputError(f"{where} must have one 1 in each row and zeros elsewhere, if it has one column per class")
        columns = values.shape[1]
        names = DIGITS if columns == len(DIGITS) else tuple(str(i) for i in range(columns))
        return values.argmax(axis=1), names
    flat = values.reshape(len(values))
    if flat.dtype.kind in "US":
        texts = [text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text) for text in flat]
        return parse_labels(texts, lambda row: f"{where}, row {row}")
    if flat.dtype.kind not in "uif" or not (np.isfinite(flat) & (flat == np.round(flat)) & (abs(flat) < 2**31)).all():
        raise InputError(f"{where} must hold whole numbers below 2**31 or texts, got {flat.dtype}; convert it")
    return flat.astype(np.int64), DIGITS
