"""`load` reads a dataset from any source; `as_dataset` and `as_splits` accept what functions take as data."""

import os
import warnings
from functools import reduce
from typing import TypeAlias

from inksight._shared.files import replacing
from inksight._shared.validation import check, is_count
from inksight.config import DIGITS
from inksight.data.dataset import Dataset, join
from inksight.data.likeness import prepared, unusual
from inksight.data.readers import MEMORY_LIMIT, csv, read_source
from inksight.data.splits import Splits
from inksight.errors import InputError, InputWarning

DataLike: TypeAlias = Dataset | Splits | str | os.PathLike[str]
"""What a function takes as data: images in memory, or a source for `load`."""


def load(
    source: str | os.PathLike[str],
    *,
    label: str | None = None,
    prepare: bool = False,
    progress: bool = True,
    memory_limit: int = MEMORY_LIMIT,
) -> Dataset:
    """Load digits from the MNIST in this package or from a file or folder in any supported format.

    Parameters
    ----------
    source : str or path-like
        ``mnist`` for the packaged 70,000 images, of which the last 10,000 are the official test set; ``./mnist`` and
        ``Path("mnist")`` are a file or folder of that name. Otherwise the path of a CSV or ARFF file, also compressed
        or in a zip archive, a folder of Kaggle's Digit Recognizer, an IDX file or a folder of them, an ``.npz`` or
        ``.npy`` file, Parquet in the layout of Hugging Face, or a folder of pictures. The format is detected from the
        content.
    label : str, optional
        The column of the labels in a CSV or ARFF file: its name, its number from 1, ``first``, ``last``, or ``none`` if
        there are no labels. By default it is found by its name or values.
    prepare : bool
        Whether to turn the images upright, if they have labels, and to convert each as `inksight.prepare` does. This is
        for images that are not like MNIST's, such as dark digits on light ground; loading them warns of that.
    progress : bool
        Whether to show a progress bar while images are prepared.
    memory_limit : int
        Largest number of bytes that reading may take, with copies, checked before anything is unpacked. With the
        default, 800 MiB, a process stays below one gigabyte. Independently of it, a packed file may become at most 64
        MiB and 30 times its size.

    Returns
    -------
    Dataset

    Warns
    -----
    InputWarning
        If the images are not like MNIST's: inverted, on gray ground, with values 0 and 1 only, or not upright.

    Raises
    ------
    InputError
        If the source does not exist, is damaged, or its content is not 28x28 images and labels of known classes.
    MissingDependencyError
        If the source is Parquet and pyarrow is not installed.

    Examples
    --------
    >>> mnist = load("mnist")
    >>> mnist.images.shape, mnist.counts[:3]
    ((70000, 28, 28), array([6903, 7877, 6990]))
    """
    check(is_count(memory_limit), "memory_limit", memory_limit, "a number of bytes, at least 1")
    name, raw = read_source(source, memory_limit, label)
    check(len(raw.images) > 0, f"number of images in {name!r}", 0, "at least 1")
    images, labels = raw.images, raw.labels if raw.class_names == DIGITS else None
    if prepare:
        images = prepared(images, labels, progress)
    elif source != "mnist" and (cause := unusual(images, labels)):
        message = f"{name!r}: the images {cause}, so a network that was trained on MNIST fails on them; load them with"
        warnings.warn(f"{message} prepare=True (--prepare)", InputWarning, stacklevel=2)
    try:
        return Dataset(images, raw.labels, name, raw.class_names, raw.test_count, raw.validation_count)
    except InputError as error:
        raise type(error)(f"{name!r}: {error}") from error


def as_dataset(data: DataLike, part: str | None = None) -> Dataset:
    """Return the images on which a function examines a model.

    Parameters
    ----------
    data : Dataset, Splits, str or path-like
        All images of a dataset, or a part of splits or of a source for `load`.
    part : str, optional
        ``train``, ``validation``, ``test`` or ``all``. By default the test images if there are any; without them, the
        validation images of splits, and all images of a source.

    Raises
    ------
    InputError
        If `data` is something else, there is no such part, or the source cannot be read.

    Examples
    --------
    >>> len(as_dataset("mnist")), len(as_dataset(load("mnist").split(), "validation"))
    (10000, 10000)
    """
    if isinstance(data, Dataset):
        return data
    if isinstance(data, Splits):
        if part is None:
            return data.evaluation_set
        check(part in (*data.parts, "all"), "part of the splits", part, ", ".join([*data.parts, "all"]))
        return reduce(join, data.parts.values()) if part == "all" else data.parts[part]
    return _load_data(data).part(part)


def as_splits(data: DataLike) -> Splits:
    """Return splits as they are, and divide a dataset or a source for `load` by `Dataset.split`.

    Raises
    ------
    InputError
        If `data` is something else, cannot be read, or has too few images to divide.

    Examples
    --------
    >>> {name: len(part) for name, part in as_splits("mnist").parts.items()}
    {'train': 50000, 'validation': 10000, 'test': 10000}
    """
    if isinstance(data, Splits):
        return data
    return (data if isinstance(data, Dataset) else _load_data(data)).split()


def _load_data(source: str | os.PathLike[str]) -> Dataset:
    allowed = "a Dataset, Splits, the name mnist, or the path of a file or folder"
    check(isinstance(source, (str, os.PathLike)), "data", source, allowed)
    return load(source)


def write_csv(dataset: Dataset, path: str | os.PathLike[str]) -> None:
    """Write a dataset in the CSV layout of Kaggle's Digit Recognizer: a header, then one row per image.

    Parameters
    ----------
    dataset : Dataset
        The labels, if it has any, become the first column.
    path : path-like
        Written atomically: an existing file is replaced only when the new one is complete.

    Raises
    ------
    InputError
        If `dataset` is something else, or `path` cannot be written.
    """
    check(isinstance(dataset, Dataset), "dataset", dataset, "a Dataset")
    with replacing(path) as temporary:
        csv.write(temporary, dataset.images, dataset.labels)
