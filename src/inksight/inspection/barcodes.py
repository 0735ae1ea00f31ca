"""Barcodes: the mean of each feature map of the last bank, which is all that the classifying layers see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, check_seed, is_count
from inksight.data.dataset import Dataset
from inksight.data.loading import DataLike, as_dataset
from inksight.imaging.arrays import as_single_image
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model


@dataclass(frozen=True, eq=False)
class Barcode(Display):
    """The barcode of one image.

    Parameters
    ----------
    image : (28, 28) uint8, or float32 0..1
    values : (filters,) float32
        Mean activation of each feature map of the last bank. Values far below 0 are rare.
    prediction : str
        Name of the predicted class.
    confidence : float
        Its probability, 0 to 1.
    """

    image: NDArray[np.generic]
    values: NDArray[np.float32]
    prediction: str
    confidence: float

    def __repr__(self) -> str:
        return f"Barcode of {len(self.values)} entries, read as {self.prediction} ({self.confidence:.1%})"


@dataclass(frozen=True, eq=False)
class AverageBarcodes(Display):
    """The average barcode of each class.

    Parameters
    ----------
    means : (classes, filters) float64
    counts : (classes,) int64
        Number of images averaged.
    class_names : tuple of str
    """

    means: NDArray[np.float64]
    counts: NDArray[np.int64]
    class_names: tuple[str, ...]

    @property
    def trend(self) -> NDArray[np.float64]:
        """The mean of the class averages, (filters,): the average barcode of all classes, which count equally."""
        result: NDArray[np.float64] = self.means.mean(axis=0)
        return result

    def __repr__(self) -> str:
        classes, filters = self.means.shape
        low, high = self.counts.min(), self.counts.max()
        images = f"{low}" if low == high else f"{low} to {high}"
        return f"AverageBarcodes of {classes} classes, {filters} entries each, over {images} images per class"


@dataclass(frozen=True, eq=False)
class DetrendedBarcodes(Display):
    """Barcodes of several images per class, minus what all classes have in common.

    Parameters
    ----------
    values : (n, filters) float64
        Barcodes minus `trend`, sorted by class.
    labels : (n,) int64
    ids : (n,) int64
        Row of each image in the dataset.
    trend : (filters,) float64
        Mean of the average barcodes of the classes.
    class_names : tuple of str
    """

    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    ids: NDArray[np.int64]
    trend: NDArray[np.float64]
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        n, filters = self.values.shape
        return f"DetrendedBarcodes of {n} images in {len(self.class_names)} classes, {filters} entries each"


def barcode(model: ModelLike, image: ArrayLike) -> Barcode:
    """Return the barcode of one image.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    image : (28, 28) uint8, or float 0..1
        High = ink.

    Returns
    -------
    Barcode
        With `values` (filters of the last bank,).

    Raises
    ------
    InputError
        If `image` is not one image.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> barcode(Model.untrained(get_network("post")), np.zeros((28, 28), np.uint8)).values.shape
    (40,)
    """
    model, picture = as_model(model), as_single_image(image)
    activations = model.activations(picture, ["barcode", "probabilities"])
    probabilities = activations["probabilities"][0]
    best = int(probabilities.argmax())
    return Barcode(picture, activations["barcode"][0], model.class_names[best], float(probabilities[best]))


def average_barcodes(
    model: ModelLike, dataset: DataLike, each: int = 50, *, seed: int | None = None
) -> AverageBarcodes:
    """Average the barcodes of some images of every class.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    dataset : Dataset, Splits, str or path-like
        Labeled; see `inksight.data.as_dataset`.
    each : int
        Images per class; a class with fewer images gives all of them.
    seed : int, optional
        Choose the images at random; by default the first ones are used.

    Returns
    -------
    AverageBarcodes
        With `means` (classes, filters).

    Raises
    ------
    InputError
        If the dataset has no labels, or a class has no image.

    Examples
    --------
    >>> import inksight
    >>> model = Model.untrained(inksight.config.get_network("post"))
    >>> average_barcodes(model, inksight.load("mnist"), each=50)
    AverageBarcodes of 10 classes, 40 entries each, over 50 images per class
    """
    model, dataset = as_model(model), as_dataset(dataset)
    rows = rows_of_each(dataset, each, seed)
    values = model.barcodes(dataset.images[np.concatenate(rows)]).astype(np.float64)
    ends = np.cumsum([len(ids) for ids in rows])
    means = np.stack([part.mean(axis=0) for part in np.split(values, ends[:-1])])
    return AverageBarcodes(means, np.array([len(ids) for ids in rows]), dataset.class_names)


def detrended_barcodes(
    model: ModelLike,
    dataset: DataLike,
    each: int = 10,
    *,
    average: AverageBarcodes | None = None,
    seed: int | None = None,
) -> DetrendedBarcodes:
    """Return barcodes of some images of every class, minus the mean of the average barcodes of all classes.

    The remainder shows which entries distinguish a digit from the others.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    dataset : Dataset, Splits, str or path-like
        Labeled; see `inksight.data.as_dataset`.
    each : int
        Images per class; a class with fewer images gives all of them.
    average : AverageBarcodes, optional
        The averages to subtract the mean of; by default those of `average_barcodes` with its 50 images per class.
    seed : int, optional
        Choose the images at random; by default the first ones are used.

    Returns
    -------
    DetrendedBarcodes
        With `values` (n, filters), where n is `each` times the number of classes if every class has enough images.

    Raises
    ------
    InputError
        If the dataset has no labels, a class has no image, or the averages are not of barcodes of this model.

    Examples
    --------
    >>> import inksight
    >>> model = Model.untrained(inksight.config.get_network("post"))
    >>> detrended_barcodes(model, inksight.load("mnist"), each=10).values.shape
    (100, 40)
    """
    model, dataset = as_model(model), as_dataset(dataset)
    if average is None:
        average = average_barcodes(model, dataset, seed=seed)
    filters = model.network.banks[-1].filters
    suited = isinstance(average, AverageBarcodes) and average.means.shape[-1] == filters
    check(suited, "average", average, f"average barcodes of the same model, {filters} entries each")
    rows = rows_of_each(dataset, each, seed)
    ids = np.concatenate(rows)
    labels = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    trend = average.trend
    return DetrendedBarcodes(model.barcodes(dataset.images[ids]) - trend, labels, ids, trend, dataset.class_names)


def barcodes_of(model: Model, images: NDArray[np.generic], known: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the barcodes (n, filters) of images (n, 28, 28): the `known` ones after a check, or else the model's."""
    if known is None:
        return model.barcodes(images).astype(np.float64)
    values = np.asarray(known, np.float64)
    shape = (len(images), model.network.banks[-1].filters)
    check(values.shape == shape, "shape of barcodes", values.shape, f"{shape}, one row per image of the dataset")
    check(bool(np.isfinite(values).all()), "barcodes", "a value that is not finite", "finite")
    return values


def rows_of_each(dataset: Dataset, each: int, seed: int | None) -> list[NDArray[np.int64]]:
    """Return for every class the rows of its first `each` images, or of as many random ones if `seed` is given."""
    check(is_count(each), "images per class", each, "a whole number of at least 1")
    labels = dataset.require_every_class("averaging barcodes")
    rows = [np.flatnonzero(labels == number) for number in range(len(dataset.class_names))]
    if seed is not None:
        check_seed(seed)
        random = np.random.default_rng(seed)
        rows = [np.sort(random.permutation(ids)[:each]) for ids in rows]
    return [ids[:each] for ids in rows]
