"""`Model`: a trained network, all one needs to use it, and the one file it lives in."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight import __version__
from inksight._shared.validation import check, is_between
from inksight.config import DIGITS, Network, Recipe
from inksight.engine import library as native
from inksight.engine.predictor import Predictor
from inksight.errors import InputError
from inksight.imaging.arrays import as_images
from inksight.nn.history import History
from inksight.nn.lesson import Lesson
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.nn.parameters import NORMALIZATION, bank_stage, flatten_weights, init, kernel, shapes, stages


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network.

    Parameters
    ----------
    network : Network
    params : dict of str to float32 array
        Weights and normalisation by name, as `inksight.nn.parameters.shapes` lists them.
    class_names : tuple of str
        One a class.
    recipe : Recipe or None
        The one it was last trained by.
    history : History
        Of all its training.
    trained_on : str
        Digest of the training images and labels.
    version : str
        Of inksight, when it was trained.
    temperature : float
        What the output layer was divided by to make its probabilities honest: see `inksight.training.calibration`.
    lessons : tuple of Lesson
        What it was taught since, as `inksight.teach` does; `trained_on` is what it had learned from before.
    ood_detector : MahalanobisDetector or None
        Detects images that are not digits; see `inksight.nn.ood`.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> model = Model.untrained(get_network("post"), seed=0)
    >>> model.probabilities(np.zeros((3, 28, 28), np.uint8)).shape
    (3, 10)
    """

    network: Network
    params: dict[str, NDArray[np.float32]]
    class_names: tuple[str, ...] = DIGITS
    recipe: Recipe | None = None
    history: History = field(default_factory=History)
    trained_on: str = ""
    version: str = __version__
    temperature: float = 1.0
    lessons: tuple[Lesson, ...] = ()
    ood_detector: MahalanobisDetector | None = None

    def __post_init__(self) -> None:
        names = self.class_names
        check(len(names) == self.network.classes, "number of class names", len(names), str(self.network.classes))
        check(all(isinstance(name, str) for name in names), "class names", names, "strings")
        expected = shapes(self.network)
        for name in expected.keys() ^ self.params.keys():
            state = "missing" if name in expected else "unknown"
            raise InputError(f"weights must be those of the network, got {name!r} {state}")
        for name, shape in expected.items():
            array = self.params[name]
            check(array.shape == shape, f"shape of {name}", array.shape, str(shape))
            check(array.dtype == np.float32, f"type of {name}", str(array.dtype), "float32")
            check(bool(np.isfinite(array).all()), f"{name}", "a value that is not finite", "finite")
        variance = float(self.params["normalization.variance"])
        check(variance > 0, "normalization.variance", variance, "above 0")
        check(is_between(self.temperature, 1e-3, 1e3), "temperature", self.temperature, "above 0")
        if self.ood_detector is not None:
            points = (self.network.classes, sum(bank.filters for bank in self.network.banks))
            check(
                self.ood_detector.means.shape == points,
                "shape of the detector's means",
                self.ood_detector.means.shape,
                str(points),
            )

    def __getstate__(self) -> dict[str, Any]:
        # Without what it keeps of the engine, which is of this process: so it can be pickled and copied at any time.
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __repr__(self) -> str:
        filters = "-".join(str(bank.filters) for bank in self.network.banks)
        return f"Model({filters} filters, {self.network.classes} classes, {len(self.history)} epochs)"

    @property
    def digest(self) -> str:
        """SHA-256 of the weights and normalisation, in hexadecimal: equal for models that predict the same."""
        return digest(self.params)

    @classmethod
    def untrained(cls, network: Network, seed: int = 0, class_names: Sequence[str] = DIGITS) -> "Model":
        """Return a model with starting weights and no normalisation yet."""
        return cls(network, init(network, seed), tuple(class_names))

    def activations(self, images: ArrayLike, only: Sequence[str] | None = None) -> dict[str, NDArray[np.float32]]:
        """Return every stage by name, or `only` those named, from the same forward pass that predicts.

        Parameters
        ----------
        images : (28, 28) to (n, 28, 28, 1) uint8, or float 0..1
            High = ink; any n, 0 too.
        only : sequence of str, optional
            Stage names out of `stages`; fewer stages need less memory.

        Returns
        -------
        dict of str to float32 array
            As `inksight.nn.forward.activations` describes it, n first.

        Raises
        ------
        InputError
            If the images have another shape or range, or a stage is unknown.
        """
        batch = as_images(images)
        names = self._stages if only is None else tuple(only)
        for name in names:
            if name not in self._stages:  # asked first, because the words for `check` would cost one image dearly
                check(False, "stage", name, "one of " + ", ".join(self._stages))
        if not native.computes():
            from inksight.nn.forward import predict  # brings JAX, which the native engine does without

            return predict(self.network, self.params, batch, names)
        return self._predictor(batch, names)

    @cached_property
    def _stages(self) -> tuple[str, ...]:
        return stages(self.network)

    @cached_property
    def _predictor(self) -> Predictor:
        mean, variance = (float(self.params[NORMALIZATION + name]) for name in ("mean", "variance"))
        return Predictor(self.network, flatten_weights(self.network, self.params), mean, variance)

    def probabilities(self, images: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of each class, (n, classes) 0..1, rows summing to 1; see `activations`."""
        return self.activations(images, only=["probabilities"])["probabilities"]

    def log_probabilities(self, images: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithm of each class's probability, (n, classes), exact near 0 and 1 too; see `activations`."""
        logits = self.activations(images, only=["logits"])["logits"].astype(np.float64)
        result: NDArray[np.float64] = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return result

    def predict(self, images: ArrayLike) -> NDArray[np.int64]:
        """Return the most probable class of each image, (n,); see `activations`."""
        classes: NDArray[np.int64] = self.activations(images, only=["logits"])["logits"].argmax(axis=1)
        return classes

    def barcodes(self, images: ArrayLike) -> NDArray[np.float32]:
        """Return the barcode of each image, (n, filters of the last bank); see `activations`."""
        return self.activations(images, only=["barcode"])["barcode"]

    def logits_from_barcodes(self, barcodes: ArrayLike) -> NDArray[np.float32]:
        """Return the logits (n, classes) that barcodes (n, filters of the last bank) lead to."""
        filters = self.network.banks[-1].filters
        x = np.asarray(barcodes, np.float32)
        check(x.ndim == 2 and x.shape[1] == filters, "shape of barcodes", x.shape, f"(n, {filters})")
        if self.network.dense:
            x = x @ self.params["dense.kernel"] + self.params["dense.bias"]
            x = np.where(x > 0, x, np.float32(self.network.leak) * x)
        logits: NDArray[np.float32] = x @ self.params["output.kernel"] + self.params["output.bias"]
        return logits

    def filters(self, bank: int) -> NDArray[np.float32]:
        """Return the kernels of a bank, counted from 1, as (filters, channels, k, k)."""
        bank_stage(self.network, bank)  # raises if there is no such bank
        weights: NDArray[np.float32] = kernel(self.params, bank)
        return weights.transpose(3, 2, 0, 1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one ``.safetensors`` file; see `inksight.nn.model_file.save_model`."""
        from inksight.nn.model_file import save_model  # which needs `Model` itself

        save_model(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Model":
        """Read a model file; see `inksight.nn.model_file.read_model`."""
        from inksight.nn.model_file import read_model  # which needs `Model` itself

        return read_model(path)


def digest(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    """Return the SHA-256 of arrays with their names, in hexadecimal."""
    result = hashlib.sha256()
    for name in sorted(arrays):
        result.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return result.hexdigest()
