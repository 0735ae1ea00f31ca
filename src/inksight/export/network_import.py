"""`import_model`: a network that was trained with Keras or PyTorch, as a model of inksight."""

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from inksight._shared.files import as_path
from inksight._shared.untrusted import check_is_file, check_memory, damage_as_input_error, parse_json, read_bounded
from inksight._shared.validation import check
from inksight.config import DIGITS, Network, get_network
from inksight.errors import InputError, MissingFileError, UnsupportedFileError
from inksight.export.hdf5_arrays import read_hdf5
from inksight.export.keras_layers import read_layers
from inksight.export.weight_matching import Floats, Weights, as_floats, match, natural_order, pairs
from inksight.nn.model import Model
from inksight.nn.model_file import SIZE_LIMIT
from inksight.nn.normalization import Normalization

ZIP, HDF5, PICKLE = b"PK\x03\x04", b"\x89HDF", b"\x80"  # the first bytes of such files
SAVE_STATE = 'safetensors.torch.save_file(model.state_dict(), "weights.safetensors")'
NO_PICKLE = f"a pickle, which can run code when it is read: load it where it was made, and write it by `{SAVE_STATE}`"
# The order of the arrays of a layer in a whole model of Keras 2, which names them.
LEGACY_ORDER = ("depthwise_kernel", "pointwise_kernel", "kernel", "bias", "mean", "variance", "count")


def import_model(
    path: str | os.PathLike[str],
    *,
    network: Network | str | None = None,
    leak: float | None = None,
    mean: float | None = None,
    std: float | None = None,
    class_names: Sequence[str] | None = None,
) -> Model:
    """Read a network that was trained with Keras or PyTorch, if it is one of the networks of inksight.

    That is: convolutions without padding, each with a leaky ReLU and possibly 2x2 max pooling; global average pooling;
    one or two dense layers; softmax. Nothing in the file is run.

    Parameters
    ----------
    path : path-like
        A whole Keras model (``.keras``, or ``.h5`` of Keras 2), Keras weights (``.weights.h5``), or the state dict of a
        PyTorch module in safetensors.
    network : Network or str, optional
        The network (`inksight.get_network`) of weights alone, which do not tell about pooling. By default the preset
        that has layers of these shapes, first of all ``post``.
    leak : float, optional
        Slope of the leaky ReLU, 0 to 1, of weights alone; by default that of the network.
    mean, std : float, optional
        Mean and standard deviation by which the pixels, 0 to 1, were normalized before the network saw them; by default
        0 and 1. A network that was trained on pixels from 0 to 255 has a mean of 0 and a standard deviation of 1/255.
        A Keras model that has its own layers for this needs none.
    class_names : sequence of str, optional
        One name per class; by default 0, 1, 2, ...

    Returns
    -------
    Model
        Without a history and an out-of-distribution detector, and not calibrated.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind; if a layer is not one of the networks of inksight, which the
        message names; or if an argument contradicts the file.
    MissingDependencyError
        If the file is one of Keras and h5py is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import inksight
    >>> with TemporaryDirectory() as folder:
    ...     script, weights = inksight.export.write_torch("post", Path(folder) / "post.py")
    ...     model = import_model(weights)
    >>> model.predict(inksight.load("mnist").split().test.images[:5])
    array([7, 2, 1, 0, 4])
    """
    where = as_path(path)
    check_is_file(where, "give the file of a network")
    if not where.is_file():
        raise MissingFileError(f"{str(where)!r} does not exist: give the file of a network of Keras or PyTorch")
    check_memory(where, where.stat().st_size, SIZE_LIMIT)
    with where.open("rb") as file:
        start = file.read(9)
    given_network = None if network is None else get_network(network, len(class_names or DIGITS))
    config: object = None
    if start.startswith(ZIP):
        config, arrays = _read_keras_zip(where)
    elif start.startswith(HDF5):
        arrays, text = read_hdf5(where, io.BytesIO(where.read_bytes()))
        config = parse_json(text) if text else None
    elif start.startswith(PICKLE) and not start.endswith(b"{"):  # the header of safetensors may be that long
        raise UnsupportedFileError(f"{str(where)!r} is {NO_PICKLE}")
    else:
        arrays = _read_safetensors(where)
    if config is not None:
        for name, value in (("network", network), ("leak", leak)):
            check(value is None, name, value, "left out for a whole model, which describes its own")
        with damage_as_input_error(where, "a Keras model"):
            found, params, normalization = read_layers(config, lambda path, name: _arrays_of(arrays, path, name))
    else:
        with damage_as_input_error(where, "weights of Keras or PyTorch"):
            layers, normalization = _keras_weights(arrays) if start.startswith(HDF5) else _torch_weights(arrays)
            classes = [layer for layer in layers if layer.kernel.ndim == 2][-1:]
            check(bool(classes), "layers", ", ".join(map(str, layers)), "those of a network with a dense output layer")
            if given_network is not None:
                given_network = replace(given_network, classes=classes[0].kernel.shape[1])
                given_network = given_network if leak is None else replace(given_network, leak=leak)
            found, params = match(layers, given_network, classes[0].kernel.shape[1])
            found = found if leak is None else replace(found, leak=leak)
    names = tuple(str(i) for i in range(found.classes)) if class_names is None else tuple(class_names)
    return Model(found, params, _choose(normalization, mean, std), names)


def _choose(found: Normalization | None, mean: float | None, std: float | None) -> Normalization:
    """Return the normalization of the file or the given one."""
    if mean is None and std is None:
        return found or Normalization()
    check(
        found is None, "mean and std", (mean, std), "left out for a file with its own normalization", f"it has {found}"
    )
    ok = isinstance(std, (int, float, type(None))) and (std is None or 1e-6 <= std <= 1e6)
    check(ok, "std", std, "from 1e-6 to 1e6, for pixels from 0 to 1")
    return Normalization(0.0 if mean is None else mean, 1.0 if std is None else std**2)


def _read_keras_zip(path: Path) -> tuple[object, dict[str, NDArray[np.generic]]]:
    """Return the description and the arrays of a ``.keras`` file."""
    with damage_as_input_error(path, "a Keras model"), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(name.endswith(".pkl") for name in names):
            raise UnsupportedFileError(f"{str(path)!r} holds {NO_PICKLE}")
        members = []
        for name in ("config.json", "model.weights.h5"):
            check(names.count(name) == 1, "files in the archive", names, f"with one {name}, as Keras writes it")
            check_memory(path, archive.getinfo(name).file_size, SIZE_LIMIT)
            with archive.open(name) as stream:
                members.append(bytes(read_bounded(stream, SIZE_LIMIT)))
    return parse_json(members[0]), read_hdf5(path, io.BytesIO(members[1]))[0]


def _arrays_of(arrays: dict[str, NDArray[np.generic]], path: str, name: str) -> list[NDArray[np.generic]]:
    """Return the arrays of a layer: by its path in Keras 3, or by its name in a whole model of Keras 2."""
    folder = f"{path}/vars/"
    found = [key for key in arrays if key.startswith(folder)]
    if found:
        return [arrays[key] for key in sorted(found, key=natural_order)]
    folder = f"model_weights/{name}/"
    parts = {key.rpartition("/")[2].split(":")[0]: key for key in arrays if key.startswith(folder)}
    check(parts.keys() <= {*LEGACY_ORDER}, "arrays of the layer", sorted(parts), ", ".join(LEGACY_ORDER))
    return [arrays[parts[part]] for part in LEGACY_ORDER if part in parts]


def _keras_weights(arrays: dict[str, NDArray[np.generic]]) -> tuple[list[Weights], Normalization | None]:
    """Return the layers and the normalization of ``.weights.h5``, in which layers are named after their class."""
    layers, normalization = [], None
    folders = {key.rpartition("/")[0] for key in arrays}
    for folder in sorted(folders, key=natural_order):
        check(folder.endswith("/vars"), "arrays", folder, "weights as Keras 3 writes them, in .weights.h5")
        name = folder.removesuffix("/vars").removeprefix("layers/")
        found = _arrays_of(arrays, folder.removesuffix("/vars"), name)
        if name.startswith("normalization"):
            normalization = _moments(found[:2])
            continue
        floats = [as_floats(name, array) for array in found]
        known = name.startswith(("separable_conv2d", "conv2d", "dense"))
        check(known and len(floats) in (1, 2, 3), "layer", name, "a convolution or a dense layer")
        if name.startswith("separable"):
            layers.append(Weights(f"{name} depthwise", floats.pop(0), None))
        layers.append(Weights(name, floats[0], floats[1] if len(floats) > 1 else None))
    return layers, normalization


def _moments(arrays: list[NDArray[np.generic]]) -> Normalization | None:
    """Return the normalization by a mean and a variance; None if it changes nothing."""
    single = len(arrays) == 2 and all(array.size == 1 and array.dtype.kind == "f" for array in arrays)
    check(single, "normalization", [array.shape for array in arrays], "one mean and one variance")
    mean, variance = (float(array.reshape(-1)[0]) for array in arrays)
    if mean > 1:  # measured on pixels from 0 to 255
        mean, variance = mean / 255, variance / 255**2
    return None if (mean, variance) == (0, 1) else Normalization(mean, variance)


def _torch_weights(arrays: dict[str, NDArray[np.generic]]) -> tuple[list[Weights], Normalization | None]:
    """Return the layers of a state dict, and the normalization that `inksight.export.write_torch` adds to it."""
    moments = [arrays.pop(name) for name in ("normalization.mean", "normalization.variance") if name in arrays]
    normalization = _moments(moments) if moments else None
    floats: dict[str, Floats] = {name: as_floats(name, array) for name, array in arrays.items()}
    layers = []
    for name, kernel, bias in pairs(floats, "weight", "bias"):
        check(kernel.ndim in (2, 4), f"shape of {name}.weight", kernel.shape, "that of a convolution or a linear layer")
        axes = (2, 3, 1, 0) if kernel.ndim == 4 else (1, 0)
        layers.append(Weights(name, np.ascontiguousarray(kernel.transpose(axes)), bias))
    return layers, normalization


def _read_safetensors(path: Path) -> dict[str, NDArray[np.generic]]:
    kind = f"a Keras model, Keras weights, or a state dict written by `{SAVE_STATE}`"
    with damage_as_input_error(path, kind), safe_open(path, framework="numpy") as file:
        if "inksight" in (file.metadata() or {}):
            raise InputError(f"{str(path)!r} is an inksight model already: use it as it is")
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
