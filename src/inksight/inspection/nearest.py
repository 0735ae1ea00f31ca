"""Neighbours: the images whose barcodes are nearest, which the network holds to be most alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from inksight._shared.display import Display
from inksight._shared.validation import check, is_count
from inksight.data.dataset import Dataset
from inksight.imaging.arrays import as_images
from inksight.inspection.barcodes import barcodes_of
from inksight.nn.model import Model

DISTANCES = 4_000_000  # held at once: 32 MB


@dataclass(frozen=True, eq=False)
class Neighbours(Display):
    """Images beside those of a reference set whose barcodes are nearest.

    Parameters
    ----------
    queries : (n, 28, 28) uint8, or float32 0..1
    query_labels : (n,) int64, or None
    predictions : (n,) int64
        Classes the model reads the queries as.
    ids : (n, k) int64
        Rows of the reference set, the nearest first.
    distances : (n, k) float64
        Euclidean, each barcode entry in standard deviations of the reference set.
    images : (n, k, 28, 28) uint8
    labels : (n, k) int64, or None
    class_names : tuple of str
        The model's.
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
    model: Model,
    images: ArrayLike | Dataset,
    reference: Dataset,
    k: int = 5,
    *,
    barcodes: ArrayLike | None = None,
    leave_out: ArrayLike | None = None,
) -> Neighbours:
    """Find the `k` images of a reference set whose barcodes are nearest to those of some images.

    Every distance is computed, in pieces of bounded size. Of equal ones the lower row comes first.

    Parameters
    ----------
    model : Model
    images : (n, 28, 28) uint8 or float 0..1, or Dataset
        High = ink; one (28, 28) image is fine. Of a dataset the labels are kept, to be shown.
    reference : Dataset
        At least `k` images; labels are not needed.
    k : int
    barcodes : (len(reference), filters) float, optional
        Those of `reference`, where they are known already.
    leave_out : (n,) int, optional
        A row of the reference set for each image never to be returned: its own, where it is one of the set.

    Returns
    -------
    Neighbours
        With `ids` and `distances` (n, k).

    Raises
    ------
    InputError
        If `k` is no whole number from 1 to the number of reference images, `leave_out` names no row of it, or
        labels are of other classes than the model's.

    Examples
    --------
    >>> import inksight
    >>> model = Model.untrained(inksight.config.get_network("post"))
    >>> data = inksight.load("mnist")[:300]
    >>> neighbours(model, data[:2], data, k=3).ids[:, 0].tolist()
    [0, 1]
    """
    query_labels = images.labels if isinstance(images, Dataset) else None
    queries = as_images(images.images if isinstance(images, Dataset) else images)
    for dataset in (reference, images):
        if isinstance(dataset, Dataset) and dataset.labels is not None:
            names = dataset.class_names
            check(names == model.class_names, "classes of the data", names, f"the model's {model.class_names}")
    own = None if leave_out is None else np.asarray(leave_out)
    most = len(reference.images) - (own is not None)
    check(is_count(k) and k <= most, "k", k, f"a whole number from 1 to the {most} images to choose from")
    if own is not None:
        rows = own.dtype.kind in "iu" and bool(((own >= 0) & (own <= most)).all())
        check(
            rows and own.shape == (len(queries),),
            "leave_out", leave_out, f"{len(queries)} rows of the reference set, one an image",
        )  # fmt: skip

    known = barcodes_of(model, reference.images, barcodes)
    deviation = known.std(axis=0)
    unit = np.where(deviation > 0, deviation, 1.0)  # an entry that never changes stays as it is
    known = known / unit
    asked = barcodes_of(model, queries)
    logits = model.logits_from_barcodes(asked)

    chunk = max(1, DISTANCES // len(known))
    ids = np.empty((len(queries), k), np.int64)
    nearest = np.empty((len(queries), k))
    for start in range(0, len(queries), chunk):
        distances = cdist(asked[start : start + chunk] / unit, known)
        if own is not None:
            distances[np.arange(len(distances)), own[start : start + chunk]] = np.inf
        # The k-th smallest bounds the candidates; only they are sorted, ties by row.
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
