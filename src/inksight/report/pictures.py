"""`gallery`: the plots of a report, in order, each with an explanation for readers who are new to it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, is_count
from inksight.data.dataset import Dataset
from inksight.data.loading import DataLike, as_dataset
from inksight.inspection.attribution import evidence
from inksight.inspection.banks import feature_maps, filter_similarity, filters
from inksight.inspection.barcodes import AverageBarcodes, average_barcodes, barcode, detrended_barcodes
from inksight.inspection.evaluation import Evaluation
from inksight.inspection.geometry import embedding, separation
from inksight.inspection.nearest import Neighbours, neighbours
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model

SIMILARITY_IMAGES = 500  # images for comparing feature maps: more make no visible difference


@dataclass(frozen=True)
class Picture:
    """One picture of a gallery, drawn on demand.

    Parameters
    ----------
    name : str
        File name without suffix.
    section : str
        Heading of its section.
    title : str
    text : str
        Explanation in a few sentences.
    draw : callable
        Computes and returns the figure.
    """

    name: str
    section: str
    title: str
    text: str
    draw: Callable[[], Figure]


def gallery(model: ModelLike, dataset: DataLike, image: int = 0, evaluation: Evaluation | None = None) -> list[Picture]:
    """List all pictures of a model and of the images it is inspected with.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    dataset : Dataset, Splits, str or path-like
        Images to inspect the model with, preferably not its training images; see `inksight.data.as_dataset`. Without
        labels, or if a class has no image, pictures of classes are left out.
    image : int
        Row of the image for the feature maps, the barcode and the evidence.
    evaluation : Evaluation, optional
        Evaluation on this dataset; adds pictures of it.

    Returns
    -------
    list of Picture

    Raises
    ------
    InputError
        If `image` is not a row of the dataset.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("post"))
    >>> [picture.name for picture in gallery(model, inksight.load("mnist")[:100])][:3]
    ['one-of-each', 'examples', 'counts']
    """
    model, dataset = as_model(model), as_dataset(dataset)
    check(is_count(image, 0) and image < len(dataset), "image", image, f"a row from 0 to {len(dataset) - 1}")
    inputs = _Inputs(model, dataset, image)
    classes = dataset.labels is not None and bool(dataset.counts.all())
    pictures = _digits(dataset, classes)
    if len(model.history):
        pictures.append(_training(model))
    if evaluation is not None:
        pictures += _evaluation(evaluation)
    pictures += _filters(model, dataset)
    pictures += _feature_maps(inputs)
    return pictures + (_barcodes(inputs, evaluation) if classes else [_one_barcode(inputs)])


@dataclass(frozen=True)
class _Inputs:
    """The inputs of several pictures, computed once."""

    model: Model
    dataset: Dataset
    row: int

    @property
    def image(self) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = self.dataset.images[self.row]
        return image

    @cached_property
    def barcodes(self) -> NDArray[np.float32]:
        return self.model.barcodes(self.dataset.images)

    @cached_property
    def average(self) -> AverageBarcodes:
        return average_barcodes(self.model, self.dataset)


def _digits(dataset: Dataset, classes: bool) -> list[Picture]:
    pictures = [
        Picture(
            "examples", "The digits", "Examples of each digit",
            "The input of the network: images of 28 by 28 gray pixels. People write the same digit in many ways: "
            "slanted, thick, open or closed. Some digits are ambiguous even for people.",
            lambda: dataset.plot(seed=1),
        )
    ]  # fmt: skip
    if classes:
        first = Picture(
            "one-of-each", "The digits", "One image of each digit",
            "The classes that the network distinguishes.",
            lambda: dataset.plot(kind="one_of_each"),
        )  # fmt: skip
        pictures.insert(0, first)
    if dataset.labels is not None:
        counts = Picture(
            "counts", "The digits", "The number of images of each digit",
            "They should be about equally frequent: a network that sees few images of a digit learns to expect few.",
            lambda: dataset.plot(kind="counts"),
        )  # fmt: skip
        pictures.append(counts)
    return pictures


def _training(model: Model) -> Picture:
    return Picture(
        "history", "Training", "Loss and accuracy, epoch by epoch",
        "The loss is high when the network gives the true labels a low probability. Training changes every weight a "
        "little at a time to lower it. The network is not trained on the validation images, so their curve shows how "
        "it does on new digits. Training images are rotated, shifted and slanted at random. That makes them harder, "
        "so the training curve can be the worse one.",
        model.history.plot,
    )  # fmt: skip


def _evaluation(evaluation: Evaluation) -> list[Picture]:
    section = "Accuracy"
    return [
        Picture(
            "confusion", section, "Confusion matrix",
            "Rows are the true digits, columns the digits that the network read. Numbers off the diagonal are "
            "mistakes.",
            lambda: evaluation.plot(),
        ),
        Picture(
            "calibration", section, "Calibration",
            "The accuracy of predictions, grouped by their confidence. On the dotted line the two agree: 80 % of the "
            "predictions with a confidence of 80 % are right.",
            evaluation.calibration.plot,
        ),
        Picture(
            "hardest", section, "The hardest images",
            "The images for which the network gave the true digit the lowest probability. People would disagree about "
            "some of them, too.",
            lambda: evaluation.plot(kind="hardest"),
        ),
    ]  # fmt: skip


def _filters(model: Model, dataset: Dataset) -> list[Picture]:
    section = "Filters"
    images = dataset.images[:SIMILARITY_IMAGES]
    pictures = []
    for number, bank in enumerate(model.network.banks, start=1):
        size = f"{bank.filters} filters of {bank.kernel} by {bank.kernel}"
        text = (
            f"{size} weights. A filter slides over the image and responds strongly where the ink looks like its "
            "weights: red weights respond to ink, blue ones to paper. Training alone produces detectors for edges in "
            "all directions and for spots."
            if number == 1
            else f"{size} weights per input channel. Each row is a filter. Each column is a feature map of the bank "
            "below, which the filter reads. These filters respond to combinations of what the filters below have "
            "detected."
        )
        pictures.append(
            Picture(
                f"filters-{number}", section, f"The filters of bank {number}", text,
                partial(_plot, filters, model, number),
            )
        )  # fmt: skip
    for number in range(1, len(model.network.banks) + 1):
        pictures.append(
            Picture(
                f"similarity-{number}", section, f"The similarity of the filters of bank {number}",
                "Every filter compared with every other, by weights and by feature maps. A pair close to 1 is "
                "redundant, so fewer filters may be enough.",
                partial(_plot, filter_similarity, model, number, images),
            )
        )  # fmt: skip
    return pictures


def _feature_maps(inputs: _Inputs) -> list[Picture]:
    texts = (
        "The response of each filter to one image: bright where the filter detects its pattern.",
        "The next bank. Its maps are smaller, and each position sees a larger part of the digit.",
    )
    return [
        Picture(
            f"maps-{number}", "Feature maps", f"The feature maps of one image in bank {number}",
            texts[min(number, 2) - 1],
            partial(_plot, feature_maps, inputs.model, inputs.image, number),
        )
        for number in range(1, len(inputs.model.network.banks) + 1)
    ]  # fmt: skip


BARCODES = "Barcodes"


def _one_barcode(inputs: _Inputs) -> Picture:
    return Picture(
        "barcode", BARCODES, "The barcode of one image",
        "The averages of the last feature maps are the barcode of the image. It keeps how much of each pattern was "
        "detected, but not where. The network decides by the barcode alone.",
        lambda: barcode(inputs.model, inputs.image).plot(),
    )  # fmt: skip


def _barcodes(inputs: _Inputs, evaluation: Evaluation | None) -> list[Picture]:
    model, dataset = inputs.model, inputs.dataset
    pictures = [
        _one_barcode(inputs),
        Picture(
            "average-barcodes", BARCODES, "The average barcode of each digit",
            "The average over up to 50 images per digit. Some stripes are bright for nearly all digits. The digits "
            "differ in the others.",
            lambda: inputs.average.plot(),
        ),
        Picture(
            "barcode-trend", BARCODES, "The average barcode of all digits",
            "The mean of the average barcodes above: what all digits have in common. It says nothing about which digit "
            "an image shows.",
            lambda: inputs.average.plot(kind="trend"),
        ),
        Picture(
            "detrended-barcodes", BARCODES, "Ten barcodes of each digit, minus the mean of all digits",
            "The barcodes of ten images per digit, minus the average barcode of all digits. The rows of one digit are "
            "similar, although different people wrote them, and they differ from the rows of other digits.",
            lambda: detrended_barcodes(model, dataset, average=inputs.average).plot(),
        ),
        Picture(
            "separation", BARCODES, "Distances between the digits",
            "Distances between the average barcodes, relative to the spread of the barcodes of one digit. At a "
            "distance of 4, a linear boundary between two digits would misclassify about 2 % of the images, at 6 "
            "about 0.1 %.",
            lambda: separation(model, dataset, barcodes=inputs.barcodes).plot(),
        ),
        Picture(
            "embedding", BARCODES, "All barcodes in two dimensions",
            "Each point is an image. The projection keeps the digits as far apart as two dimensions allow. In all "
            "dimensions of the barcode, the digits are further apart than this picture can show.",
            lambda: embedding(model, dataset, barcodes=inputs.barcodes).plot(),
        ),
        Picture(
            "neighbours", BARCODES, "Images with the nearest barcodes",
            "One image of each digit on the left, and to its right the images with the nearest barcodes. They are "
            "similar for the network, even if their pixels differ.",
            lambda: _nearest(inputs, _one_of_each(dataset)).plot(),
        ),
        Picture(
            "evidence", BARCODES, "The evidence for the predicted digit",
            "The margin of the predicted digit over the runner-up, divided among the stripes of the barcode. Red bars "
            "support the predicted digit, blue bars support the runner-up.",
            lambda: evidence(model, inputs.image, inputs.average).plot(),
        ),
    ]  # fmt: skip
    if evaluation is not None and len(evaluation.hardest):
        hardest = evaluation.hardest
        pictures += [
            Picture(
                "evidence-hardest", BARCODES, "The evidence for the hardest image",
                "The same for the image whose true digit got the lowest probability, compared with its true digit.",
                lambda: evidence(
                    model, evaluation.hardest_images[0], inputs.average,
                    against=_misread_class(evaluation),
                ).plot(),
            ),
            Picture(
                "neighbours-hardest", BARCODES, "The nearest barcodes of the hardest images",
                "The hardest images, and to their right the images with the nearest barcodes. The neighbours often "
                "explain a mistake, because they are images of the digit that was read.",
                lambda: _nearest(inputs, hardest[:10]).plot(),
            ),
        ]  # fmt: skip
    return pictures


def _plot(compute: Callable[..., Display], *arguments: Any) -> Figure:
    """Compute a result and draw it. With `partial`, it binds loop variables at once, which a lambda would not."""
    return compute(*arguments).plot()


def _one_of_each(dataset: Dataset) -> NDArray[np.int64]:
    """Return the row of the first image of each class."""
    labels = dataset.require_labels("one of each")
    return np.array([np.flatnonzero(labels == label)[0] for label in np.unique(labels)])


def _nearest(inputs: _Inputs, rows: NDArray[np.int64]) -> Neighbours:
    """Find the neighbours of some rows of the dataset among the others."""
    dataset = inputs.dataset
    return neighbours(inputs.model, dataset[rows], dataset, barcodes=inputs.barcodes, leave_out=rows)


def _misread_class(evaluation: Evaluation) -> int | None:
    """Return the true class of the hardest image if it was misread, else None."""
    label, prediction = int(evaluation.hardest_labels[0]), int(evaluation.hardest_predictions[0])
    return label if label != prediction else None
