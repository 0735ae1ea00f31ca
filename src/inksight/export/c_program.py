"""A network as a C program: `write_c` writes it for microcontrollers, in floats or in 8-bit integers."""

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.files import make_folder, write_text
from inksight._shared.validation import check
from inksight.data.loading import DataLike, as_splits
from inksight.export.c_quantization import quantize
from inksight.export.c_source import source
from inksight.inspection.evaluation import require_suited
from inksight.nn.model_file import ModelLike, as_model

CALIBRATION_IMAGES = 1000
_HEADERS = ("math", "stddef", "stdint", "stdio")  # that the C code includes: a file of that name could hide one


@dataclass(frozen=True, slots=True)
class CProgram:
    """The C files of a network, what they need, and how accurate they are.

    Parameters
    ----------
    files : tuple of Path
        Header, source and an example program.
    ram : int
        Static memory, in bytes.
    flash : int
        Weights and tables, in bytes, without the code.
    accuracy : float
        Share of the images that the C code classifies correctly, 0 to 1.
    float_accuracy : float
        The same for the model itself.
    images : int
        Number of images that the accuracies were measured on.
    part : str
        What images these are: ``test``, ``validation`` or ``train``.
    """

    files: tuple[Path, ...]
    ram: int
    flash: int
    accuracy: float
    float_accuracy: float
    images: int
    part: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {"files": [str(path) for path in self.files]}


def write_c(
    model: ModelLike,
    folder: str | os.PathLike[str],
    *,
    int8: bool = False,
    prefix: str | None = None,
    data: DataLike = "mnist",
) -> CProgram:
    """Write a network as a header and a source in C99, which need no library but the ``expf`` of C.

    The network is computed row by row, so that it needs little memory. The steps from a picture to an image of 28x28
    pixels (`inksight.prepare`) are not part of it.

    Parameters
    ----------
    model : Model, str or path-like
    folder : path-like
        Where ``PREFIX.h``, ``PREFIX.c`` and ``PREFIX_example.c`` are written; created if it does not exist.
    int8 : bool
        Quantize the network to 8-bit integers: about a quarter of the memory. Training images choose the ranges.
    prefix : str, optional
        What all public names begin with, so that two networks fit into one program; a C identifier. By default the
        name of the model, or "network".
    data : Dataset, Splits, str or path-like
        Images of the kind that the model was trained on. The accuracy is that on its test images, if it has any.

    Raises
    ------
    InputError
        If the prefix is not a C identifier, the data does not suit the model, or the files cannot be written.

    References
    ----------
    Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
    CVPR 2018.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import inksight
    >>> with TemporaryDirectory() as folder:
    ...     digits = inksight.load("mnist")[:500]
    ...     program = write_c("tiny", folder, int8=True, data=digits)
    ...     [path.name for path in program.files], program.ram, program.flash
    (['tiny.h', 'tiny.c', 'tiny_example.c'], 1356, 1417)
    """
    name = _default_prefix(model) if prefix is None else prefix
    identifier = isinstance(name, str) and re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,59}", name, re.ASCII)
    check(bool(identifier), "prefix", name, "a C identifier of at most 60 letters, digits and underscores")
    check(name.lower() not in _HEADERS, "prefix", name, "other than " + ", ".join(_HEADERS))
    model, splits = as_model(model), as_splits(data)
    part, images = list(splits.parts.items())[-1]
    labels = require_suited(images, model, "measuring the accuracy of the C program")
    float_accuracy = accuracy = float((model.predict(images.images) == labels).mean())
    quantized = None
    if int8:
        quantized = quantize(model, _spread(splits.train.images, CALIBRATION_IMAGES))
        logits = quantized.logits(images.images)[:, : model.network.classes]
        accuracy = float((logits.argmax(axis=1) == labels).mean())
    in_floats = f" ({float_accuracy:.2%} in floats)" if int8 else ""
    result = source(model, quantized, name, f"{accuracy:.2%} on {len(images):,} {part} images{in_floats}")
    where = make_folder(folder)
    for file, text in result.files.items():
        write_text(where / file, text)
    files = tuple(where / file for file in result.files)
    return CProgram(files, result.ram, result.flash, accuracy, float_accuracy, len(images), part)


def _default_prefix(model: ModelLike) -> str:
    """Return the name of a shipped model or of a model file as a C identifier."""
    stem = Path(model).stem if isinstance(model, (str, os.PathLike)) else ""
    name = re.sub("[^A-Za-z0-9_]+", "_", stem).strip("_")[:60]
    return name if name[:1].isalpha() and name.lower() not in _HEADERS else f"network_{name}".rstrip("_")[:60]


def _spread(images: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Return at most `count` images at equal distances, because files are often sorted by class."""
    return images[np.unique(np.linspace(0, len(images) - 1, count).astype(np.int64))]
