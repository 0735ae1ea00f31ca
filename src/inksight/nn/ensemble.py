"""`Ensemble`: several models that predict together by the average of their probabilities."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check, is_between
from inksight.nn.model import Model

if TYPE_CHECKING:
    from inksight.data.loading import DataLike
    from inksight.inspection.evaluation import Evaluation

MAX_MODELS = 1000


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Several models that predict together: the average of their probabilities, at a temperature of its own.

    Parameters
    ----------
    models : sequence of Model
        Two or more, with the same classes in the same order. Their networks may differ.
    temperature : float
        Divides the logarithm of the average probabilities. `inksight.training.calibrated` fits it.

    Raises
    ------
    InputError
        If there are fewer than two models, one is not a `Model`, their classes differ, or the temperature is not from
        0.001 to 1000.

    Examples
    --------
    >>> import inksight
    >>> ensemble = Ensemble([inksight.load_model("post"), inksight.load_model("small")])
    >>> ensemble
    Ensemble(2 models, 10 classes)
    >>> ensemble.probabilities(np.zeros((3, 28, 28), np.uint8)).shape
    (3, 10)
    """

    models: Sequence[Model]
    temperature: float = 1.0

    def __post_init__(self) -> None:
        is_list = isinstance(self.models, (list, tuple)) and all(isinstance(model, Model) for model in self.models)
        check(is_list, "models", self.models, "a list of Model", "read files by `inksight.load_model` first")
        object.__setattr__(self, "models", tuple(self.models))
        check(2 <= len(self.models) <= MAX_MODELS, "number of models", len(self.models), f"2 to {MAX_MODELS}")
        for model in self.models[1:]:
            names, allowed = model.class_names, self.class_names
            check(names == allowed, "classes of the models", names, f"the same for all, those of the first, {allowed}")
        check(is_between(self.temperature, 1e-3, 1e3), "temperature", self.temperature, "0.001 to 1000")

    def __repr__(self) -> str:
        return f"Ensemble({len(self.models)} models, {len(self.class_names)} classes)"

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name per class."""
        return self.models[0].class_names

    @property
    def digest(self) -> str:
        """SHA-256 of the digests of the models, in hexadecimal."""
        return hashlib.sha256("".join(model.digest for model in self.models).encode()).hexdigest()

    def log_probabilities(self, images: ArrayLike) -> NDArray[np.float64]:
        """Return the log-probability of each class, (n, classes); see `Model.activations` for the images."""
        return self.average([model.log_probabilities(images) for model in self.models])

    def average(self, log_probabilities: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the log-probabilities (n, classes) of the ensemble from those of its models, in their order."""
        # The sum is not divided by the number of models: the last step removes such a constant.
        scaled = np.logaddexp.reduce(log_probabilities, axis=0) / self.temperature
        result: NDArray[np.float64] = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return result

    def probabilities(self, images: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of each class, (n, classes) 0..1, rows summing to 1."""
        return np.exp(self.log_probabilities(images)).astype(np.float32)

    def predict(self, images: ArrayLike) -> NDArray[np.int64]:
        """Return the most probable class of each image, (n,)."""
        classes: NDArray[np.int64] = self.log_probabilities(images).argmax(axis=1)
        return classes

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ensemble to one ``.safetensors`` file; see `inksight.nn.ensemble_file.save_ensemble`."""
        from inksight.nn.ensemble_file import save_ensemble  # imports this module

        save_ensemble(self, path)

    def evaluate(self, data: "DataLike") -> "Evaluation":
        """Evaluate the ensemble on labeled images; see `inksight.evaluate`."""
        from inksight.inspection.evaluation import evaluate

        return evaluate(self, data)
