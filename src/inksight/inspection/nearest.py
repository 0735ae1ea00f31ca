"""Nearest neighbours: the images with the most similar barcodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from inksight._shared.display import Display
from inksight._shared.validation import check, is_count
from inksight.data.dataset import Dataset
from inksight.data.loading import DataLike, as_dataset
from inksight.imaging.arrays import as_images
from inksight.inspection.barcodes import barcodes_of
from inksight.nn.model_file import ModelLike, as_model

DISTANCES = 4_000_000  # distances in memory at once: 32 MB


@dataclass(frozen=True, eq=False)
class Neighbours(Display):
    """Query images, each with its nearest neighbours in a reference set.

    Parameters
    ----------
    queries : (n, 28, 28) uint8, or float32 0..1
    query_labels : (n,) int64, or None
    predictions : (n,) int64
        Predicted classes of the queries.
    ids : (n, k) int64
        Rows of the reference set, nearest first.
    distances : (n, k) float64
        Euclidean distances of the barcodes, each entry divided by its standard deviation over the reference set.
    images : (n, k, 28, 28) uint8
    labels : (n, k) int64, or None
    class_names : tuple of str
        Those of the model.
    """

    queries: NDArray[np.generic]
    query_labels: NDArray[np.int64] | None
    predictions: NDArray[np.int64]
    ids: NDArray[np.int64]
    distances: NDArray[np.float64]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        n, k = self.ids.shape
        return f"Neighbours of {n} image{'s' * (n != 1)}: the {k} nearest of each by barcode"


def neighbours(
    model: ModelLike,
    images: ArrayLike | Dataset,
    reference: DataLike,
    k: int = 5,
    *,
    barcodes: ArrayLike | None = None,
    leave_out: ArrayLike | None = None,
) -> Neighbours:
    """Find the `k` images of a reference set with the barcodes nearest to those of the query images.

    The search is exact and needs bounded memory. Among equal distances the lower row comes first.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    images : (n, 28, 28) uint8 or float 0..1, or Dataset
        Query images, high = ink; a single (28, 28) image is allowed. The labels of a dataset are kept for display.
    reference : Dataset, Splits, str or path-like
        At least `k` images; labels are optional. Of splits or a source, the training images.
    k : int
        Number of neighbours per query.
    barcodes : (len(reference), filters) float, optional
        The barcodes of `reference`, if they are already known.
    leave_out : (n,) int, optional
        For each query a row of the reference set to exclude: the query itself, if the set contains it.

    Returns
    -------
    Neighbours
        With `ids` and `distances` (n, k).

    Raises
    ------
    InputError
        If `k` is not a whole number from 1 to the number of reference images, `leave_out` is not a row of the
        reference set per query, or a dataset has other classes than the model.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("post"))
    >>> data = inksight.load("mnist")[:300]
    >>> neighbours(model, data[:2], data, k=3).ids[:, 0].tolist()
    [0, 1]
    """
    model, reference = as_model(model), as_dataset(reference, "train")
    query_labels = images.labels if isinstance(images, Dataset) else None
    queries = as_images(images.images if isinstance(images, Dataset) else images)
    for dataset in (reference, images):
        if isinstance(dataset, Dataset) and dataset.labels is not None:
            names = dataset.class_names
            check(names == model.class_names, "classes of the data", names, f"the model's {model.class_names}")
    excluded = None if leave_out is None else np.asarray(leave_out)
    candidates = len(reference.images) - (excluded is not None)
    check(is_count(k) and k <= candidates, "k", k, f"a whole number from 1 to the {candidates} images to choose from")
    if excluded is not None:
        are_rows = excluded.dtype.kind in "iu" and bool(((excluded >= 0) & (excluded <= candidates)).all())
        check(
            are_rows and excluded.shape == (len(queries),),
            "leave_out", leave_out, f"{len(queries)} rows of the reference set, one per query image",
        )  # fmt: skip

    reference_barcodes = barcodes_of(model, reference.images, barcodes)
    deviation = reference_barcodes.std(axis=0)
    unit = np.where(deviation > 0, deviation, 1.0)  # a constant entry is not scaled
    reference_barcodes = reference_barcodes / unit
    query_barcodes = barcodes_of(model, queries)
    logits = model.logits_from_barcodes(query_barcodes)

    chunk = max(1, DISTANCES // len(reference_barcodes))
    ids = np.empty((len(queries), k), np.int64)
    nearest = np.empty((len(queries), k))
    for start in range(0, len(queries), chunk):
        distances = cdist(query_barcodes[start : start + chunk] / unit, reference_barcodes)
        if excluded is not None:
            distances[np.arange(len(distances)), excluded[start : start + chunk]] = np.inf
        # Only the rows up to the k-th smallest distance are sorted, with ties by row.
        bounds = np.partition(distances, k - 1, axis=1)[:, k - 1]
        for i, (row, bound) in enumerate(zip(distances, bounds, strict=True), start):
            near = np.flatnonzero(row <= bound)
            ids[i] = near[np.argsort(row[near], kind="stable")[:k]]
            nearest[i] = row[ids[i]]
    labels = None if reference.labels is None else reference.labels[ids]
    return Neighbours(
        queries,
        query_labels,
        logits.argmax(axis=1),
        ids,
        nearest,
        reference.images[ids],
        labels,
        model.class_names,
    )
