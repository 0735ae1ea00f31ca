"""How barcodes lie to each other: distances between the classes, and a map in two dimensions."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.spatial.distance import cdist

from inksight._shared.display import Display
from inksight._shared.validation import check, is_between
from inksight.data.dataset import Dataset
from inksight.errors import InputError
from inksight.inspection.barcodes import barcodes_of
from inksight.nn.model import Model

Method = Literal["discriminant", "pca"]


@dataclass(frozen=True, eq=False)
class Separation(Display):
    """How far apart the classes' barcodes stand.

    Parameters
    ----------
    means : (classes, filters) float64
        Class-mean barcodes.
    distances : (classes, classes) float64
        Mahalanobis distance between class means: in standard deviations of the images of one class about
        their mean. If both clouds were normal, the best straight cut between two d apart would put the share
        Phi(-d / 2) on the wrong side: 16 % at d = 2, 2.3 % at 4, 0.13 % at 6.
    class_names : tuple of str
    images : int
    """

    means: NDArray[np.float64]
    distances: NDArray[np.float64]
    class_names: tuple[str, ...]
    images: int

    @property
    def closest(self) -> tuple[int, int]:
        """The two classes hardest to tell apart by their means, the lower first."""
        apart = self.distances + np.diag(np.full(len(self.distances), np.inf))
        first, second = np.unravel_index(apart.argmin(), apart.shape)
        return int(min(first, second)), int(max(first, second))

    def __repr__(self) -> str:
        first, second = self.closest
        names, apart = self.class_names, self.distances[first, second]
        return (
            f"Separation of {len(self.means)} classes over {self.images} images; closest: "
            f"{names[first]} and {names[second]}, {apart:.1f} standard deviations apart"
        )


@dataclass(frozen=True, eq=False)
class Embedding(Display):
    """Barcodes in two dimensions.

    Parameters
    ----------
    points : (n, 2) float64
        For ``discriminant`` in standard deviations of the images of one class, for ``pca`` in barcode units.
    axes : (filters, 2) float64
        ``points = (barcodes - center) @ axes``; of each axis the largest entry is positive.
    center : (filters,) float64
    share : (2,) float64, 0..1
        Of the variance (``pca``), or of the spread between class means (``discriminant``), on each axis.
    labels : (n,) int64, or None
    class_names : tuple of str
    method : {"discriminant", "pca"}
    """

    points: NDArray[np.float64]
    axes: NDArray[np.float64]
    center: NDArray[np.float64]
    share: NDArray[np.float64]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    method: Method

    def __repr__(self) -> str:
        kept = f"{self.share.sum():.0%} of the spread kept"
        return f"Embedding of {len(self.points)} barcodes by {self.method}: {kept}"


def separation(
    model: Model, dataset: Dataset, *, barcodes: ArrayLike | None = None, shrinkage: float = 0.01
) -> Separation:
    """Measure how far apart the class-mean barcodes stand, against the spread within a class.

    Parameters
    ----------
    model : Model
    dataset : Dataset
        Labelled, every class with at least one image and one class with two that differ.
    barcodes : (n, filters) float, optional
        Those of `dataset`, where they are known already.
    shrinkage : float, 0..1
        How far the correlations within a class, pooled over classes, are drawn towards 0, so that the measure
        stands for few images and dead entries too.

    Returns
    -------
    Separation
        With `distances` (classes, classes).

    Raises
    ------
    InputError
        If there are no labels, a class has no image, or no two images of a class differ.

    References
    ----------
    Mahalanobis, "On the generalised distance in statistics", 1936. Schäfer and Strimmer, "A shrinkage
    approach to large-scale covariance matrix estimation", 2005 (the target that keeps the variances).

    Examples
    --------
    >>> import inksight
    >>> model = Model.untrained(inksight.config.get_network("post"))
    >>> separation(model, inksight.load("mnist")[:300]).distances.shape
    (10, 10)
    """
    labels = dataset.require_every_class("class separation")
    values = barcodes_of(model, dataset.images, barcodes)
    means, whiten = _whitening(values, labels, len(dataset.class_names), shrinkage)
    white = means @ whiten
    return Separation(means, cdist(white, white), dataset.class_names, len(values))


def embedding(
    model: Model, dataset: Dataset, method: Method | None = None, *, barcodes: ArrayLike | None = None
) -> Embedding:
    """Lay barcodes out in two dimensions.

    Parameters
    ----------
    model : Model
    dataset : Dataset
        At least two images.
    method : {"discriminant", "pca"}, optional
        ``discriminant``: the two axes along which the classes stand furthest apart against the spread within
        a class (Fisher, "The use of multiple measurements in taxonomic problems", 1936; Rao, 1948, for more
        than two classes). ``pca``: the two along which barcodes differ most, labels unseen (Pearson, 1901).
        By default ``discriminant`` where there are labels of at least three classes.
    barcodes : (n, filters) float, optional
        Those of `dataset`, where they are known already.

    Returns
    -------
    Embedding
        With `points` (n, 2).

    Raises
    ------
    InputError
        If the method is unknown, or the dataset hasn't the images and labels it needs.

    Examples
    --------
    >>> import inksight
    >>> model = Model.untrained(inksight.config.get_network("post"))
    >>> embedding(model, inksight.load("mnist")[:300]).points.shape
    (300, 2)
    """
    classes = len(dataset.class_names)
    if method is None:
        method = "pca" if dataset.labels is None or classes < 3 else "discriminant"
    check(method in ("discriminant", "pca"), "method", method, "discriminant or pca")
    check(len(dataset.images) > 1, "number of images", len(dataset.images), "at least 2")
    values = barcodes_of(model, dataset.images, barcodes)
    center = values.mean(axis=0)
    if method == "pca":
        spread, whiten = values - center, np.eye(values.shape[1])
    else:
        labels = dataset.require_every_class("discriminants")
        check(classes > 2, "number of classes for discriminant", classes, "at least 3; use pca for fewer")
        means, whiten = _whitening(values, labels, classes, shrinkage=0.01)
        weight = np.sqrt(np.bincount(labels, minlength=classes))[:, None]
        spread = weight * (means - center) @ whiten  # its squares sum to the spread between classes
    _, lengths, directions = np.linalg.svd(spread, full_matrices=False)
    total = (lengths**2).sum()
    share = np.pad(lengths[:2] ** 2 / (total if total > 0 else 1.0), (0, max(0, 2 - len(lengths))))
    axes = whiten @ directions[:2].T
    axes = np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))  # barcodes of one entry lie on a line
    # The sign of a direction is arbitrary: fixed, the same barcodes give the same picture on every machine.
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    return Embedding((values - center) @ axes, axes, center, share, dataset.labels, dataset.class_names, method)


def _whitening(
    values: NDArray[np.float64], labels: NDArray[np.int64], classes: int, shrinkage: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return class means (classes, f), and the (f, f) that makes the covariance in a class the identity."""
    check(is_between(shrinkage, 0, 1), "shrinkage", shrinkage, "0 to 1")
    counts = np.bincount(labels, minlength=classes)
    means = np.zeros((classes, values.shape[1]))
    np.add.at(means, labels, values)
    means /= counts[:, None]
    inner = values - means[labels]
    freedom = len(values) - classes
    deviation = np.sqrt((inner**2).sum(axis=0) / max(freedom, 1))
    if freedom < 1 or not deviation.any():
        raise InputError("some class must hold two images that differ, got none: add images")
    # Of an entry that never changes within a class only rounding is left, no yardstick for a distance.
    deviation = np.maximum(deviation, 1e-6 * np.sqrt((values**2).mean(axis=0)))
    deviation[deviation == 0] = 1.0
    inner /= deviation
    correlation = (1 - shrinkage) * (inner.T @ inner) / freedom
    np.fill_diagonal(correlation, 1.0)
    try:
        lower = cholesky(correlation, lower=True)
    except np.linalg.LinAlgError as error:
        raise InputError(f"shrinkage must be larger for {len(values)} images, got {shrinkage}") from error
    whiten = solve_triangular(lower, np.diag(1 / deviation), lower=True).T
    return means, whiten
