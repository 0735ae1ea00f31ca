"""`robustness`: how much of its accuracy a model keeps when its images are changed, in eleven ways and five strengths."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.progress import track
from inksight._shared.validation import check, is_count
from inksight.augmentation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from inksight.config import IMAGE_SIZE
from inksight.data.dataset import Dataset
from inksight.imaging.preprocessing import prepare_grayscale
from inksight.inspection.evaluation import require_suited
from inksight.nn.model import Model


@dataclass(frozen=True, eq=False, repr=False)
class Robustness(Display):
    """How many of some images a model reads right as they are, and under each change in each strength.

    Parameters
    ----------
    name : str
        Of the images.
    images : int
        How many.
    clean_accuracy : float, 0..1
        Accuracy on the images as they are.
    accuracies : (changes, 5) float64, 0..1
        Accuracy under each of `CORRUPTIONS`, in their order, by strength; an image without any ink counts as wrong.
    example : (28, 28) uint8
        The image with the median of ink, as it is.
    examples : (changes, 5, 28, 28) uint8
        The same under each change.
    prepared_clean_accuracy : float or None
        As `clean_accuracy`, each image prepared first; None if that was not asked for.
    prepared_accuracies : (changes, 5) float64 or None
        As `accuracies`, each changed image prepared first.
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
        """Mean accuracy over all changes and strengths, 0..1."""
        return float(self.accuracies.mean())

    @property
    def prepared_mean(self) -> float | None:
        """Mean accuracy on images prepared first, 0..1."""
        return None if self.prepared_accuracies is None else float(self.prepared_accuracies.mean())

    @property
    def worst(self) -> str:
        """The change that costs most, over its five strengths."""
        return list(CORRUPTIONS)[int(self.accuracies.mean(axis=1).argmin())]

    def __repr__(self) -> str:
        return f"Robustness({self.name!r}, {self.clean_accuracy:.2%} of {self.images:,} images right, {self.mean:.2%} changed)"

    def __str__(self) -> str:
        text = f"{self.name}: {self.clean_accuracy:.2%} of {self.images:,} images right as they are, {self.mean:.2%} "
        text += f"under {len(CORRUPTIONS)} changes in five strengths; worst: {self.worst}"
        parts = [text, "", _table(self.accuracies)]
        if self.prepared_accuracies is not None:
            text = f"prepared first: {self.prepared_clean_accuracy:.2%} right as they are, {self.prepared_mean:.2%} "
            parts += ["", text + "changed", "", _table(self.prepared_accuracies)]
        return "\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; null stands for what was not asked for."""
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
            "changes": {
                name: {"unit": one.unit, "strengths": list(one.strengths), "accuracy": row, "prepared_accuracy": other}
                for (name, one), row, other in figures
            },
        }


def robustness(
    model: Model, data: Dataset, *, images: int = 2000, seed: int = 0, prepare: bool = False, progress: bool = True
) -> Robustness:
    """Try a model on changed images: `CORRUPTIONS`, each in five strengths.

    Hendrycks and Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations", ICLR
    2019, have five strengths, too; Mu and Gilmer, "MNIST-C", 2019, have some of these changes.

    Parameters
    ----------
    model : Model
    data : Dataset
        Labelled, of the model's classes.
    images : int
        How many to take, chosen by `seed`; all if there are fewer.
    seed : int
        Of the choice, and of all that is random in the changes.
    prepare : bool
        Try the changed images a second time, each prepared first as `inksight.read` does
        (`inksight.imaging.preprocessing.prepare_grayscale`): about a minute for 2,000.
    progress : bool
        Show a bar where a terminal or a notebook can show it, on standard error.

    Returns
    -------
    Robustness

    Raises
    ------
    InputError
        If the data is empty, unlabelled, or of other classes.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:50]
    >>> found = robustness(inksight.Model.untrained(inksight.config.get_network("4x5p,8x3")), data, progress=False)
    >>> found.images, found.accuracies.shape
    (50, (11, 5))
    """
    check(is_count(images), "images", images, "1 or more")
    check(is_count(seed, 0), "seed", seed, "0 or more")
    labels = require_suited(data, model, "a robustness test")
    rows = np.random.default_rng(seed).permutation(len(data))[:images]
    some, labels = data.images[rows], labels[rows]
    example = int(np.argsort(some.sum(axis=(1, 2)), kind="stable")[len(some) // 2])
    clean_accuracy = _right(model, some, labels, prepare)
    accuracies = np.empty((len(CORRUPTIONS), SEVERITIES, len(clean_accuracy)))
    examples = np.empty((len(CORRUPTIONS), SEVERITIES, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    jobs = [(i, j) for i in range(len(CORRUPTIONS)) for j in range(SEVERITIES)]
    for i, j in track(jobs, "changing and reading", progress):
        changed = corrupt(some, list(CORRUPTIONS)[i], j + 1, seed=seed)
        examples[i, j] = changed[example]
        accuracies[i, j] = _right(model, changed, labels, prepare)
    result = Robustness(data.name, len(some), clean_accuracy[0], accuracies[..., 0], some[example], examples)
    if prepare:
        return replace(result, prepared_clean_accuracy=clean_accuracy[1], prepared_accuracies=accuracies[..., 1])
    return result


def _right(model: Model, images: NDArray[np.uint8], labels: NDArray[np.int64], prepare: bool) -> list[float]:
    """Return the accuracy on images and, if asked for, on the same prepared first."""
    tried = [images]
    if prepare:
        tried.append(np.stack([prepare_grayscale(image / 255).image for image in images]))
    # What has no ink has no digit, whatever the network would make of it.
    return [float(((model.predict(x) == labels) & x.any(axis=(1, 2))).mean()) for x in tried]


def _table(accuracies: NDArray[np.float64]) -> str:
    """Return a row a change: its accuracy in each strength, their mean, and what the strengths are."""
    heads = "".join(f"{number:>9}" for number in range(1, SEVERITIES + 1))
    rows = [f"{'change':<16}{heads}{'mean':>9}  strengths"]
    for (name, one), row in zip(CORRUPTIONS.items(), accuracies, strict=True):
        figures = "".join(f"{value:>9.2%}" for value in (*row, row.mean()))
        rows.append(f"{name:<16}{figures}  {', '.join(f'{x:g}' for x in one.strengths)} {one.unit}")
    return "\n".join(rows)
