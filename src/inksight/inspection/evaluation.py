"""`evaluate`: the accuracy, calibration, confusions and hardest images of a model on labeled images."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, is_count
from inksight.data.dataset import Dataset
from inksight.data.loading import DataLike, as_dataset
from inksight.errors import InputError
from inksight.inspection.reliability import Calibration, calibration_curve, share
from inksight.nn.ensemble_file import Classifier, ClassifierLike, as_classifier
from inksight.nn.model import Model


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Display):
    """The predictions of a model on n labeled images, and how good they are.

    Parameters
    ----------
    name : str
        Name of the images.
    class_names : tuple of str
    confusion : (classes, classes) int64
        Number of images by true class (rows) and predicted class (columns).
    log_loss : float
        Mean negative log probability of the true class, in nats.
    calibration : Calibration
    predictions : (n,) int64
    label_probability : (n,) float64, 0..1
        Probability of the true class.
    hardest : (k,) int64
        Rows of the images with the lowest probability of the true class, lowest first.
    hardest_images : (k, 28, 28) uint8
    hardest_labels, hardest_predictions : (k,) int64
    hardest_label_probability : (k,) float64, 0..1
        Probability of the true class.
    """

    name: str
    class_names: tuple[str, ...]
    confusion: NDArray[np.int64]
    log_loss: float
    calibration: Calibration
    predictions: NDArray[np.int64]
    label_probability: NDArray[np.float64]
    hardest: NDArray[np.int64]
    hardest_images: NDArray[np.uint8]
    hardest_labels: NDArray[np.int64]
    hardest_predictions: NDArray[np.int64]
    hardest_label_probability: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Number of images."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of right predictions, 0..1."""
        return float(np.trace(self.confusion) / self.n)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the accuracy; see `wilson_interval`."""
        return wilson_interval(int(np.trace(self.confusion)), self.n)

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of the predictions of each class that are right, (classes,); NaN for a class never predicted."""
        return share(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of the images of each class that are predicted right, (classes,); NaN for a class without images."""
        return share(np.diag(self.confusion), self.confusion.sum(axis=1))

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0..1."""
        return self.calibration.error

    def __repr__(self) -> str:
        return f"Evaluation({self.name!r}, {self.accuracy:.2%} of {self.n:,} images right)"

    def __str__(self) -> str:
        low, high = self.interval
        errors = self.n - int(np.trace(self.confusion))
        rows = [
            f"{self.name}: {self.accuracy:.2%} of {self.n:,} images right (95 % interval {low:.2%} to {high:.2%}), "
            f"{errors:,} wrong",
            f"log loss {self.log_loss:.4f}, calibration error {self.calibration_error:.2%}",
            "",
            f"{'class':>8}{'images':>9}{'precision':>11}{'recall':>9}",
        ]
        columns = zip(self.class_names, self.confusion.sum(axis=1), self.precision, self.recall, strict=True)
        rows += [f"{name:>8}{count:>9,}{_percent(p):>11}{_percent(r):>9}" for name, count, p, r in columns]
        return "\n".join(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; null where a precision or recall is undefined."""
        return {
            "data": self.name,
            "n": self.n,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "log_loss": self.log_loss,
            "calibration_error": self.calibration_error,
            "class_names": list(self.class_names),
            "precision": [None if math.isnan(x) else x for x in self.precision.tolist()],
            "recall": [None if math.isnan(x) else x for x in self.recall.tolist()],
            "confusion": self.confusion.tolist(),
            "hardest": [
                {
                    "id": int(i),
                    "label": self.class_names[a],
                    "predicted": self.class_names[b],
                    "label_probability": float(p),
                }
                for i, a, b, p in zip(
                    self.hardest,
                    self.hardest_labels,
                    self.hardest_predictions,
                    self.hardest_label_probability,
                    strict=True,
                )
            ],
        }


def evaluate(model: ClassifierLike, data: DataLike, *, hardest: int = 50, bins: int = 15) -> Evaluation:
    """Evaluate a model on labeled images.

    Parameters
    ----------
    model : Model, Ensemble, str or path-like
        A model or an ensemble, a shipped model by its name, or the path of a file of either.
    data : Dataset, Splits, str or path-like
        Labeled, with the classes of the model and at least one image; see `inksight.data.as_dataset`.
    hardest : int
        Number of hardest images to keep; all of them if there are fewer.
    bins : int
        Number of equally wide confidence bins for the calibration.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If the data is empty, unlabeled, or has other classes than the model.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:100]
    >>> evaluate(inksight.Model.untrained(inksight.config.get_network("4x5p,8x3")), data).n
    100
    """
    check(is_count(hardest, 0), "hardest", hardest, "0 or more")
    check(is_count(bins), "bins", bins, "1 or more")
    model, data = as_classifier(model), as_dataset(data)
    labels = require_suited(data, model, "evaluation")

    log_p = model.log_probabilities(data.images)
    predictions = log_p.argmax(axis=1)
    log_p_true = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    confusion = np.zeros((len(model.class_names),) * 2, np.int64)
    np.add.at(confusion, (labels, predictions), 1)
    ids = np.argsort(log_p_true, kind="stable")[:hardest]
    return Evaluation(
        name=data.name,
        class_names=model.class_names,
        confusion=confusion,
        log_loss=-float(log_p_true.mean()),
        calibration=calibration_curve(np.exp(log_p.max(axis=1)), predictions == labels, bins),
        predictions=predictions,
        label_probability=np.exp(log_p_true),
        hardest=ids,
        hardest_images=data.images[ids],
        hardest_labels=labels[ids],
        hardest_predictions=predictions[ids],
        hardest_label_probability=np.exp(log_p_true[ids]),
    )


def require_suited(data: Dataset, model: Classifier, purpose: str) -> NDArray[np.int64]:
    """Return the labels of data on which a model can be evaluated.

    Raises
    ------
    InputError
        If the data is empty, unlabeled, or has other classes than the model; `purpose` stands in the message.
    """
    labels = data.require_labels(purpose)
    if len(data) == 0:
        raise InputError(f"{purpose} needs at least one image, got none in {data.name!r}")
    check(
        data.class_names == model.class_names, "classes of the data", data.class_names,
        f"the model's {model.class_names}",
    )  # fmt: skip
    return labels


SEEN_IN_TRAINING = "The model was trained on these images or some of them: expect a lower accuracy on others."


def seen_in_training(model: Classifier, data: Dataset, part: str) -> bool:
    """Return whether the model is known to be trained on images of a part of the data.

    Parameters
    ----------
    model : Model or Ensemble
        Of an ensemble, whether one of its models is.
    data : Dataset
        A whole source.
    part : {"train", "validation", "test", "all"}
        As in `Dataset.part`.
    """
    if not isinstance(model, Model):
        return any(seen_in_training(member, data, part) for member in model.models)
    if model.trained_on == data.digest:
        return True
    seen = data.split().seen_by(model.trained_on) if len(data) > 1 else ()
    return bool(seen) if part == "all" else part in seen


def wilson_interval(right: int, n: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a proportion, given `right` successes in `n` trials.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927. Unlike the normal
    approximation, it is accurate near 100 %, which is where these networks are.

    Examples
    --------
    >>> low, high = wilson_interval(99, 100)
    >>> round(low, 4), round(high, 4)
    (0.9455, 0.9982)
    """
    z = 1.959963984540054  # 97.5 % quantile of the normal distribution
    p = right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At 0 and n the interval ends exactly at 0 and 1; rounding would miss that.
    return (0.0 if right == 0 else middle - half), (1.0 if right == n else middle + half)


def _percent(value: float) -> str:
    """Return a share as a percentage, or a dash if it is undefined."""
    return "-" if math.isnan(value) else f"{value:.2%}"
