"""Ensemble files: the contents of several model files in one. `as_classifier` reads a model or an ensemble."""

import os
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, known_fields
from inksight.nn.ensemble import MAX_MODELS, Ensemble
from inksight.nn.model import Model
from inksight.nn.model_file import (
    ENSEMBLE_FORMAT,
    SHIPPED,
    ModelLike,
    WrongKindError,
    as_model,
    checksum,
    content_of_model,
    load_model,
    model_of,
    read_content,
    write_content,
)

Arrays: TypeAlias = dict[str, NDArray[np.float32]]
Classifier: TypeAlias = Model | Ensemble
"""What predicts classes."""
ClassifierLike: TypeAlias = Ensemble | ModelLike
"""What a function that only predicts takes: a model or an ensemble in memory, or what `load_classifier` reads."""


@dataclass(frozen=True, slots=True)
class EnsembleHeader:
    """The JSON header of an ensemble file, not yet checked."""

    format: Any
    temperature: Any
    models: Any
    checksum: Any


def save_ensemble(ensemble: Ensemble, path: str | os.PathLike[str]) -> None:
    """Write an ensemble to one ``.safetensors`` file: to a temporary file first, which is then renamed.

    The names of the arrays of the first model begin with ``0.``, and so on.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written to.
    """
    write_content(path, *_content_of_ensemble(ensemble))


def _content_of_ensemble(ensemble: Ensemble) -> tuple[dict[str, Any], Arrays]:
    """Return the JSON header and the arrays of the file of an ensemble."""
    contents = [content_of_model(model) for model in ensemble.models]
    header: dict[str, Any] = {
        "format": ENSEMBLE_FORMAT,
        "temperature": ensemble.temperature,
        "models": [header for header, _ in contents],
    }
    header["checksum"] = checksum(header, ensemble.digest)
    return header, {f"{i}.{name}": x for i, (_, arrays) in enumerate(contents) for name, x in arrays.items()}


def checksum_of(classifier: Classifier) -> str:
    """Return the checksum of the file of a model or an ensemble, which covers all that decides its predictions."""
    content = content_of_model(classifier) if isinstance(classifier, Model) else _content_of_ensemble(classifier)
    result: str = content[0]["checksum"]
    return result


def load_ensemble(path: str | os.PathLike[str]) -> Ensemble:
    """Read an ensemble file, which is checked like a model file.

    Raises
    ------
    InputError
        If the file is missing, damaged or too large, or holds a single model.

    Examples
    --------
    >>> import inksight
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "ensemble.safetensors"
    ...     inksight.Ensemble([inksight.load_model("post"), inksight.load_model("small")]).save(path)
    ...     load_ensemble(path)
    Ensemble(2 models, 10 classes)
    """

    def parse(content: Any, arrays: Arrays) -> Ensemble:
        found = _classifier_of(content, arrays)
        if isinstance(found, Model):
            raise WrongKindError("a single model, not an ensemble: read it by `inksight.load_model`")
        return found

    return read_content(path, parse)


def load_classifier(model: str | os.PathLike[str]) -> Classifier:
    """Read a model that ships with the package, a model file, or an ensemble file; see `load_model`."""
    if isinstance(model, str) and model in SHIPPED:
        return load_model(model)
    return read_content(model, _classifier_of)


def as_classifier(model: ClassifierLike) -> Classifier:
    """Return a model or an ensemble as it is, and read a shipped model or a file by `load_classifier`.

    Raises
    ------
    InputError
        If `model` is something else, or the file is missing or not valid.
    """
    if isinstance(model, Ensemble):
        return model
    return load_classifier(model) if isinstance(model, (str, os.PathLike)) else as_model(model)


def first_model(classifier: Classifier) -> Model:
    """Return a model as it is, and the first one of an ensemble, for views that show one network."""
    return classifier if isinstance(classifier, Model) else classifier.models[0]


def _classifier_of(content: Any, arrays: Arrays) -> Classifier:
    if not (isinstance(content, dict) and content.get("format") == ENSEMBLE_FORMAT):
        return model_of(content, arrays)
    header = EnsembleHeader(**known_fields(EnsembleHeader, content))
    is_list = isinstance(header.models, list) and 2 <= len(header.models) <= MAX_MODELS
    check(is_list, "models", header.models, f"a list of 2 to {MAX_MODELS}")
    parts: list[Arrays] = [{} for _ in header.models]
    numbers = {str(number): number for number in range(len(parts))}
    for name, array in arrays.items():
        number, _, rest = name.partition(".")
        check(number in numbers, "name of an array", name, f"one that begins with a number from 0 to {len(parts) - 1}")
        parts[numbers[number]][rest] = array
    ensemble = Ensemble(tuple(map(model_of, header.models, parts)), header.temperature)
    as_written = {name: value for name, value in content.items() if name != "checksum"}
    check(header.checksum == checksum(as_written, ensemble.digest), "checksum", header.checksum, "that of the content")
    return ensemble
