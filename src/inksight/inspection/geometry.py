"""Distances between the barcodes of different classes, and projections of barcodes to two dimensions."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.spatial.distance import cdist

from inksight._shared.display import Display
from inksight._shared.validation import check, is_between
from inksight.data.loading import DataLike, as_dataset
from inksight.errors import InputError
from inksight.inspection.barcodes import barcodes_of
from inksight.nn.model_file import ModelLike, as_model

Method = Literal["discriminant", "pca"]


@dataclass(frozen=True, eq=False)
class Separation(Display):
    """The distances between the mean barcodes of the classes.

    Parameters
    ----------
    means : (classes, filters) float64
        Mean barcode of each class.
    distances : (classes, classes) float64
        Mahalanobis distances between class means, in standard deviations within a class. If the classes were
        normally distributed, the best linear boundary between two classes at distance d would misclassify the share
        Phi(-d / 2): 16 % at d = 2, 2.3 % at 4, 0.13 % at 6.
    class_names : tuple of str
    images : int
    """

    means: NDArray[np.float64]
    distances: NDArray[np.float64]
    class_names: tuple[str, ...]
    images: int

    @property
    def closest(self) -> tuple[int, int]:
        """The two classes with the smallest distance, the lower class first."""
        distances = self.distances + np.diag(np.full(len(self.distances), np.inf))
        first, second = np.unravel_index(distances.argmin(), distances.shape)
        return int(min(first, second)), int(max(first, second))

    def __repr__(self) -> str:
        first, second = self.closest
        names, distance = self.class_names, self.distances[first, second]
        return (
            f"Separation of {len(self.means)} classes over {self.images} images; closest: "
            f"{names[first]} and {names[second]}, {distance:.1f} standard deviations apart"
        )


@dataclass(frozen=True, eq=False)
class Embedding(Display):
    """Barcodes projected to two dimensions.

    Parameters
    ----------
    points : (n, 2) float64
        In standard deviations within a class for ``discriminant``, in barcode units for ``pca``.
    axes : (filters, 2) float64
        ``points = (barcodes - center) @ axes``. The largest entry of each axis is positive.
    center : (filters,) float64
    share : (2,) float64, 0..1
        Share of the variance (``pca``) or of the spread between class means (``discriminant``) on each axis.
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
    model: ModelLike, dataset: DataLike, *, barcodes: ArrayLike | None = None, shrinkage: float = 0.01
) -> Separation:
    """Measure the distances between the class means of the barcodes, relative to the spread within a class.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    dataset : Dataset, Splits, str or path-like
        Labeled; see `inksight.data.as_dataset`. Every class needs an image, and one class needs two images that differ.
    barcodes : (n, filters) float, optional
        The barcodes of `dataset`, if they are already known.
    shrinkage : float, 0..1
        Shrinks the pooled within-class correlations towards 0. This keeps the distances well defined with few images
        and with constant or duplicate entries.

    Returns
    -------
    Separation
        With `distances` (classes, classes).

    Raises
    ------
    InputError
        If there are no labels, a class has no image, no two images of a class differ, or `shrinkage` is too small
        to separate entries that depend on each other linearly.

    References
    ----------
    Mahalanobis, "On the generalized distance in statistics", 1936. Schäfer and Strimmer, "A shrinkage
    approach to large-scale covariance matrix estimation", 2005 (the target that keeps the variances).

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("post"))
    >>> separation(model, inksight.load("mnist")[:300]).distances.shape
    (10, 10)
    """
    model, dataset = as_model(model), as_dataset(dataset)
    labels = dataset.require_every_class("class separation")
    values = barcodes_of(model, dataset.images, barcodes)
    means, whiten = _whitening(values, labels, len(dataset.class_names), shrinkage)
    whitened = means @ whiten
    return Separation(means, cdist(whitened, whitened), dataset.class_names, len(values))


def embedding(
    model: ModelLike, dataset: DataLike, method: Method | None = None, *, barcodes: ArrayLike | None = None
) -> Embedding:
    """Project barcodes to two dimensions.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    dataset : Dataset, Splits, str or path-like
        At least two images; see `inksight.data.as_dataset`.
    method : {"discriminant", "pca"}, optional
        ``discriminant``: the two axes with the largest spread between classes relative to the spread within a class
        (Fisher, "The use of multiple measurements in taxonomic problems", 1936; Rao, 1948, for more than two
        classes). ``pca``: the two axes of largest variance, ignoring labels (Pearson, 1901).
        By default ``discriminant`` if there are labels of at least three classes.
    barcodes : (n, filters) float, optional
        The barcodes of `dataset`, if they are already known.

    Returns
    -------
    Embedding
        With `points` (n, 2).

    Raises
    ------
    InputError
        If the method is unknown, or the dataset lacks the images or labels that it needs.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("post"))
    >>> embedding(model, inksight.load("mnist")[:300]).points.shape
    (300, 2)
    """
    model, dataset = as_model(model), as_dataset(dataset)
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
        spread = weight * (means - center) @ whiten  # the sum of its squares is the spread between classes
    _, lengths, directions = np.linalg.svd(spread, full_matrices=False)
    total = (lengths**2).sum()
    share = np.pad(lengths[:2] ** 2 / (total if total > 0 else 1.0), (0, max(0, 2 - len(lengths))))
    axes = whiten @ directions[:2].T
    axes = np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))  # barcodes of one entry have only one direction
    # The sign of a direction is arbitrary. A fixed one gives the same picture on every machine.
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    return Embedding((values - center) @ axes, axes, center, share, dataset.labels, dataset.class_names, method)


def _whitening(
    values: NDArray[np.float64], labels: NDArray[np.int64], classes: int, shrinkage: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return class means (classes, f), and the matrix (f, f) that makes the within-class covariance the identity."""
    check(is_between(shrinkage, 0, 1), "shrinkage", shrinkage, "0 to 1")
    counts = np.bincount(labels, minlength=classes)
    means = np.zeros((classes, values.shape[1]))
    np.add.at(means, labels, values)
    means /= counts[:, None]
    residuals = values - means[labels]
    freedom = len(values) - classes
    deviation = np.sqrt((residuals**2).sum(axis=0) / max(freedom, 1))
    if freedom < 1 or not deviation.any():
        raise InputError("some class must hold two images that differ, got none: add images")
    # The deviation of an entry that is constant within each class is only a rounding error: not a unit of distance.
    deviation = np.maximum(deviation, 1e-6 * np.sqrt((values**2).mean(axis=0)))
    deviation[deviation == 0] = 1.0
    residuals /= deviation
    correlation = (1 - shrinkage) * (residuals.T @ residuals) / freedom
    np.fill_diagonal(correlation, 1.0)
    lower = _factor(correlation, len(values))
    if lower is None:
        raise InputError(f"shrinkage must be larger for {len(values)} images, got {shrinkage}")
    whiten = solve_triangular(lower, np.diag(1 / deviation), lower=True).T
    return means, whiten


def _factor(correlation: NDArray[np.float64], n: int) -> NDArray[np.float64] | None:
    """Return the Cholesky factor of a correlation matrix over `n` images, or None if the matrix is singular.

    A squared pivot is the share of an entry's variance that the entries before it do not explain. Sums over `n`
    images round by about n times the machine epsilon, so a smaller share may just as well be 0 or negative: whether
    Cholesky's algorithm then fails depends on the order in which the processor adds.
    """
    try:
        lower: NDArray[np.float64] = cholesky(correlation, lower=True)
    except np.linalg.LinAlgError:
        return None
    return lower if (np.diag(lower) ** 2 > max(n, len(correlation)) * np.finfo(np.float64).eps).all() else None
