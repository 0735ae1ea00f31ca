"""Submissions to Kaggle's Digit Recognizer."""

import os

import numpy as np
from numpy.typing import ArrayLike

from inksight._shared.files import replacing
from inksight._shared.validation import check
from inksight.errors import InksightError, InputError

HEADER = "ImageId,Label"


def write_submission(predictions: ArrayLike, path: str | os.PathLike[str]) -> None:
    """Write predictions in Kaggle's format: the header ``ImageId,Label``, then one row per prediction, ids from 1.

    The file is read back and compared before it replaces `path`.

    Parameters
    ----------
    predictions : (n,) int
        Digits 0 to 9, in the order of the test rows.
    path : path-like

    Raises
    ------
    InputError
        If there is no prediction, a prediction is not a digit, or `path` cannot be written.
    InksightError
        If the file reads back differently.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_submission([7, 2], Path(folder) / "submission.csv")
    ...     (Path(folder) / "submission.csv").read_text()
    'ImageId,Label\\n1,7\\n2,2\\n'
    """
    try:
        labels = np.asarray(predictions)
    except ValueError as error:
        raise InputError("predictions must be one whole number per row, got sequences of different lengths") from error
    check(labels.ndim == 1 and len(labels) > 0, "shape of predictions", labels.shape, "(n,), n at least 1")
    check(labels.dtype.kind in "iu", "type of predictions", str(labels.dtype), "whole numbers")
    check(
        bool((labels >= 0).all() and (labels <= 9).all()),
        "predictions", (int(labels.min()), int(labels.max())), "0 to 9",
    )  # fmt: skip
    with replacing(path) as temporary:
        rows = [f"{number},{label}" for number, label in enumerate(labels.tolist(), start=1)]
        temporary.write_text("\n".join([HEADER, *rows]) + "\n")
        header, *written = temporary.read_text().splitlines()
        ids, values = np.array([row.split(",") for row in written], dtype=int).T
        if header != HEADER or not np.array_equal(ids, np.arange(1, len(labels) + 1)) or not (values == labels).all():
            raise InksightError(
                f"the submission written to {os.fspath(path)!r} reads back differently: check the disk and try again"
            )
