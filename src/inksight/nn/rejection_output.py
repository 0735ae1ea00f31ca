"""`RejectionOutput`: detects what is not a digit by an output of the network that was trained to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check, is_between
from inksight.config import Network


@dataclass(frozen=True, eq=False, repr=False)
class RejectionOutput:
    """An output for "not a digit", beside those of the classes, and the score beyond which an image is rejected.

    The network was trained with one class more than it has. That class is kept here, so that the network's own outputs
    are the probabilities of the other classes if the image shows one of them.

    Parameters
    ----------
    rejection_weights : (units + 1,) float32
        Weights of the units of the layer before the output, and the bias.
    threshold : float
        Highest out-of-distribution score (`inksight.nn.ood.ood_score`) of an accepted image.
    temperature : float
        `Model.temperature` that the weights are divided by.

    Raises
    ------
    InputError
        If the shape is wrong, or a value is not finite.
    """

    rejection_weights: NDArray[np.float32]
    threshold: float
    temperature: float = 1.0

    def __post_init__(self) -> None:
        weights = self.rejection_weights
        check(weights.ndim == 1 and weights.size > 1, "shape of the detector's weights", weights.shape, "(units + 1,)")
        check(weights.dtype == np.float32, "type of the detector's weights", str(weights.dtype), "float32")
        check(bool(np.isfinite(weights).all()), "the detector's weights", "a value that is not finite", "finite")
        check(is_between(self.threshold, -1e9, 1e9), "the detector's threshold", self.threshold, "a number")
        check(is_between(self.temperature, 1e-3, 1e3), "the detector's temperature", self.temperature, "0.001 to 1000")

    def __repr__(self) -> str:
        return f"RejectionOutput({self.rejection_weights.size - 1} units, threshold {self.threshold:.3g})"

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays by name."""
        return {"rejection_weights": self.rejection_weights}

    def check_fits(self, network: Network) -> None:
        """Raise `InputError` if the detector is not that of a model with this network."""
        units = network.dense or network.banks[-1].filters
        shape = self.rejection_weights.shape
        check(shape == (units + 1,), "shape of the detector's weights", shape, f"({units + 1},)")

    def log_odds(self, units: ArrayLike, logits: ArrayLike) -> NDArray[np.float64]:
        """Return the log-odds that images show none of the classes, (n,).

        Parameters
        ----------
        units : (n, units) float
            Values of the layer before the output.
        logits : (n, classes) float
            Logits of the classes, at the detector's temperature.

        Examples
        --------
        >>> detector = RejectionOutput(np.array([1, 0, 0.5], np.float32), 0.0)
        >>> detector.log_odds([[2.0, 7.0]], [[0.0, 0.0]]).round(3)  # 2.5, less the logarithm of two classes at 0
        array([1.807])
        """
        weights = self.rejection_weights.astype(np.float64)
        own = np.asarray(units, np.float64) @ weights[:-1] + weights[-1]
        result: NDArray[np.float64] = own - np.logaddexp.reduce(np.asarray(logits, np.float64), axis=1)
        return result
