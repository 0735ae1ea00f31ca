"""`Clouds`: where each class lies among all that a network knows of an image; what lies far off is no digit."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check, is_between
from inksight.nn.logistic import fit_logistic

Seen = tuple[NDArray[np.float32], NDArray[np.float32]]  # points (n, features), and probabilities (n, classes)

RIDGE = 1e-3  # of the mean variance, added to each: maps that never vary have none
LEAST = 1e-6  # probability: what is less counts as much


@dataclass(frozen=True, eq=False, repr=False)
class Clouds:
    """One cloud of points a class, all of one shape, and how far off its nearest a digit may lie.

    Parameters
    ----------
    centres : (classes, features) float32
        The mean of each class.
    whitening : (features, features) float32
        Points times this have no correlation and a variance of 1 within a class.
    limit : float
        Strangeness (`inksight.nn.ood.strangeness`) above which an image is no digit.
    scraps : (features + classes + 1,) float32, optional
        Weights of a point, whitened, of the logarithms of its probabilities, and of 1, whose sum is the logarithm of
        the odds that it is a scrap (`inksight.augmentation.synthetic_negatives`) and not one whole digit.

    Raises
    ------
    InputError
        If the arrays do not fit each other, or a value is not finite.
    """

    centres: NDArray[np.float32]
    whitening: NDArray[np.float32]
    limit: float
    scraps: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        features = self.centres.shape[-1]
        good = self.centres.ndim == 2 and self.whitening.shape == (features, features)
        check(good, "shapes of clouds", (self.centres.shape, self.whitening.shape), "(classes, f) and (f, f)")
        sums = (features + len(self.centres) + 1,)
        good = self.scraps is None or self.scraps.shape == sums
        check(good, "shape of clouds' scraps", None if self.scraps is None else self.scraps.shape, str(sums))
        for name, array in self.arrays.items():
            check(array.dtype == np.float32, f"type of clouds' {name}", str(array.dtype), "float32")
            check(bool(np.isfinite(array).all()), f"clouds' {name}", "a value that is not finite", "finite")
        check(is_between(self.limit, -1e9, 1e9), "clouds' limit", self.limit, "a number")

    def __repr__(self) -> str:
        return f"Clouds({len(self.centres)} of {self.centres.shape[1]} features, limit {self.limit:.3g})"

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays by name."""
        arrays = {"centres": self.centres, "whitening": self.whitening}
        return arrays if self.scraps is None else arrays | {"scraps": self.scraps}

    @classmethod
    def fit(cls, points: ArrayLike, labels: NDArray[np.integer], classes: int) -> Self:
        """Fit clouds to points (n, features) with their labels (n,), every class among them; they have no limit yet.

        Lee, Lee, Lee and Shin, "A simple unified framework for detecting out-of-distribution samples and adversarial
        attacks", NeurIPS 2018: class means, and one covariance for all classes.

        Examples
        --------
        >>> corners = np.array([[0, 0], [0, 2], [2, 0], [2, 2], [9, 0], [9, 2], [11, 0], [11, 2]])
        >>> clouds = Clouds.fit(corners, np.repeat([0, 1], 4), 2)
        >>> clouds.centres.tolist()
        [[1.0, 1.0], [10.0, 1.0]]
        >>> clouds.distances([[1, 1], [2, 1]]).round(2)
        array([0. , 0.5])
        """
        x = np.asarray(points, np.float64)
        centres = np.stack([x[labels == k].mean(axis=0) for k in range(classes)])
        covariance = np.atleast_2d(np.cov((x - centres[labels]).T, bias=True))
        covariance += (RIDGE * np.trace(covariance) / len(covariance) + 1e-12) * np.eye(len(covariance))
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T
        return cls(centres.astype(np.float32), whitening.astype(np.float32, order="C"), 0.0)

    def distances(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return how far points (n, features) are from their nearest cloud, (n,).

        Mahalanobis' distance, squared and by the number of features: 1, on average, for those of a class.
        """
        x = np.asarray(points, np.float32) @ self.whitening
        centres = self.centres @ self.whitening
        squares = (x**2).sum(axis=1)[:, None] - 2 * x @ centres.T + (centres**2).sum(axis=1)
        nearest: NDArray[np.float64] = np.maximum(squares.min(axis=1), 0).astype(np.float64) / x.shape[1]
        return nearest

    def with_scraps(self, digits: Seen, scraps: Seen) -> Self:
        """Return clouds that tell scraps from digits, both given with their points and probabilities."""
        rows = np.concatenate([self._sums(*digits), self._sums(*scraps)])
        weights = fit_logistic(rows, np.arange(len(rows)) >= len(digits[0]))
        return replace(self, scraps=weights.astype(np.float32))

    def scrap_odds(self, points: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithm of the odds that points (n, features) are scraps, (n,); 0 if that was never learnt."""
        sums = self._sums(points, probabilities)
        if self.scraps is None:
            return np.zeros(len(sums))
        odds: NDArray[np.float64] = sums @ self.scraps[:-1].astype(np.float64) + float(self.scraps[-1])
        return odds

    def _sums(self, points: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
        likely = np.log(np.maximum(np.asarray(probabilities, np.float64), LEAST))
        return np.concatenate([np.asarray(points, np.float32) @ self.whitening, likely], axis=1)
