"""`Model`: a trained network, all one needs to use it, and the one file it lives in."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from inksight import __version__
from inksight._shared.files import write_bytes
from inksight.config import SIDE, Network, Recipe, check, is_between, is_count
from inksight.data.readers import DIGITS
from inksight.engine import library as native
from inksight.engine.predictor import Predictor
from inksight.errors import InksightError, InputError
from inksight.nn.history import History
from inksight.nn.lesson import Lesson
from inksight.nn.mahalanobis import Clouds
from inksight.nn.parameters import init, kernel, shapes, stages

FORMAT = "inksight model 1"
SHIPPED = ("post", "best", "small", "tiny")  # in assets/, made by benchmarks/ship.py
CLOUDS = "clouds."  # what the names of their arrays begin with, in a file
SIZE_LIMIT = 256 * 2**20  # bytes: some thousand times the post's network


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
    clouds : Clouds or None
        By which it knows what is no digit: see `inksight.nn.ood`.

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
    clouds: Clouds | None = None

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
        if self.clouds is not None:
            points = (self.network.classes, sum(bank.filters for bank in self.network.banks))
            check(self.clouds.centres.shape == points, "shape of clouds", self.clouds.centres.shape, str(points))

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
        return Predictor(self.network, self.params)

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
        banks = len(self.network.banks)
        check(is_count(bank) and bank <= banks, "bank", bank, f"1 to {banks}")
        weights: NDArray[np.float32] = kernel(self.params, bank)
        return weights.transpose(3, 2, 0, 1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one ``.safetensors`` file, beside its place first and then renamed into it.

        Raises
        ------
        InputError
            If the folder doesn't exist or can't be written to.
        """
        header = {
            "format": FORMAT,
            "network": self.network.to_dict(),
            "class_names": list(self.class_names),
            "recipe": self.recipe and self.recipe.to_dict(),
            "history": self.history.to_list(),
            "trained_on": self.trained_on,
            "version": self.version,
            "temperature": self.temperature,
        }
        if self.lessons:  # most have none, and their files stay as they were
            header["lessons"] = [lesson.to_dict() for lesson in self.lessons]
        arrays = dict(self.params)
        if self.clouds is not None:
            header["clouds"] = {"limit": self.clouds.limit, "digest": digest(self.clouds.arrays)}
            arrays |= {CLOUDS + name: array for name, array in self.clouds.arrays.items()}
        header["checksum"] = _checksum(header, self.digest)
        # One key alone: with several their order in the file would change from run to run.
        data = save(arrays, {"inksight": json.dumps(header)})
        write_bytes(path, data)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Model":
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
            model = cls(
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
            return Model.load(path)
    return Model.load(model)


def as_images(images: ArrayLike) -> NDArray[Any]:
    """Check images (28, 28) to (n, 28, 28, 1), uint8 or float 0..1, and return them as (n, 28, 28)."""
    array = np.asarray(images)
    if array.dtype == bool:
        array = array.astype(np.float32)
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    elif array.ndim == 3 and array.shape == (SIDE, SIDE, 1):
        array = array[None, ..., 0]
    elif array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[1:] != (SIDE, SIDE):
        check(False, "shape of images", np.shape(images), f"({SIDE}, {SIDE}) to (n, {SIDE}, {SIDE}, 1)")
    if array.dtype == np.uint8:
        return array
    check(array.dtype.kind == "f", "type of images", str(array.dtype), "uint8, or float with values 0 to 1")
    low, high = (array.min(), array.max()) if array.size else (0.0, 0.0)
    check(
        bool(low >= 0 and high <= 1), "range of float images", (float(low), float(high)),
        "0 to 1: divide by the largest possible value, or hand in uint8",
    )  # fmt: skip
    return array.astype(np.float32)


def digest(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    """Return the SHA-256 of arrays with their names, in hexadecimal."""
    result = hashlib.sha256()
    for name in sorted(arrays):
        result.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return result.hexdigest()


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
