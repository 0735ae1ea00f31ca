"""The file of a model: safetensors with one JSON header and a checksum; and the models that ship."""

import hashlib
import json
import os
from collections.abc import Mapping
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
from inksight.nn.mahalanobis import Clouds
from inksight.nn.model import Model, digest

FORMAT = "inksight model 1"
SHIPPED = ("post", "best", "small", "tiny")  # in assets/, made by benchmarks/ship.py
CLOUDS = "clouds."  # what the names of their arrays begin with, in a file
SIZE_LIMIT = 256 * 2**20  # bytes: some thousand times the post's network


def save_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the model to one ``.safetensors`` file, beside its place first and then renamed into it.

    Raises
    ------
    InputError
        If the folder doesn't exist or can't be written to.
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
    if model.lessons:  # most have none, and their files stay as they were
        header["lessons"] = [lesson.to_dict() for lesson in model.lessons]
    arrays = dict(model.params)
    if model.clouds is not None:
        header["clouds"] = {"limit": model.clouds.limit, "digest": digest(model.clouds.arrays)}
        arrays |= {CLOUDS + name: array for name, array in model.clouds.arrays.items()}
    header["checksum"] = _checksum(header, model.digest)
    # One key alone: with several their order in the file would change from run to run.
    data = save(arrays, {"inksight": json.dumps(header)})
    write_bytes(path, data)


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file; names, shapes, types, finiteness, size and checksum are checked before use.

    Raises
    ------
    InputError
        If the file is missing, damaged, no inksight model, or too large to be one.
    """
    where = Path(path)
    if not where.is_file():
        raise InputError(
            f"model must be a file that exists, or one of {', '.join(SHIPPED)}, got {str(path)!r}: "
            f"train one with `inksight train --out {where.name}`"
        )
    size = where.stat().st_size
    check(size <= SIZE_LIMIT, f"size of model file {str(path)!r}", size, f"at most {SIZE_LIMIT} bytes")
    try:
        with safe_open(where, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["inksight"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        params = {name: array for name, array in arrays.items() if not name.startswith(CLOUDS)}
        checksum = header.pop("checksum")
        check(header["format"] == FORMAT, "format", header["format"], repr(FORMAT))
        model = Model(
            network=Network.from_dict(header["network"]),
            params=params,
            class_names=tuple(header["class_names"]),
            recipe=header["recipe"] and Recipe.from_dict(header["recipe"]),
            history=History.from_list(header["history"]),
            trained_on=str(header["trained_on"]),
            version=str(header["version"]),
            temperature=header["temperature"],
            lessons=tuple(Lesson.from_dict(lesson) for lesson in header.get("lessons", [])),
            clouds=_clouds(arrays, header.get("clouds")),
        )
        check(checksum == _checksum(header, model.digest), "checksum", checksum, "that of the content")
        return model
    except KeyError as error:
        raise InputError(f"{str(path)!r} is no inksight model: its header has no {error}") from error
    except (SafetensorError, OSError, TypeError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{str(path)!r} is no inksight model, or damaged: {reason[:200]}") from error


def load_model(model: str | os.PathLike[str]) -> Model:
    """Read a model that ships with the package, or a model file.

    Those that ship were trained on all 60,000 of MNIST's training images, `Dataset.split`'s validation images among
    them: only the test images are new to them.

    Parameters
    ----------
    model : str or path-like
        A name out of `SHIPPED`, or the path of a file (``./best``, should one be called like a shipped model).

    Raises
    ------
    InputError
        If there is neither; see `Model.load`.

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


def _clouds(arrays: Mapping[str, NDArray[np.float32]], header: Any) -> Clouds | None:
    """Return the clouds of a model file, whose models of before had none."""
    if header is None:
        return None
    scraps = arrays.get(CLOUDS + "scraps")
    clouds = Clouds(arrays[CLOUDS + "centres"], arrays[CLOUDS + "whitening"], header["limit"], scraps)
    check(header["digest"] == digest(clouds.arrays), "digest of clouds", header["digest"], "that of the content")
    return clouds


def _checksum(header: dict[str, Any], digest: str) -> str:
    return hashlib.sha256((json.dumps(header, sort_keys=True) + digest).encode()).hexdigest()
