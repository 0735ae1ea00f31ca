"""Corrections of labels: a CSV file of decisions, which the page of `inksight labels` saves."""

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.files import as_path
from inksight._shared.untrusted import read_unpacked, unreadable
from inksight._shared.validation import check, shown
from inksight.data.dataset import Dataset
from inksight.errors import InputError

COLUMNS = ("ImageId", "Label", "given")
LEFT_OUT = -1
LIMIT = 1 << 28  # bytes: largest file that is read


def apply_corrections(data: Dataset, path: str | os.PathLike[str]) -> Dataset:
    """Return a dataset with corrected labels, without the images that are left out.

    Parameters
    ----------
    data : Dataset
        The labeled images that were reviewed.
    path : path-like
        A CSV file with the columns ``ImageId`` (1 is the first image), ``Label`` (the name of the correct class; empty
        to leave the image out) and ``given`` (the name of the class before the correction). The page of
        `inksight.report.write_review` saves one. Images that are not in the file stay as they are.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If `data` is something else, the file cannot be read, a row is invalid or contradicts another one, a label
        before the correction is not that of the data, or no image is left.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> data = Dataset(np.zeros((3, 28, 28), np.uint8), np.array([7, 1, 4]))
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "corrections.csv"
    ...     size = path.write_text("ImageId,Label,given\\n1,,7\\n3,9,4\\n")
    ...     apply_corrections(data, path).labels
    array([1, 9])
    """
    labels = corrected_labels(data, path)
    kept = labels != LEFT_OUT
    check(bool(kept.any()), f"images left of {data.name!r}", 0, "at least 1: decide otherwise on an image")
    test_start = len(data) - data.test_count
    return replace(
        data, images=data.images[kept], labels=labels[kept], test_count=int(kept[test_start:].sum()),
        validation_count=int(kept[test_start - data.validation_count : test_start].sum()),
    )  # fmt: skip


def corrected_labels(data: Dataset, path: str | os.PathLike[str]) -> NDArray[np.int64]:
    """Return the corrected label of each image, shape (n,), or `LEFT_OUT`. See `apply_corrections`."""
    check(isinstance(data, Dataset), "data", data, "a Dataset, such as `inksight.load` returns")
    given = data.require_labels("correcting labels")
    names = data.class_names
    corrected = given.copy()
    decided: dict[int, int] = {}  # row of the dataset: label
    for where, (image_id, label, before) in _rows(as_path(path)):
        allowed = f"1 to {len(data)}, the images of {data.name!r}"
        is_row = re.fullmatch("[0-9]{1,12}", image_id) and 1 <= int(image_id) <= len(data)
        check(bool(is_row), f"{where}: ImageId", image_id, allowed)
        check(label in ("", *names), f"{where}: Label", label, f"empty or one of {', '.join(names)}")
        row = int(image_id) - 1
        if before != names[given[row]]:
            raise InputError(
                f"{where}: image {image_id} was labeled {shown(before)} when it was reviewed, but {data.name!r} has "
                f"{names[given[row]]!r}: give the data that was reviewed, with the same split"
            )
        corrected[row] = names.index(label) if label else LEFT_OUT
        if decided.setdefault(row, corrected[row]) != corrected[row]:
            raise InputError(f"{where}: image {image_id} has another Label in an earlier row: remove one of them")
    return corrected


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each row of a file of corrections, its columns in the order of `COLUMNS`, preceded by its place."""
    try:
        content = read_unpacked(path, LIMIT)
    except OSError as error:
        raise unreadable(path, error) from error
    lines = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="")
    rows = (row for row in csv.reader(lines, strict=True) if row)  # not a list, which would take far more memory
    try:
        header = next(rows, [])
        check(
            sorted(header) == sorted(COLUMNS), f"columns of {str(path)!r}", ",".join(header)[:80], ",".join(COLUMNS),
            "give the file that the page of `inksight labels` saves",
        )  # fmt: skip
        order = [header.index(name) for name in COLUMNS]
        for number, row in enumerate(rows, 1):
            where = f"{str(path)!r}, data row {number}"
            check(len(row) == len(COLUMNS), f"{where}: number of columns", len(row), str(len(COLUMNS)))
            yield where, [row[place].strip() if place == order[0] else row[place] for place in order]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{str(path)!r} is not a CSV file in UTF-8 ({error}): save the corrections again") from error
