"""Which pictures open a network, in which order, and what each says to someone who sees its like for the first time."""

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
from inksight.inspection.attribution import evidence
from inksight.inspection.banks import feature_maps, filter_similarity, filters
from inksight.inspection.barcodes import AverageBarcodes, average_barcodes, barcode, detrended_barcodes
from inksight.inspection.evaluation import Evaluation
from inksight.inspection.geometry import embedding, separation
from inksight.inspection.nearest import Neighbours, neighbours
from inksight.nn.model import Model

SIMILARITY_IMAGES = 500  # whose feature maps are compared: more change nothing that one could see


@dataclass(frozen=True)
class Picture:
    """One picture of a gallery, drawn when asked for.

    Parameters
    ----------
    name : str
        Of its file, without suffix.
    section : str
        Heading it stands under.
    title : str
    text : str
        What there is to see, in a few sentences.
    draw : callable
        Computes, draws, and returns the figure.
    """

    name: str
    section: str
    title: str
    text: str
    draw: Callable[[], Figure]


def gallery(model: Model, dataset: Dataset, image: int = 0, evaluation: Evaluation | None = None) -> list[Picture]:
    """List all pictures of a model and the images it is shown.

    Parameters
    ----------
    model : Model
    dataset : Dataset
        The images to look at; those it was not trained on tell more. Without labels, or with a class that has no
        image, pictures of classes are left out.
    image : int
        Row of the image whose way through the network is drawn.
    evaluation : Evaluation, optional
        Of this dataset; adds its pictures.

    Returns
    -------
    list of Picture

    Raises
    ------
    InputError
        If there is no such image.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("post"))
    >>> [picture.name for picture in gallery(model, inksight.load("mnist")[:100])][:3]
    ['one-of-each', 'examples', 'filters-1']
    """
    check(is_count(image, 0) and image < len(dataset), "image", image, f"a row from 0 to {len(dataset) - 1}")
    show = _Shown(model, dataset, image)
    classes = dataset.labels is not None and bool(dataset.counts.all())
    pictures = _digits(dataset, classes)
    if len(model.history):
        pictures.append(_training(model))
    if evaluation is not None:
        pictures += _evaluation(evaluation)
    pictures += _filters(model, dataset)
    pictures += _feature_maps(show)
    return pictures + (_barcodes(show, evaluation) if classes else [_one_barcode(show)])


@dataclass(frozen=True)
class _Shown:
    """What several pictures need, computed once."""

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
            "What the network has to make sense of: 28 by 28 grey pixels each. People write the same digit in many "
            "ways, slanted, thick, open or closed, and some leave even a reader in doubt.",
            lambda: dataset.plot(seed=1),
        )
    ]  # fmt: skip
    if classes:
        first = Picture(
            "one-of-each", "The digits", "One of each",
            "The ten classes, one image of each.",
            lambda: dataset.plot(kind="one_of_each"),
        )  # fmt: skip
        pictures.insert(0, first)
    return pictures


def _training(model: Model) -> Picture:
    return Picture(
        "history", "Training", "Loss and accuracy, epoch by epoch",
        "The loss says how surprised the network was by the true labels; training turns every weight a little so that "
        "it falls. The validation images are only ever looked at, never learned from: their curve says how the network "
        "does on digits it does not know. Training images are turned, shifted and slanted at random, which makes them "
        "harder: the training curve may well lie on the worse side.",
        model.history.plot,
    )  # fmt: skip


def _evaluation(evaluation: Evaluation) -> list[Picture]:
    section = "How good it is"
    return [
        Picture(
            "confusion", section, "Confusion matrix",
            "Rows are the true digits, columns what the network read. Everything off the diagonal is a mistake.",
            lambda: evaluation.plot(),
        ),
        Picture(
            "calibration", section, "Is it as sure as it should be?",
            "Predictions sorted by how sure the network said it was, against how often it was right. On the dotted "
            "line the two agree: of all it calls 80 % certain, 80 % are right.",
            evaluation.calibration.plot,
        ),
        Picture(
            "hardest", section, "The hardest images",
            "The images whose true digit was given the least probability. Some are written in a way that people would "
            "argue about, too.",
            lambda: evaluation.plot(kind="hardest"),
        ),
    ]  # fmt: skip


def _filters(model: Model, dataset: Dataset) -> list[Picture]:
    section = "Filters"
    some = dataset.images[:SIMILARITY_IMAGES]
    pictures = []
    for number, bank in enumerate(model.network.banks, start=1):
        size = f"{bank.filters} filters of {bank.kernel} by {bank.kernel}"
        text = (
            f"{size} weights each. A filter slides over the image and answers strongly where the ink looks like it: "
            "red weights want ink, blue ones want paper. Edges of all directions, and spots, come out by training "
            "alone; nobody drew them."
            if number == 1
            else f"{size}; a row a filter, a column for each feature map of the bank below that it reads. These no "
            "longer look at ink but at combinations of what the filters below have found."
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
                f"similarity-{number}", section, f"Do the filters of bank {number} differ?",
                "Every filter against every other: by their weights, and by the feature maps that they leave behind. "
                "Pairs near 1 do the same work twice, so fewer filters might do as well.",
                partial(_plot, filter_similarity, model, number, some),
            )
        )  # fmt: skip
    return pictures


def _feature_maps(show: _Shown) -> list[Picture]:
    texts = (
        "What each filter makes of one image: bright where the pattern it looks for was found.",
        "One bank further up. The maps are smaller, and each position sees a larger piece of the digit.",
    )
    return [
        Picture(
            f"maps-{number}", "Feature maps", f"One image in bank {number}", texts[min(number, 2) - 1],
            partial(_plot, feature_maps, show.model, show.image, number),
        )
        for number in range(1, len(show.model.network.banks) + 1)
    ]  # fmt: skip


BARCODES = "Barcodes"


def _one_barcode(show: _Shown) -> Picture:
    return Picture(
        "barcode", BARCODES, "The barcode of one image",
        "Each last feature map is boiled down to its average, and the averages in a row are the image's barcode. Where "
        "in the image a pattern stood is lost; how much of each pattern there was is all that the network decides by.",
        lambda: barcode(show.model, show.image).plot(),
    )  # fmt: skip


def _barcodes(show: _Shown, evaluation: Evaluation | None) -> list[Picture]:
    model, dataset = show.model, show.dataset
    pictures = [
        _one_barcode(show),
        Picture(
            "average-barcodes", BARCODES, "The average barcode of each digit",
            "Barcodes of up to 50 images a digit, averaged. Some stripes are bright for nearly all digits; the others "
            "are where the digits differ.",
            lambda: show.average.plot(),
        ),
        Picture(
            "detrended-barcodes", BARCODES, "Ten barcodes of each digit, without what all share",
            "The mean of all digits taken away from ten images of each. Rows of one digit look alike although "
            "different hands wrote them, and unlike those of the other digits.",
            lambda: detrended_barcodes(model, dataset, average=show.average).plot(),
        ),
        Picture(
            "separation", BARCODES, "How far apart the digits stand",
            "Distances between the average barcodes, measured by how much barcodes of one digit scatter: at 4, about "
            "two in a hundred would fall on the wrong side of a straight cut between two digits, at 6 one in a "
            "thousand.",
            lambda: separation(model, dataset, barcodes=show.barcodes).plot(),
        ),
        Picture(
            "embedding", BARCODES, "All barcodes on a plane",
            "Each point is an image, laid out so that barcodes that differ stand apart. In the full number of "
            "dimensions the clouds are further apart than any flat picture can show.",
            lambda: embedding(model, dataset, barcodes=show.barcodes).plot(),
        ),
        Picture(
            "neighbours", BARCODES, "Images with the nearest barcodes",
            "On the left an image of each digit, beside it the images whose barcodes come closest. The network finds "
            "them alike, whatever their pixels.",
            lambda: _nearest(show, _one_of_each(dataset)).plot(),
        ),
        Picture(
            "evidence", BARCODES, "What speaks for the digit, and what against",
            "The network's lead for the digit it chose over its runner-up, shared out among the stripes of the "
            "barcode: to one side what speaks for the choice, to the other what speaks for the runner-up.",
            lambda: evidence(model, show.image, show.average).plot(),
        ),
    ]  # fmt: skip
    if evaluation is not None and len(evaluation.hardest):
        hard = evaluation.hardest
        pictures += [
            Picture(
                "evidence-hardest", BARCODES, "The same for the hardest image",
                "Here the stripes contradict each other, and the wrong ones won.",
                lambda: evidence(
                    model, evaluation.hardest_images[0], show.average,
                    against=_other(evaluation),
                ).plot(),
            ),
            Picture(
                "neighbours-hardest", BARCODES, "Whom the hardest images resemble",
                "The images that were read worst, beside those with the nearest barcodes: often the network's mistake "
                "is the company an image keeps.",
                lambda: _nearest(show, hard[:10]).plot(),
            ),
        ]  # fmt: skip
    return pictures


def _plot(compute: Callable[..., Display], *arguments: Any) -> Figure:
    """Compute and draw, for a `partial` in a loop, whose variable a lambda would see only at its last value."""
    return compute(*arguments).plot()


def _one_of_each(dataset: Dataset) -> NDArray[np.int64]:
    labels = dataset.require_labels("one of each")
    return np.array([np.flatnonzero(labels == label)[0] for label in np.unique(labels)])


def _nearest(show: _Shown, rows: NDArray[np.int64]) -> Neighbours:
    return neighbours(show.model, show.dataset[rows], show.dataset, barcodes=show.barcodes, leave_out=rows)


def _other(evaluation: Evaluation) -> int | None:
    """Return the true class of the hardest image if it was misread, to set against what was read."""
    label, prediction = int(evaluation.hardest_labels[0]), int(evaluation.hardest_predictions[0])
    return label if label != prediction else None
