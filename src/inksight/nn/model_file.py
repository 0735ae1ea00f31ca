"""Model files (safetensors with a JSON header and a checksum), and the models that ship with the package."""

import hashlib
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from inksight._shared.files import write_bytes
from inksight._shared.validation import check
from inksight.config import Network, Recipe
from inksight.errors import InksightError, InputError
from inksight.nn.history import History
from inksight.nn.lesson import Lesson
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.nn.model import Model, digest
from inksight.nn.model_file_v1 import FORMAT_1, upgrade

FORMAT = "inksight model 2"
SHIPPED = ("post", "best", "small", "tiny")  # in assets/, made by benchmarks/ship.py
DETECTOR = "ood_detector."  # prefix of the names of the detector's arrays
SIZE_LIMIT = 256 * 2**20  # bytes: over a thousand times the size of the post's network


def save_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model to one ``.safetensors`` file: to a temporary file first, which is then renamed.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written to.
    """
    header = {
        "format": FORMAT,
        "network": model.network.to_dict(),
        "class_names": list(model.class_names),
        "recipe": model.recipe and model.recipe.to_dict(),
        "history": model.history.to_list(),
        "trained_on": model.trained_on,
        "version": model.version,
        "temperature": model.temperature,
    }
    if model.lessons:
        header["lessons"] = [lesson.to_dict() for lesson in model.lessons]
    arrays = dict(model.params)
    if (detector := model.ood_detector) is not None:
        header["ood_detector"] = {"threshold": detector.threshold, "digest": digest(detector.arrays)}
        arrays |= {DETECTOR + name: array for name, array in detector.arrays.items()}
    header["checksum"] = _checksum(header, model.digest)
    # A single metadata key, because safetensors writes several keys in an order that changes from run to run.
    write_bytes(path, save(arrays, {"inksight": json.dumps(header)}))


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file of format 1 or 2; check names, shapes, types, finiteness, size and checksum.

    Raises
    ------
    InputError
        If the file is missing, damaged, not an inksight model, or too large to be one.
    """
    where = Path(path)
    if not os.path.isfile(where):  # noqa: PTH113 - Path.is_file raises for a name that is too long
        raise InputError(
            f"model must be a file that exists, or one of {', '.join(SHIPPED)}, got {str(path)!r}: "
            f"train one with `inksight train --out {where.name}`"
        )
    size = where.stat().st_size
    check(size <= SIZE_LIMIT, f"size of model file {str(path)!r}", size, f"at most {SIZE_LIMIT} bytes")
    try:
        with safe_open(where, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["inksight"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _model_of(header, arrays)
    except KeyError as error:
        raise InputError(f"{str(path)!r} is not an inksight model: its header has no {error}") from error
    except (SafetensorError, OSError, TypeError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{str(path)!r} is not an inksight model, or damaged: {reason[:200]}") from error


def _model_of(header: dict[str, Any], arrays: dict[str, NDArray[np.float32]]) -> Model:
    checksum = header.pop("checksum")
    as_written = header
    check(header["format"] in (FORMAT_1, FORMAT), "format", header["format"], f"{FORMAT_1!r} or {FORMAT!r}")
    if header["format"] == FORMAT_1:
        header, arrays = upgrade(header, arrays)
    model = Model(
        network=Network.from_dict(header["network"]),
        params={name: array for name, array in arrays.items() if not name.startswith(DETECTOR)},
        class_names=tuple(header["class_names"]),
        recipe=header["recipe"] and Recipe.from_dict(header["recipe"]),
        history=History.from_list(header["history"]),
        trained_on=str(header["trained_on"]),
        version=str(header["version"]),
        temperature=header["temperature"],
        lessons=tuple(Lesson.from_dict(lesson) for lesson in header.get("lessons", [])),
        ood_detector=_detector_of(header.get("ood_detector"), arrays),
    )
    check(checksum == _checksum(as_written, model.digest), "checksum", checksum, "that of the content")
    return model


def _detector_of(header: Any, arrays: dict[str, NDArray[np.float32]]) -> MahalanobisDetector | None:
    if header is None:
        return None
    means, whitening = (arrays[DETECTOR + name] for name in ("means", "whitening"))
    negative_weights = arrays.get(DETECTOR + "negative_weights")
    detector = MahalanobisDetector(means, whitening, header["threshold"], negative_weights)
    expected = digest(detector.arrays)
    check(header["digest"] == expected, "digest of the detector", header["digest"], "that of the content")
    return detector


def load_model(model: str | os.PathLike[str]) -> Model:
    """Read a model that ships with the package, or a model file.

    The models that ship were trained on all 60,000 training images of MNIST, including the validation images of
    `Dataset.split`. Only the test images are new to them.

    Parameters
    ----------
    model : str or path-like
        A name from `SHIPPED`, or the path of a file (``./best`` for a file named like a shipped model).

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
    if model in SHIPPED:
        with resources.as_file(resources.files("inksight") / "assets" / f"{model}.safetensors") as path:
            if not path.is_file():
                raise InksightError(f"model {model!r} is missing from the installed package: install it again")
            return read_model(path)
    return read_model(model)


def _checksum(header: dict[str, Any], digest: str) -> str:
    return hashlib.sha256((json.dumps(header, sort_keys=True) + digest).encode()).hexdigest()
