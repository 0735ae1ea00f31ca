"""`MahalanobisDetector`: detects out-of-distribution images by class-conditional Gaussians over features."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check, is_between
from inksight.config import Network
from inksight.nn.logistic import fit_logistic

# Features (n, features) and class probabilities (n, classes) of n images.
Features = tuple[NDArray[np.float32], NDArray[np.float32]]

RIDGE = 1e-3  # share of the mean variance, added to every variance: a constant feature has variance 0
MIN_PROBABILITY = 1e-6  # lower probabilities count as this one


@dataclass(frozen=True, eq=False, repr=False)
class MahalanobisDetector:
    """One Gaussian per class, all with the same covariance, and the threshold beyond which an image is not a digit.

    Parameters
    ----------
    means : (classes, features) float32
        Mean of each class.
    whitening : (features, features) float32
        Features times this are uncorrelated, with variance 1 within a class.
    threshold : float
        Highest out-of-distribution score (`inksight.nn.ood.ood_score`) of an accepted image.
    negative_weights : (features + classes + 1,) float32, optional
        Logistic regression on the whitened features, the log-probabilities and a constant: the log-odds that an image
        is a synthetic negative (`inksight.augmentation.negatives`), not one whole digit.
    temperature : float
        `Model.temperature` when the detector was fitted. `inksight.nn.ood` gives it the probabilities at this
        temperature, so that a model that is calibrated again can keep its detector.

    Raises
    ------
    InputError
        If the shapes do not match, or a value is not finite.
    """

    means: NDArray[np.float32]
    whitening: NDArray[np.float32]
    threshold: float
    negative_weights: NDArray[np.float32] | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        features = self.means.shape[-1] if self.means.ndim else 0
        matching = self.means.ndim == 2 and self.whitening.shape == (features, features)
        check(matching, "shapes of the detector", (self.means.shape, self.whitening.shape), "(classes, f) and (f, f)")
        expected = (features + len(self.means) + 1,)
        weights = self.negative_weights
        shape = None if weights is None else weights.shape
        check(shape in (None, expected), "shape of the detector's negative_weights", shape, str(expected))
        for name, array in self.arrays.items():
            check(array.dtype == np.float32, f"type of the detector's {name}", str(array.dtype), "float32")
            check(bool(np.isfinite(array).all()), f"the detector's {name}", "a value that is not finite", "finite")
        check(is_between(self.threshold, -1e9, 1e9), "the detector's threshold", self.threshold, "a number")
        check(is_between(self.temperature, 1e-3, 1e3), "the detector's temperature", self.temperature, "0.001 to 1000")

    def __repr__(self) -> str:
        classes, features = self.means.shape
        return f"MahalanobisDetector({classes} classes, {features} features, threshold {self.threshold:.3g})"

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays by name."""
        arrays = {"means": self.means, "whitening": self.whitening}
        return arrays if self.negative_weights is None else arrays | {"negative_weights": self.negative_weights}

    def check_fits(self, network: Network) -> None:
        """Raise `InputError` if the detector is not that of a model with this network."""
        shape = (network.classes, sum(bank.filters for bank in network.banks))
        check(self.means.shape == shape, "shape of the detector's means", self.means.shape, str(shape))

    @classmethod
    def fit(cls, features: ArrayLike, labels: NDArray[np.integer], classes: int) -> Self:
        """Fit the Gaussians; the threshold is still 0.

        Parameters
        ----------
        features : (n, features) float
        labels : (n,) int
            A class that does not occur gets the mean of the first one that does, which changes no distance.
        classes : int

        References
        ----------
        Lee, Lee, Lee and Shin, "A simple unified framework for detecting out-of-distribution samples and adversarial
        attacks", NeurIPS 2018.

        Examples
        --------
        >>> corners = np.array([[0, 0], [0, 2], [2, 0], [2, 2], [9, 0], [9, 2], [11, 0], [11, 2]])
        >>> detector = MahalanobisDetector.fit(corners, np.repeat([0, 1], 4), 2)
        >>> detector.means.tolist()
        [[1.0, 1.0], [10.0, 1.0]]
        >>> detector.distances([[1, 1], [2, 1]]).round(2)
        array([0. , 0.5])
        """
        x = np.asarray(features, np.float64)
        present = np.unique(labels)
        means = np.stack([x[labels == (k if k in present else present[0])].mean(axis=0) for k in range(classes)])
        covariance = np.atleast_2d(np.cov((x - means[labels]).T, bias=True))
        covariance += (RIDGE * np.trace(covariance) / len(covariance) + 1e-12) * np.eye(len(covariance))
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T
        return cls(means.astype(np.float32), whitening.astype(np.float32, order="C"), 0.0)

    def distances(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return the squared Mahalanobis distance to the nearest class mean, divided by the number of features.

        Parameters
        ----------
        features : (n, features) float

        Returns
        -------
        (n,) float64
            From 0 up; 1 on average within a class.
        """
        x = np.asarray(features, np.float32) @ self.whitening
        means = self.means @ self.whitening
        squares = (x**2).sum(axis=1)[:, None] - 2 * x @ means.T + (means**2).sum(axis=1)
        nearest: NDArray[np.float64] = np.maximum(squares.min(axis=1), 0).astype(np.float64) / x.shape[1]
        return nearest

    def with_negatives(self, digits: Features, negatives: Features) -> Self:
        """Return the detector with the logistic regression fitted that separates negatives from digits."""
        rows = np.concatenate([self._regressors(*digits), self._regressors(*negatives)])
        weights = fit_logistic(rows, np.arange(len(rows)) >= len(digits[0]))
        return replace(self, negative_weights=weights.astype(np.float32))

    def negative_log_odds(self, features: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Return the log-odds that images are negatives, (n,); 0 without `negative_weights`."""
        rows = self._regressors(features, probabilities)
        if self.negative_weights is None:
            return np.zeros(len(rows))
        weights = self.negative_weights
        log_odds: NDArray[np.float64] = rows @ weights[:-1].astype(np.float64) + float(weights[-1])
        return log_odds

    def _regressors(self, features: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
        log_p = np.log(np.maximum(np.asarray(probabilities, np.float64), MIN_PROBABILITY))
        return np.concatenate([np.asarray(features, np.float32) @ self.whitening, log_p], axis=1)
