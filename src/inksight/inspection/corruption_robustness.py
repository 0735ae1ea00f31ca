"""`robustness`: the accuracy of a model on corrupted images, for eleven corruptions at five severities."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.progress import track
from inksight._shared.validation import check, is_count
from inksight.augmentation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from inksight.config import IMAGE_SIZE
from inksight.data.loading import DataLike, as_dataset
from inksight.imaging.preprocessing import prepare_grayscale
from inksight.inspection.evaluation import require_suited
from inksight.nn.ensemble_file import Classifier, ClassifierLike, as_classifier


@dataclass(frozen=True, eq=False, repr=False)
class Robustness(Display):
    """The accuracy of a model on clean images and under each corruption at each severity.

    Parameters
    ----------
    name : str
        Name of the images.
    images : int
        Number of images.
    clean_accuracy : float, 0..1
        Accuracy on the unchanged images.
    accuracies : (corruptions, 5) float64, 0..1
        Accuracy under each of `CORRUPTIONS`, in their order, by severity. An image without any ink counts as wrong.
    example : (28, 28) uint8
        The unchanged image with the median amount of ink.
    examples : (corruptions, 5, 28, 28) uint8
        The same image under each corruption at each severity.
    prepared_clean_accuracy : float or None
        As `clean_accuracy`, but each image is preprocessed first; None if that was not requested.
    prepared_accuracies : (corruptions, 5) float64 or None
        As `accuracies`, but each corrupted image is preprocessed first.
    """

    name: str
    images: int
    clean_accuracy: float
    accuracies: NDArray[np.float64]
    example: NDArray[np.uint8]
    examples: NDArray[np.uint8]
    prepared_clean_accuracy: float | None = None
    prepared_accuracies: NDArray[np.float64] | None = None

    @property
    def mean(self) -> float:
        """Mean accuracy over all corruptions and severities, 0..1."""
        return float(self.accuracies.mean())

    @property
    def prepared_mean(self) -> float | None:
        """As `mean`, but each corrupted image is preprocessed first; None if that was not requested."""
        return None if self.prepared_accuracies is None else float(self.prepared_accuracies.mean())

    @property
    def worst(self) -> str:
        """Name of the corruption with the lowest mean accuracy over its five severities."""
        return list(CORRUPTIONS)[int(self.accuracies.mean(axis=1).argmin())]

    def __repr__(self) -> str:
        clean = f"{self.clean_accuracy:.2%} of {self.images:,} images right"
        return f"Robustness({self.name!r}, {clean}, {self.mean:.2%} corrupted)"

    def __str__(self) -> str:
        text = f"{self.name}: {self.clean_accuracy:.2%} of {self.images:,} clean images right, {self.mean:.2%} "
        text += f"under {len(CORRUPTIONS)} corruptions at five severities; worst: {self.worst}"
        parts = [text, "", _table(self.accuracies)]
        if self.prepared_accuracies is not None:
            text = f"preprocessed: {self.prepared_clean_accuracy:.2%} of the clean images right, "
            parts += ["", text + f"{self.prepared_mean:.2%} corrupted", "", _table(self.prepared_accuracies)]
        return "\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; null where preprocessing was not requested."""
        prepared = [None] * len(CORRUPTIONS) if self.prepared_accuracies is None else self.prepared_accuracies.tolist()
        figures = zip(CORRUPTIONS.items(), self.accuracies.tolist(), prepared, strict=True)
        return {
            "data": self.name,
            "images": self.images,
            "clean_accuracy": self.clean_accuracy,
            "mean": self.mean,
            "worst": self.worst,
            "prepared_clean_accuracy": self.prepared_clean_accuracy,
            "prepared_mean": self.prepared_mean,
            "corruptions": {
                name: {
                    "unit": corruption.unit,
                    "strengths": list(corruption.strengths),
                    "accuracy": row,
                    "prepared_accuracy": prepared_row,
                }
                for (name, corruption), row, prepared_row in figures
            },
        }


def robustness(
    model: ClassifierLike,
    data: DataLike,
    *,
    images: int = 2000,
    seed: int = 0,
    prepare: bool = False,
    progress: bool = True,
) -> Robustness:
    """Evaluate a model on corrupted images: each of `CORRUPTIONS` at five severities.

    The five severities follow Hendrycks and Dietterich, "Benchmarking neural network robustness to common corruptions
    and perturbations", ICLR 2019. Some of the corruptions are also in Mu and Gilmer, "MNIST-C", 2019.

    Parameters
    ----------
    model : Model, Ensemble, str or path-like
        A model or an ensemble, a shipped model by its name, or the path of a file of either.
    data : Dataset, Splits, str or path-like
        Labeled, with the classes of the model. Of splits or a source, the validation images: test images are for one
        measurement at the end.
    images : int
        Number of images, chosen by `seed`; all of them if there are fewer.
    seed : int
        For the choice of images and for the random parts of the corruptions.
    prepare : bool
        Also evaluate on the corrupted images after preprocessing as in `inksight.read`
        (`inksight.imaging.preprocessing.prepare_grayscale`). Takes about a minute for 2,000 images.
    progress : bool
        Show a progress bar on standard error, if that is a terminal or a notebook.

    Returns
    -------
    Robustness

    Raises
    ------
    InputError
        If the data is empty, unlabeled, or has other classes than the model.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:50]
    >>> result = robustness(inksight.Model.untrained(inksight.config.get_network("4x5p,8x3")), data, progress=False)
    >>> result.images, result.accuracies.shape
    (50, (11, 5))
    """
    check(is_count(images), "images", images, "1 or more")
    check(is_count(seed, 0), "seed", seed, "0 or more")
    model, data = as_classifier(model), as_dataset(data, "validation")
    labels = require_suited(data, model, "a robustness test")
    rows = np.random.default_rng(seed).permutation(len(data))[:images]
    chosen, labels = data.images[rows], labels[rows]
    example = int(np.argsort(chosen.sum(axis=(1, 2)), kind="stable")[len(chosen) // 2])
    clean_accuracy = _accuracy(model, chosen, labels, prepare)
    accuracies = np.empty((len(CORRUPTIONS), SEVERITIES, len(clean_accuracy)))
    examples = np.empty((len(CORRUPTIONS), SEVERITIES, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    jobs = [(i, j) for i in range(len(CORRUPTIONS)) for j in range(SEVERITIES)]
    for i, j in track(jobs, "corrupting and evaluating", progress):
        corrupted = corrupt(chosen, list(CORRUPTIONS)[i], j + 1, seed=seed)
        examples[i, j] = corrupted[example]
        accuracies[i, j] = _accuracy(model, corrupted, labels, prepare)
    result = Robustness(data.name, len(chosen), clean_accuracy[0], accuracies[..., 0], chosen[example], examples)
    if prepare:
        return replace(result, prepared_clean_accuracy=clean_accuracy[1], prepared_accuracies=accuracies[..., 1])
    return result


def _accuracy(model: Classifier, images: NDArray[np.uint8], labels: NDArray[np.int64], prepare: bool) -> list[float]:
    """Return the accuracy on images and, if `prepare`, on the same images after preprocessing."""
    versions = [images]
    if prepare:
        versions.append(np.stack([prepare_grayscale(image / 255).image for image in images]))
    # An image without ink shows no digit, so any prediction is wrong.
    return [float(((model.predict(x) == labels) & x.any(axis=(1, 2))).mean()) for x in versions]


def _table(accuracies: NDArray[np.float64]) -> str:
    """Return a table with a row per corruption: accuracy by severity, their mean, and the strengths."""
    heads = "".join(f"{number:>9}" for number in range(1, SEVERITIES + 1))
    rows = [f"{'corruption':<16}{heads}{'mean':>9}  strengths"]
    for (name, corruption), row in zip(CORRUPTIONS.items(), accuracies, strict=True):
        figures = "".join(f"{value:>9.2%}" for value in (*row, row.mean()))
        strengths = ", ".join(f"{strength:g}" for strength in corruption.strengths)
        rows.append(f"{name:<16}{figures}  {strengths} {corruption.unit}")
    return "\n".join(rows)
