"""`load`: a dataset from any source; `write_csv`, the way back."""

import os

from inksight._shared.files import replacing
from inksight._shared.validation import check, is_count
from inksight.data.dataset import Dataset
from inksight.data.readers import MEMORY_LIMIT, csv, read_source
from inksight.errors import InputError


def load(source: str | os.PathLike[str], *, memory_limit: int = MEMORY_LIMIT) -> Dataset:
    """Load digits from the MNIST inside this package or from a file or folder of any known kind.

    Parameters
    ----------
    source : str or path-like
        ``mnist`` for the packaged 70,000 images, the last 10,000 being the official test set; else the path
        of Kaggle's Digit Recognizer (CSV file or folder), IDX files or their folder, an ``.npz`` file as
        Keras has it, Parquet as Hugging Face has it, or a folder with one sub-folder of pictures a class.
        The kind is told from the content.
    memory_limit : int
        Largest number of bytes that what is read may take, checked before it is unpacked.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If there is no such source, or it is damaged or holds anything but 28x28 digits and their labels.
    MissingDependencyError
        If the source is Parquet and pyarrow is not installed.

    Examples
    --------
    >>> mnist = load("mnist")
    >>> mnist.images.shape, mnist.counts[:3]
    ((70000, 28, 28), array([6903, 7877, 6990]))
    """
    check(is_count(memory_limit), "memory_limit", memory_limit, "a number of bytes, at least 1")
    name, raw = read_source(source, memory_limit)
    check(len(raw.images) > 0, f"number of images in {name!r}", 0, "at least 1")
    try:
        return Dataset(raw.images, raw.labels, name, raw.class_names, raw.test_count)
    except InputError as error:
        raise InputError(f"{name!r}: {error}") from error


def write_csv(dataset: Dataset, path: str | os.PathLike[str]) -> None:
    """Write a dataset as Kaggle's Digit Recognizer has it: a header, then one image a row.

    Parameters
    ----------
    dataset : Dataset
        Labels, if any, become the first column.
    path : path-like
        Replaced only once the new file is whole.

    Raises
    ------
    InputError
        If `path` cannot be written.
    """
    with replacing(path) as beside:
        csv.write(beside, dataset.images, dataset.labels)
