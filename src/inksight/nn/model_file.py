"""Model files (safetensors with a JSON header and a checksum), and the models that ship with the package."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from inksight._shared.files import as_path, is_file, write_bytes
from inksight._shared.untrusted import check_is_file, parse_json
from inksight._shared.validation import check, known_fields
from inksight.config import Network, Recipe, get_network
from inksight.errors import InksightError, InputError, MissingFileError
from inksight.nn.ensemble import Ensemble
from inksight.nn.fine_tuning_record import FineTuningRecord
from inksight.nn.history import History
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.nn.model import Model, OodDetector, digest
from inksight.nn.model_file_v1 import FORMAT_1, upgrade
from inksight.nn.normalization import Normalization
from inksight.nn.rejection_output import RejectionOutput

FORMAT = "inksight model 2"
ENSEMBLE_FORMAT = "inksight ensemble 1"  # see inksight.nn.ensemble_file
SHIPPED = ("post", "best", "small", "tiny", "reader")  # in assets/, made by benchmarks/ship.py and ship_reader.py
DETECTOR = "ood_detector."  # prefix of the names of the detector's arrays
SIZE_LIMIT = 256 * 2**20  # bytes: over a thousand times the size of the post's network
HEADER_LIMIT = 32 * 2**20  # bytes: room for the history of 100,000 epochs

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Header:
    """The JSON header of a model file, not yet checked."""

    format: Any
    network: Any
    class_names: Any
    recipe: Any
    history: Any
    trained_on: Any
    version: Any
    temperature: Any
    checksum: Any
    lessons: Any = field(default_factory=list)  # the records of `Model.fine_tunings`
    ood_detector: Any = None
    augmentation_function: Any = ""


@dataclass(frozen=True, slots=True)
class Detector:
    """What the header says about the out-of-distribution detector, not yet checked."""

    threshold: Any
    digest: Any
    temperature: Any = None  # by default that of the model


ModelLike: TypeAlias = Model | str | os.PathLike[str]
"""What a function takes as a model: one in memory, or what `load_model` reads."""
NetworkLike: TypeAlias = Network | ModelLike
"""What a function takes as a network: an architecture, or a model that has one."""


def save_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model to one ``.safetensors`` file: to a temporary file first, which is then renamed.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written to.
    """
    write_content(path, *content_of_model(model))


def content_of_model(model: Model) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """Return the JSON header and the arrays of the file of a model."""
    header: dict[str, Any] = {
        "format": FORMAT,
        "network": model.network.to_dict(),
        "class_names": list(model.class_names),
        "recipe": model.recipe and model.recipe.to_dict(),
        # Without times, so that the same training always writes the same file.
        "history": [row | {"seconds": None} for row in model.history.to_list()],
        "trained_on": model.trained_on,
        "version": model.version,
        "temperature": model.temperature,
    }
    if model.fine_tunings:
        header["lessons"] = [record.to_dict() for record in model.fine_tunings]
    if model.augmentation_function:
        header["augmentation_function"] = model.augmentation_function
    arrays = model.params | model.normalization.arrays
    if (detector := model.ood_detector) is not None:
        header["ood_detector"] = {"threshold": detector.threshold, "digest": digest(detector.arrays)}
        if detector.temperature != model.temperature:  # else left out, as in files of earlier versions
            header["ood_detector"]["temperature"] = detector.temperature
        arrays |= {DETECTOR + name: array for name, array in detector.arrays.items()}
    header["checksum"] = checksum(header, model.digest)
    return header, arrays


def write_content(path: str | os.PathLike[str], header: dict[str, Any], arrays: dict[str, NDArray[np.float32]]) -> None:
    """Write a file with a JSON header and arrays."""
    write_bytes(path, as_bytes(header, arrays))


def as_bytes(header: dict[str, Any], arrays: dict[str, NDArray[np.float32]]) -> bytes:
    """Return the bytes of a file with a JSON header and arrays."""
    # A single metadata key, because safetensors writes several keys in an order that changes from run to run.
    in_order = {name: np.asarray(array, order="C") for name, array in arrays.items()}  # safetensors copies the memory
    return save(in_order, {"inksight": json.dumps(header)})


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file of format 1 or 2; check names, shapes, types, finiteness, size and checksum.

    Raises
    ------
    InputError
        If the file is missing, damaged, not an inksight model, or too large to be one; or if it holds an ensemble.
    """
    return read_content(path, _one_model_of)


def read_content(
    path: str | os.PathLike[str], parse: Callable[[Any, dict[str, NDArray[np.float32]]], Parsed]
) -> Parsed:
    """Return what `parse` makes of the JSON header and the arrays of a file.

    Raises
    ------
    InputError
        If the file is missing, damaged or too large, or `parse` raises one.
    """
    allowed = f"one of {', '.join(SHIPPED)}, or the path of a model file"
    check(isinstance(path, (str, os.PathLike)), "model", path, allowed)
    where = as_path(path)
    if not os.path.isdir(where):  # noqa: PTH112 - an empty name is that of the current folder
        check_is_file(where, "give a model file")
    if not is_file(where):
        name = where.name if where.name and where.name.isprintable() else "model.safetensors"
        raise MissingFileError(
            f"model must be a file that exists, or one of {', '.join(SHIPPED)}, got {str(where)!r:.300}: "
            f"train one with `inksight train --out {name:.100}`"
        )
    try:
        return parse(*content_of_file(where))
    except WrongKindError as error:
        raise InputError(f"{str(where)!r} holds {error}") from error
    except (InputError, RecursionError) as error:  # the latter when a deeply nested value is put into a message
        reason = " ".join(str(error).split())
        raise InputError(f"{str(where)!r} is not an inksight model, or damaged: {reason[:200]}") from error


class WrongKindError(InputError):
    """The file is sound, but holds one model where an ensemble is needed, or the reverse."""


def content_of_file(path: Path, size_limit: int = SIZE_LIMIT) -> tuple[Any, dict[str, NDArray[np.float32]]]:
    """Return the JSON header and the arrays of a file; raise `InputError` if it is damaged or too large."""
    try:
        check(path.stat().st_size <= size_limit, "size", path.stat().st_size, f"at most {size_limit} bytes")
        with path.open("rb") as start:
            header_size = int.from_bytes(start.read(8), "little")
        check(header_size <= HEADER_LIMIT, "size of the header", header_size, f"at most {HEADER_LIMIT} bytes")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except InputError:
        raise
    except Exception as error:  # of types that differ from version to version, such as AttributeError for 8-bit floats
        raise InputError(f"{type(error).__name__}: {error}") from error
    check("inksight" in metadata, "metadata", sorted(metadata), "a header named 'inksight'")
    return parse_json(metadata["inksight"]), arrays


def _one_model_of(content: Any, arrays: dict[str, NDArray[np.float32]]) -> Model:
    if isinstance(content, dict) and content.get("format") == ENSEMBLE_FORMAT:
        raise WrongKindError(
            "an ensemble, where a single network is needed: give one of the model files that it was made of, or "
            "`inksight.load_ensemble(path).models[0]` in Python"
        )
    return model_of(content, arrays)


def model_of(content: Any, arrays: dict[str, NDArray[np.float32]]) -> Model:
    """Return the model of a JSON header and arrays; raise `InputError` if they are not valid."""
    check(isinstance(content, dict), "header", content, "an object with named values")
    as_written = {name: value for name, value in content.items() if name != "checksum"}
    file_format = content.get("format")
    check(file_format in (FORMAT_1, FORMAT), "format", file_format, f"{FORMAT_1!r} or {FORMAT!r}")
    if file_format == FORMAT_1:
        content, arrays = upgrade(content, arrays)
    header = Header(**known_fields(Header, content))
    for name in ("class_names", "lessons"):
        values = getattr(header, name)
        check(isinstance(values, list), name, values, "a list")
    normalization = Normalization.from_arrays(arrays)
    others = [name for name in arrays if name not in normalization.arrays and not name.startswith(DETECTOR)]
    model = Model(
        network=Network.from_dict(header.network),
        params={name: arrays[name] for name in others},
        normalization=normalization,
        class_names=tuple(header.class_names),
        recipe=None if header.recipe is None else Recipe.from_dict(header.recipe),
        history=History.from_list(header.history),
        trained_on=header.trained_on,
        version=header.version,
        temperature=header.temperature,
        fine_tunings=tuple(FineTuningRecord.from_dict(record) for record in header.lessons),
        ood_detector=_detector_of(header, arrays),
        augmentation_function=header.augmentation_function,
    )
    check(header.checksum == checksum(as_written, model.digest), "checksum", header.checksum, "that of the content")
    return model


def _detector_of(header: Header, arrays: dict[str, NDArray[np.float32]]) -> OodDetector | None:
    parts = {name.removeprefix(DETECTOR): array for name, array in arrays.items() if name.startswith(DETECTOR)}
    if header.ood_detector is None:
        check(not parts, "arrays of the detector", sorted(parts), "absent, as the detector is from the header")
        return None
    detector = Detector(**known_fields(Detector, header.ood_detector))
    by_output = parts.keys() == {"rejection_weights"}
    complete = by_output or parts.keys() - {"negative_weights"} == {"means", "whitening"}
    allowed = "means, whitening and, optionally, negative_weights; or rejection_weights"
    check(complete, "arrays of the detector", sorted(parts), allowed)
    check(detector.digest == digest(parts), "digest of the detector", detector.digest, "that of the content")
    temperature = header.temperature if detector.temperature is None else detector.temperature
    kind = RejectionOutput if by_output else MahalanobisDetector
    return kind(threshold=detector.threshold, temperature=temperature, **parts)


def load_model(model: str | os.PathLike[str]) -> Model:
    """Read a model that ships with the package, or a model file.

    `post`, `best`, `small` and `tiny` were trained on all 60,000 training images of MNIST, including the validation
    images of `Dataset.split`. Only the test images are new to them. `reader`, with which `inksight.read` reads by
    default, was trained on the other 50,000 and on drawn pictures: printed digits, clutter and what is not a digit.

    Parameters
    ----------
    model : str or path-like
        A name from `SHIPPED`, or the path of a file. A name wins over a file of that name: for the file, give
        ``./best`` or ``Path("best")``.

    Raises
    ------
    InputError
        If the file is missing or not a valid model file; see `read_model`.
    InksightError
        If a shipped model is missing from the installation.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.load_model("best")
    >>> digits = inksight.load("mnist").split().test
    >>> model.predict(digits.images[:5]), digits.labels[:5]
    (array([7, 2, 1, 0, 4]), array([7, 2, 1, 0, 4]))
    """
    if isinstance(model, str) and model in SHIPPED:
        with resources.as_file(resources.files("inksight") / "assets" / f"{model}.safetensors") as path:
            if not path.is_file():
                raise InksightError(f"model {model!r} is missing from the installed package: install it again")
            return read_model(path)
    return read_model(model)


def as_model(model: ModelLike) -> Model:
    """Return a model as it is, and read a shipped model or a model file by `load_model`.

    Raises
    ------
    InputError
        If `model` is something else, or the file is missing or not a valid model file.
    """
    if isinstance(model, Model):
        return model
    allowed = f"a Model, one of {', '.join(SHIPPED)}, or the path of a model file"
    advice = "give one of its models, such as `ensemble.models[0]`" if isinstance(model, Ensemble) else ""
    check(isinstance(model, (str, os.PathLike)), "model", model, allowed, advice)
    return load_model(model)


def as_network(network: NetworkLike) -> Network:
    """Return a network as it is, by its name or description, or that of a model; see `network_or_model`."""
    found = network_or_model(network)
    return found.network if isinstance(found, Model) else found


def network_or_model(value: NetworkLike, classes: int = 10) -> Network | Model:
    """Return a network by its name or description (`get_network`), or else a model by the path of its file.

    A name or description wins over a file of that name, as in `load_model`.

    Parameters
    ----------
    value : Network, Model, str or path-like
        A network or a model is returned unchanged.
    classes : int
        Number of classes of a network that is given by name or description.

    Raises
    ------
    InputError
        If `value` is something else, names nothing, or is the path of a file that is not a model.
    """
    if isinstance(value, (Network, Model)):
        return value
    allowed = "a Network, a Model, a name, a description such as 20x5p,20x5,40x3,d20, or the path of a model file"
    check(isinstance(value, (str, os.PathLike)), "network", value, allowed)
    if isinstance(value, os.PathLike):
        return load_model(value)
    try:
        return get_network(value, classes)
    except InputError as error:
        if is_file(Path(value)):
            return read_model(value)
        raise InputError(f"{error}; there is no model file of that name either") from error


def checksum(header: dict[str, Any], digest: str) -> str:
    """Return the checksum of a header without its checksum, and of the arrays with this digest."""
    return hashlib.sha256((json.dumps(header, sort_keys=True) + digest).encode()).hexdigest()
