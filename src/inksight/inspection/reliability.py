"""Reliability of predictions: their accuracy by confidence, as a calibration curve."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Display):
    """The accuracy of a model's predictions, by their confidence.

    Parameters
    ----------
    bin_confidence : (bins,) float64, 0..1
        Mean probability of the predicted class in each bin; NaN in an empty one.
    bin_accuracy : (bins,) float64, 0..1
        Share of right predictions in each bin; NaN in an empty one.
    bin_count : (bins,) int64
        Images in each bin.
    """

    bin_confidence: NDArray[np.float64]
    bin_accuracy: NDArray[np.float64]
    bin_count: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"Calibration({self.bin_count.sum():,} images, off by {self.error:.2%} on average)"

    @property
    def error(self) -> float:
        """Expected calibration error, 0..1: the mean gap between accuracy and confidence, bins weighted by count.

        Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.
        """
        gaps = np.nan_to_num(np.abs(self.bin_accuracy - self.bin_confidence))
        return float(gaps @ self.bin_count / self.bin_count.sum())


def calibration_curve(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int) -> Calibration:
    """Group predictions into equally wide bins of confidence and measure the accuracy of each bin.

    Parameters
    ----------
    confidence : (n,) float64, 0..1
        Probability of the predicted class.
    right : (n,) bool
        Whether the prediction is right.
    bins : int
    """
    bin_index = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(bin_index, minlength=bins)
    return Calibration(
        bin_confidence=share(np.bincount(bin_index, confidence, bins), count),
        bin_accuracy=share(np.bincount(bin_index, right, bins), count),
        bin_count=count,
    )


def share(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return `part` divided by `whole`, NaN for 0 / 0."""
    with np.errstate(invalid="ignore"):
        share: NDArray[np.float64] = np.true_divide(part, whole)
    return share
