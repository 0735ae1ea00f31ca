"""Checkpoint files: the whole state of a training between two steps, or its result; safetensors with a JSON header."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.engine.trainer import TrainingState
from inksight.errors import DamagedFileError, InputError
from inksight.nn.history import History
from inksight.nn.model import digest
from inksight.nn.model_file import SIZE_LIMIT, checksum, content_of_file, content_of_model, model_of, write_content
from inksight.training.epoch_metrics import EpochMetrics
from inksight.training.result import TrainingResult

FORMAT = "inksight checkpoint 1"
STATE = ("weights", "first", "second")  # the arrays of a `TrainingState`

Content = tuple[dict[str, Any], dict[str, NDArray[np.float32]]]  # a JSON header and arrays


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The whole state of a training between two steps.

    The order of the images and their augmentation are functions of seed and epoch, so that they need no state.

    Parameters
    ----------
    trainer : TrainingState
    history : History
        Finished epochs, also those of earlier trainings of the model.
    epoch : EpochMetrics
        The epoch in progress; the next step is number ``epoch.steps`` of it, from 0.
    epoch_seconds : float
        Time of the training steps of the epoch in progress.
    seconds : float
        Time of the training steps of this training's finished epochs.
    images_seen : int
        Images of this training's finished epochs.
    """

    trainer: TrainingState
    history: History
    epoch: EpochMetrics
    epoch_seconds: float
    seconds: float
    images_seen: int


@dataclass(frozen=True, eq=False)
class Saved:
    """The content of a checkpoint file.

    Parameters
    ----------
    settings : mapping
        All that determines the training, as JSON values: its configuration, and digests of its data.
    build : mapping
        The version and the engine that compute it.
    number : int
        The newer of two checkpoints has the higher one.
    content : Snapshot, TrainingResult or None
        The result if the training is finished. None if it consists of several, which have folders of their own.
    """

    settings: Mapping[str, Any]
    build: Mapping[str, Any]
    number: int = 0
    content: Snapshot | TrainingResult | None = None


def write_saved(path: Path, saved: Saved) -> None:
    """Write a checkpoint file atomically; when this returns, it is on the disk.

    Raises
    ------
    InputError
        If it cannot be written. A file that was there before is left as it is.
    """
    header = {"format": FORMAT, "number": saved.number, "settings": saved.settings, "build": saved.build}
    more, arrays = _content_of(saved.content)
    header |= more
    write_content(path, header | {"checksum": checksum(header, digest(arrays))}, arrays)


def read_saved(path: Path) -> Saved:
    """Read a checkpoint file.

    Raises
    ------
    DamagedFileError
        If it is not whole, or something else.
    """
    try:
        header, arrays = content_of_file(path, 4 * SIZE_LIMIT)  # the weights of the largest model, and their moments
        expected = header.pop("checksum")
        check(header["format"] == FORMAT, "format", header["format"], repr(FORMAT))
        check(expected == checksum(header, digest(arrays)), "checksum", expected, "that of the content")
        return Saved(header["settings"], header["build"], header["number"], _parse(header, arrays))
    except (InputError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DamagedFileError(f"{str(path)!r} is not a checkpoint, or damaged: {reason[:200]}") from error


def _content_of(content: Snapshot | TrainingResult | None) -> Content:
    if content is None:
        return {}, {"nothing": np.zeros(1, np.float32)}  # safetensors 0.4.3 cannot read a file without arrays
    if isinstance(content, Snapshot):
        state = {name: getattr(content, name) for name in ("epoch_seconds", "seconds", "images_seen")}
        state |= {"steps": content.trainer.steps, "epoch": asdict(content.epoch)}
        arrays = {name: getattr(content.trainer, name) for name in STATE}
        return {"state": state, "history": content.history.to_list()}, arrays
    model, arrays = content_of_model(content.model)
    result = {name: value for name, value in vars(content).items() if name != "model"}
    return {"result": result, "model": model, "history": content.model.history.to_list()}, arrays


def _parse(header: Mapping[str, Any], arrays: dict[str, NDArray[np.float32]]) -> Snapshot | TrainingResult | None:
    if "history" not in header:
        return None
    history = History.from_list(header["history"])
    if "result" in header:
        model = replace(model_of(header["model"], arrays), history=history)  # a model file holds no times
        return TrainingResult(model=model, **header["result"])
    state = dict(header["state"])
    trainer = TrainingState(**arrays, steps=state.pop("steps"))
    return Snapshot(trainer, history, EpochMetrics(**state.pop("epoch")), **state)
