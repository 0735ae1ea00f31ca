"""`write_onnx`: a model as an ONNX file, which is checked before it is written."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from inksight._shared.files import check_writable, write_bytes
from inksight._shared.validation import check
from inksight.data.loading import load
from inksight.errors import InksightError, MissingDependencyError
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model
from inksight.nn.ood import ood_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Largest difference between ONNX Runtime and the package, as a share of the largest value of an output. The score takes
# roots of averages near 0 and divides by small variances, which magnifies the rounding of single precision.
TOLERANCE, SCORE_TOLERANCE = 1e-5, 1e-4
IMAGES = 100  # digits on which ONNX Runtime is compared with the package


def write_onnx(
    model: ModelLike,
    path: str | os.PathLike[str],
    *,
    outputs: Sequence[str] | None = None,
    input_type: str = "uint8",
    card: str = "",
) -> float | None:
    """Write a model as one ONNX file (opset 17), which gives the answers of the package in any ONNX runtime.

    The input is ``images``, (n, 28, 28) with high = ink, for any n. Normalization, temperature and softmax are inside.
    The metadata hold the names of the classes, the version, the digest and the temperature of the model, the form of
    the images, the threshold of the out-of-distribution score, and the card.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    path : path-like
        The file to write.
    outputs : sequence of str, optional
        Names of the outputs: any stage (`inksight.nn.stage_names`), as `Model.activations` returns it; ``label``, (n,)
        int64, the most probable class; ``ood_score``, (n,), the `inksight.ood_score`. By default ``probabilities``,
        ``label`` and, if the model has a detector, ``ood_score``.
    input_type : {"uint8", "float32"}
        Type of the images: 0 to 255, or 0 to 1.
    card : str
        The model card, as Markdown (`inksight.card`).

    Returns
    -------
    float or None
        The largest difference between an output in ONNX Runtime and in the package for 100 digits, as a share of the
        largest value of that output. None if ONNX Runtime is not installed.

    Raises
    ------
    InputError
        If the model does not exist, it has no such output, or the file cannot be written.
    InksightError
        If ONNX Runtime gives other answers than the package: the file is not written.
    MissingDependencyError
        If onnx is not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     difference = write_onnx("tiny", Path(folder) / "tiny.onnx", outputs=["probabilities", "barcode"])
    >>> difference is None or difference < 1e-5
    True
    """
    loaded = as_model(model)
    try:
        from inksight.export.onnx_graph import INPUT_TYPES, build_graph, output_names
    except ImportError as error:
        raise MissingDependencyError("writing ONNX needs onnx: pip install 'inksight[onnx]'") from error
    from onnx import checker

    possible = output_names(loaded)
    usual: list[str] = [name for name in ("probabilities", "label", "ood_score") if name in possible]
    names = usual if outputs is None else list(outputs)
    check(bool(names), "outputs", outputs, "one or more of " + ", ".join(possible))
    for name in names:
        check(name in possible, "output", name, "one of " + ", ".join(possible))
        check(names.count(name) == 1, "outputs", names, "different ones")
    check(input_type in INPUT_TYPES, "input_type", input_type, " or ".join(INPUT_TYPES))
    check_writable(path)
    graph = build_graph(loaded, names, input_type, card)
    checker.check_model(graph, full_check=True)
    content = graph.SerializeToString(deterministic=True)
    difference = _check_parity(loaded, content, names, input_type) if find_spec("onnxruntime") else None
    write_bytes(path, content)
    return difference


def _check_parity(model: Model, content: bytes, names: list[str], input_type: str) -> float:
    """Return the largest difference of an output in ONNX Runtime; raise `InksightError` if it is too large."""
    import onnxruntime

    images = np.concatenate([load("mnist").images[:IMAGES], np.zeros((1, 28, 28), np.uint8)])
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given = images if input_type == "uint8" else images.astype(np.float32) / np.float32(255)
    expected = expected_outputs(model, images, names)
    differences = []
    for name, got in zip(names, session.run(names, {"images": given}), strict=True):
        allowed = SCORE_TOLERANCE if name == "ood_score" else TOLERANCE
        difference = float(np.abs(got - expected[name]).max() / max(np.abs(expected[name]).max(), 1e-30))
        if not difference <= allowed:  # NaN, too
            raise InksightError(
                f"{name} in ONNX Runtime must be that of the package up to {allowed:g}, got {difference:.2g}: "
                "no file was written; install another version of onnxruntime"
            )
        differences.append(difference)
    return max(differences)


def expected_outputs(
    model: Model, images: "NDArray[np.uint8]", names: Sequence[str]
) -> "dict[str, NDArray[np.generic]]":
    """Return what the package computes for each output of an ONNX file."""
    stages = [name for name in names if name not in ("label", "ood_score")]
    result: dict[str, NDArray[np.generic]] = {**model.activations(images, only=stages)}
    if "label" in names:
        result["label"] = model.predict(images)
    if "ood_score" in names:
        result["ood_score"] = ood_score(model, images)
    return result
