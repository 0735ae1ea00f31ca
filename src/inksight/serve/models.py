"""`Models`: the models of a service by their names, each of which can be replaced while requests are answered."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.config import IMAGE_SIZE
from inksight.nn.ensemble_file import Classifier, checksum_of, load_classifier
from inksight.nn.model import Model
from inksight.serve.refusal import Refusal

LABEL, PROBABILITIES = "label", "probabilities"


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model that answers requests.

    Parameters
    ----------
    name : str
    source : str
        The shipped model or the file that it was read from.
    classifier : Model or Ensemble
    version : str
        The first twelve digits of the checksum of its file.
    shapes : dict of str to tuple of int
        The outputs other than the label, each with the shape for one image.
    """

    name: str
    source: str
    classifier: Classifier
    version: str
    shapes: dict[str, tuple[int, ...]]

    def outputs(self, images: NDArray[np.generic], names: list[str]) -> dict[str, NDArray[Any]]:
        """Return the outputs named, for images (n, 28, 28) uint8 or float32 0..1; the label as an array of strings."""
        stages = [name for name in names if name != LABEL]
        if isinstance(self.classifier, Model):
            needed = list(dict.fromkeys([*stages, *(["logits"] if LABEL in names else [])]))
            found: dict[str, NDArray[Any]] = dict(self.classifier.activations(images, needed))
            classes = found["logits"].argmax(axis=1) if LABEL in names else None
        else:
            logarithms = self.classifier.log_probabilities(images)
            found = {PROBABILITIES: np.exp(logarithms).astype(np.float32)}
            classes = logarithms.argmax(axis=1)
        if classes is not None:
            found[LABEL] = np.array(self.classifier.class_names)[classes]
        return {name: found[name] for name in names}


def load_served(name: str, source: str) -> ServedModel:
    """Read a model, and predict one image with it, so that its first request does not wait."""
    classifier = load_classifier(source)
    blank = np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    if isinstance(classifier, Model):
        arrays = classifier.activations(blank)
    else:
        arrays = {PROBABILITIES: classifier.probabilities(blank)}
    shapes = {stage: array.shape[1:] for stage, array in arrays.items()}
    return ServedModel(name, source, classifier, checksum_of(classifier)[:12], shapes)


class Models:
    """The models of a service.

    A request takes its model once and keeps it, so that a replacement in the meantime does not change its answer.

    Parameters
    ----------
    sources : mapping of str to str
        Names, and what each is read from: a shipped model or the path of a model or ensemble file. The first is the
        one that reads pictures by default.

    Raises
    ------
    InputError
        If there is none, a name has other characters than letters, digits, dots, dashes and underscores, or a
        file is missing or not valid.

    Examples
    --------
    >>> models = Models({"digits": "tiny"})
    >>> models["digits"].shapes["probabilities"]
    (10,)
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        check(len(sources) > 0, "number of models", 0, "1 or more")
        for name in sources:
            ok = re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) is not None
            check(ok, "name of a model", name, "up to 64 letters, digits, dots, dashes and underscores")
        self._served = {name: load_served(name, source) for name, source in sources.items()}

    def __getitem__(self, name: str) -> ServedModel:
        try:
            return self._served[name]
        except KeyError:
            names = ", ".join(self._served)
            raise Refusal(404, "not found", f"model must be one of {names}, got {name[:64]!r}") from None

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._served.values())

    @property
    def default(self) -> ServedModel:
        """The first model."""
        return next(iter(self))

    def reload(self, name: str) -> ServedModel:
        """Read the file of a model again. If that fails, the model stays as it was, and the error is raised."""
        served = load_served(name, self[name].source)
        self._served[name] = served  # one step, after all that can fail
        return served
