"""The filters of a bank, the feature maps that they compute for an image, and how similar the filters are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from inksight._shared.display import Display
from inksight._shared.validation import check
from inksight.imaging.arrays import as_images, as_single_image
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model
from inksight.nn.parameters import bank_stage

CHUNK = 256  # images whose feature maps are in memory at once


@dataclass(frozen=True, eq=False)
class Filters(Display):
    """The filters of one bank.

    Parameters
    ----------
    bank : int
        Counted from 1.
    kernels : (filters, channels, k, k) float32
        Weights of either sign. The channels are the feature maps of the bank below; bank 1 has one, the image.
    """

    bank: int
    kernels: NDArray[np.float32]

    def __repr__(self) -> str:
        filters, channels, k, _ = self.kernels.shape
        inputs = f"{channels} input channel{'s' * (channels > 1)}"
        return f"Filters of bank {self.bank}: {filters} of {k}x{k}, {inputs}"


@dataclass(frozen=True, eq=False)
class FeatureMaps(Display):
    """The feature maps of one image in one bank.

    Parameters
    ----------
    bank : int
        Counted from 1.
    image : (28, 28) uint8, or float32 0..1
    maps : (filters, side, side) float32
        Activations after pooling and leaky ReLU.
    prediction : str
        Name of the predicted class.
    confidence : float
        Its probability, 0 to 1.
    """

    bank: int
    image: NDArray[np.generic]
    maps: NDArray[np.float32]
    prediction: str
    confidence: float

    def __repr__(self) -> str:
        return (
            f"FeatureMaps of bank {self.bank}: {len(self.maps)} maps of an image "
            f"read as {self.prediction} ({self.confidence:.1%})"
        )


@dataclass(frozen=True, eq=False)
class FilterSimilarity(Display):
    """The pairwise similarity of the filters of one bank; redundant filters are close to 1.

    Parameters
    ----------
    bank : int
        Counted from 1.
    weights : (filters, filters) float64, -1..1
        Cosine similarity of the filters' weights.
    maps : (filters, filters) float64, -1..1, or None
        Correlation of the feature maps over all positions of `images` images; 0 for a map that is constant.
    order : (filters,) int64
        An order of the filters that puts similar ones next to each other.
    images : int
    """

    bank: int
    weights: NDArray[np.float64]
    maps: NDArray[np.float64] | None
    order: NDArray[np.int64]
    images: int

    def most_similar(self, count: int = 5) -> list[tuple[int, int, float]]:
        """Return the most similar pairs as (filter, filter, similarity), by their maps if there are any."""
        matrix = self.weights if self.maps is None else self.maps
        first, second = np.triu_indices(len(matrix), k=1)
        values = matrix[first, second]
        best = np.argsort(-values, kind="stable")[:count]
        return [(int(first[i]), int(second[i]), float(values[i])) for i in best]

    def __repr__(self) -> str:
        pairs = ", ".join(f"{a} and {b} ({value:.2f})" for a, b, value in self.most_similar(3))
        return f"FilterSimilarity of bank {self.bank}, most similar: {pairs or 'there is only one filter'}"


def filters(model: ModelLike, bank: int = 1) -> Filters:
    """Return the filters of a bank.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    bank : int
        Counted from 1.

    Raises
    ------
    InputError
        If the model has no such bank.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> filters(Model.untrained(get_network("post")), bank=2)
    Filters of bank 2: 20 of 5x5, 20 input channels
    """
    return Filters(bank, as_model(model).filters(bank))


def feature_maps(model: ModelLike, image: ArrayLike, bank: int = 1) -> FeatureMaps:
    """Return the feature maps of one image in a bank.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    image : (28, 28) uint8, or float 0..1
        High = ink; extra axes of length 1 are allowed.
    bank : int
        Counted from 1.

    Raises
    ------
    InputError
        If `image` is not one image, or the model has no such bank.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> model = Model.untrained(get_network("post"))
    >>> feature_maps(model, np.zeros((28, 28), np.uint8), bank=3).maps.shape
    (40, 6, 6)
    """
    model = as_model(model)
    stage = bank_stage(model.network, bank)
    picture = as_single_image(image)
    activations = model.activations(picture, [stage, "probabilities"])
    probabilities = activations["probabilities"][0]
    best = int(probabilities.argmax())
    maps = activations[stage][0].transpose(2, 0, 1)
    return FeatureMaps(bank, picture, maps, model.class_names[best], float(probabilities[best]))


def filter_similarity(model: ModelLike, bank: int = 1, images: ArrayLike | None = None) -> FilterSimilarity:
    """Compare the filters of a bank pairwise: by their weights and, given images, by their feature maps.

    Filters with different weights can still respond alike to real digits. The correlation of the maps therefore
    decides the order, if images are given. The order is that of a hierarchical clustering by average linkage, with
    its leaves arranged so that neighbours are as similar as possible (Bar-Joseph, Gifford, Jaakkola, "Fast optimal
    leaf ordering for hierarchical clustering", Bioinformatics 2001).

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    bank : int
        Counted from 1.
    images : (n, 28, 28) uint8, or float 0..1, optional
        A few hundred give a stable correlation.

    Returns
    -------
    FilterSimilarity
        With matrices (filters, filters), -1..1, and the order (filters,).

    Raises
    ------
    InputError
        If the model has no such bank, or `images` is empty.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> filter_similarity(Model.untrained(get_network("post")), bank=1).weights.shape
    (20, 20)
    """
    model = as_model(model)
    bank_stage(model.network, bank)
    kernels = model.filters(bank)
    flat = kernels.reshape(len(kernels), -1).astype(np.float64)
    weights = _normalized(flat @ flat.T)
    maps, count = None, 0
    if images is not None:
        batch = as_images(images)
        count = len(batch)
        maps = _map_correlation(model, bank, batch)
    return FilterSimilarity(bank, weights, maps, _order(weights if maps is None else maps), count)


def _map_correlation(model: Model, bank: int, images: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the correlation (filters, filters) of a bank's feature maps over all positions of all images."""
    check(len(images) > 0, "number of images", len(images), "at least 1")
    stage = f"bank{bank}"
    filters = model.network.banks[bank - 1].filters
    total, products, positions = np.zeros(filters), np.zeros((filters, filters)), 0
    for start in range(0, len(images), CHUNK):
        maps = model.activations(images[start : start + CHUNK], [stage])[stage]
        values = maps.reshape(-1, filters).astype(np.float64)  # sums in single precision would lose digits
        total += values.sum(axis=0)
        products += values.T @ values
        positions += len(values)
    mean = total / positions
    covariance = products / positions - np.outer(mean, mean)
    # A smaller variance is a rounding error of the two sums above: the map is constant.
    constant = np.diag(covariance) <= 1e-12 * np.diag(products) / positions
    covariance[constant, :] = covariance[:, constant] = 0
    return _normalized(covariance)


def _normalized(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide inner products by both vector lengths; a vector of length 0 is similar only to itself."""
    length = np.sqrt(np.diag(products))
    length = np.where(length > 0, length, 1.0)
    result: NDArray[np.float64] = np.clip(products / np.outer(length, length), -1, 1)
    np.fill_diagonal(result, 1.0)
    return result


def _order(similarity: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order of the leaves of a hierarchical clustering."""
    if len(similarity) < 3:
        return np.arange(len(similarity))
    distance = squareform(1 - (similarity + similarity.T) / 2, checks=False)
    return np.asarray(leaves_list(linkage(distance, "average", optimal_ordering=True)), np.int64)
