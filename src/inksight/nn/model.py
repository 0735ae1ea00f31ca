"""`Model`: a trained network with everything needed to use it."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight import __version__
from inksight._shared.display import Display
from inksight._shared.validation import check, check_seed, is_between, is_text
from inksight.config import DIGITS, Network, Recipe, get_network
from inksight.engine import library as native
from inksight.engine.predictor import Predictor
from inksight.errors import InputError
from inksight.imaging.arrays import as_images
from inksight.nn.fine_tuning_record import FineTuningRecord
from inksight.nn.forward import predict
from inksight.nn.history import History
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import (
    bank_stage,
    effective_kernel,
    flatten_weights,
    init_params,
    param_shapes,
    stage_names,
)
from inksight.nn.rejection_output import RejectionOutput

if TYPE_CHECKING:
    from inksight.data.loading import DataLike
    from inksight.inspection.banks import FeatureMaps
    from inksight.inspection.evaluation import Evaluation

OodDetector: TypeAlias = MahalanobisDetector | RejectionOutput


@dataclass(frozen=True, eq=False)
class Model(Display):
    """A trained network. Its plot shows the filters of a bank, by default the first.

    Parameters
    ----------
    network : Network
    params : dict of str to float32 array
        The trained weights; `inksight.nn.parameters.param_shapes` lists their names and shapes.
    normalization : Normalization
        Mean and variance of the training pixels.
    class_names : tuple of str
        One name per class.
    recipe : Recipe or None
        Recipe of the last training.
    history : History
        All epochs, of every training.
    trained_on : str
        Digest of the training images and labels; fine-tuning does not change it.
    version : str
        Version of inksight that trained the model.
    temperature : float
        The weights of the output layer are already divided by it (`inksight.training.calibration`).
    fine_tunings : tuple of FineTuningRecord
        The pictures it was fine-tuned on (`inksight.teach`).
    ood_detector : MahalanobisDetector, RejectionOutput or None
        Detects images that are not digits (`inksight.nn.ood`).
    augmentation_function : str
        Qualified name of the function that changed the images of the last training; empty without one.

    Raises
    ------
    InputError
        If weights are missing or unknown, have another shape or type, or are not finite; if the temperature is not
        from 0.001 to 1000, or names or detector do not fit the network.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> model = Model.untrained(get_network("post"), seed=0)
    >>> model.probabilities(np.zeros((3, 28, 28), np.uint8)).shape
    (3, 10)
    """

    network: Network
    params: dict[str, NDArray[np.float32]]
    normalization: Normalization
    class_names: tuple[str, ...] = DIGITS
    recipe: Recipe | None = None
    history: History = field(default_factory=History)
    trained_on: str = ""
    version: str = __version__
    temperature: float = 1.0
    fine_tunings: tuple[FineTuningRecord, ...] = ()
    ood_detector: OodDetector | None = None
    augmentation_function: str = ""

    def __post_init__(self) -> None:
        check(isinstance(self.network, Network), "network", self.network, "a Network")
        names = self.class_names
        check(isinstance(names, tuple) and all(map(is_text, names)), "class names", names, "a tuple of strings")
        check(len(names) == self.network.classes, "number of class names", len(names), str(self.network.classes))
        expected = param_shapes(self.network)
        for name in expected.keys() ^ self.params.keys():
            state = "missing" if name in expected else "unknown"
            raise InputError(f"weights must be those of the network, got {name!r} {state}")
        for name, shape in expected.items():
            array = self.params[name]
            check(array.shape == shape, f"shape of {name}", array.shape, str(shape))
            check(array.dtype == np.float32, f"type of {name}", str(array.dtype), "float32")
            check(bool(np.isfinite(array).all()), f"{name}", "a value that is not finite", "finite")
        check(isinstance(self.normalization, Normalization), "normalization", self.normalization, "a Normalization")
        check(is_between(self.temperature, 1e-3, 1e3), "temperature", self.temperature, "0.001 to 1000")
        check(isinstance(self.recipe, Recipe | None), "recipe", self.recipe, "a Recipe or None")
        check(is_text(self.trained_on), "trained_on", self.trained_on, "a digest")
        check(is_text(self.version), "version", self.version, "a string")
        check(is_text(self.augmentation_function), "augmentation_function", self.augmentation_function, "a name")
        if self.ood_detector is not None:
            self.ood_detector.check_fits(self.network)

    def __getstate__(self) -> dict[str, Any]:
        # Private attributes are caches; the predictor among them is a handle of this process and cannot be pickled.
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __repr__(self) -> str:
        filters = "-".join(str(bank.filters) for bank in self.network.banks)
        return f"Model({filters} filters, {self.network.classes} classes, {len(self.history)} epochs)"

    @property
    def digest(self) -> str:
        """SHA-256 of the weights and the normalization, in hexadecimal."""
        return digest(self.params | self.normalization.arrays)

    @classmethod
    def untrained(cls, network: Network | str, seed: int = 0, class_names: Sequence[str] = DIGITS) -> "Model":
        """Return a model with random starting weights and the identity as normalization.

        `inksight.get_network` describes the names of networks.
        """
        check_seed(seed)
        network = get_network(network, len(class_names))
        return cls(network, init_params(network, seed), Normalization(), tuple(class_names))

    def activations(self, images: ArrayLike, only: Sequence[str] | None = None) -> dict[str, NDArray[np.float32]]:
        """Return the activations of every stage by name, from the same forward pass that predicts.

        Parameters
        ----------
        images : (28, 28) to (n, 28, 28, 1) uint8, or float 0..1
            High = ink; n may be 0.
        only : sequence of str, optional
            Names of the stages to return (`inksight.nn.parameters.stage_names`); fewer need less memory.

        Returns
        -------
        dict of str to float32 array
            `inksight.nn.forward.activations` describes the stages; the first axis is the images.

        Raises
        ------
        InputError
            If the images have another shape or range, or a stage is unknown.
        """
        batch = as_images(images)
        names = self._stage_names if only is None else tuple(only)
        for name in names:
            if name not in self._stage_names:  # formatting the message each time would slow down single predictions
                check(False, "stage", name, "one of " + ", ".join(self._stage_names))
        if not native.computes():
            return predict(self.network, self.params, self.normalization, batch, names)
        return self._predictor(batch, names)

    @cached_property
    def _stage_names(self) -> tuple[str, ...]:
        return stage_names(self.network)

    @cached_property
    def _predictor(self) -> Predictor:
        normalization, weights = self.normalization, flatten_weights(self.network, self.params)
        return Predictor(self.network, weights, normalization.mean, normalization.variance)

    def probabilities(self, images: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of each class, (n, classes) 0..1, rows summing to 1; see `activations`."""
        return self.activations(images, only=["probabilities"])["probabilities"]

    def log_probabilities(self, images: ArrayLike) -> NDArray[np.float64]:
        """Return the log-probability of each class, (n, classes), also accurate near 0 and 1; see `activations`."""
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
        """Return the logits (n, classes) of barcodes (n, filters of the last bank)."""
        filters = self.network.banks[-1].filters
        x = np.asarray(barcodes, np.float32)
        check(x.ndim == 2 and x.shape[1] == filters, "shape of barcodes", x.shape, f"(n, {filters})")
        if self.network.dense:
            x = x @ self.params["dense.kernel"] + self.params["dense.bias"]
            x = np.where(x > 0, x, np.float32(self.network.leak) * x)
        logits: NDArray[np.float32] = x @ self.params["output.kernel"] + self.params["output.bias"]
        return logits

    def filters(self, bank: int) -> NDArray[np.float32]:
        """Return the filters of a bank, counted from 1, as (filters, channels, k, k)."""
        bank_stage(self.network, bank)  # raises if there is no such bank
        kernel: NDArray[np.float32] = effective_kernel(self.params, bank)
        return kernel.transpose(3, 2, 0, 1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one ``.safetensors`` file; see `inksight.nn.model_file.save_model`."""
        from inksight.nn.model_file import save_model  # imports this module

        save_model(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Model":
        """Read a model file; see `inksight.nn.model_file.read_model`."""
        from inksight.nn.model_file import read_model  # imports this module

        return read_model(path)

    # The methods below are for convenience: each calls the function of its name, which imports this module.

    def summary(self) -> str:
        """Return the table of layers and parameters, like the one that Keras prints; see `inksight.summary`."""
        from inksight.nn.layer_table import summary

        return summary(self)

    def evaluate(self, data: "DataLike") -> "Evaluation":
        """Evaluate the model on labeled images; see `inksight.evaluate`."""
        from inksight.inspection.evaluation import evaluate

        return evaluate(self, data)

    def feature_maps(self, image: ArrayLike, bank: int = 1) -> "FeatureMaps":
        """Return the feature maps of one image in a bank, counted from 1; see `inksight.feature_maps`."""
        from inksight.inspection.banks import feature_maps

        return feature_maps(self, image, bank)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}\n{escape(self.summary())}</pre>{super()._repr_html_()}"


def digest(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    """Return the SHA-256 of arrays and their names, in hexadecimal."""
    result = hashlib.sha256()
    for name in sorted(arrays):
        result.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return result.hexdigest()
