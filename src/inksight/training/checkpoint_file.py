"""Checkpoint files: the whole state of a training between two steps, or its result; safetensors with a JSON header."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count, known_fields
from inksight.engine.trainer import TrainingState
from inksight.errors import DamagedFileError, InputError
from inksight.nn.history import History
from inksight.nn.model import digest
from inksight.nn.model_file import SIZE_LIMIT, checksum, content_of_file, content_of_model, model_of, write_content
from inksight.training.epoch_metrics import EpochMetrics
from inksight.training.result import TrainingResult

FORMAT = "inksight checkpoint 1"
STATE = ("weights", "first", "second")  # the arrays of a `TrainingState`


@dataclass(frozen=True, slots=True)
class Header:
    """The JSON header of a checkpoint file, not yet checked."""

    format: Any
    number: Any
    settings: Any
    build: Any
    checksum: Any
    history: Any = None
    state: Any = None  # the fields of `State`, or
    result: Any = None  # those of `Result`, and
    model: Any = None  # the header of a model file


@dataclass(frozen=True, slots=True)
class State:
    """What the header says about a `Snapshot`, not yet checked."""

    steps: Any
    epoch: Any
    epoch_seconds: Any
    seconds: Any
    images_seen: Any


@dataclass(frozen=True, slots=True)
class Result:
    """What the header says about a `TrainingResult`, not yet checked."""

    stopped: Any
    train_images: Any
    seconds: Any
    images_per_second: Any


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


def read_saved(path: Path, check_further: Callable[[Saved], object] = lambda saved: None) -> Saved:
    """Read a checkpoint file.

    Parameters
    ----------
    path : Path
    check_further : callable
        Raises `InputError` if the content is not what it must be: the numbers of the content and the shapes of the
        arrays may be of any kind.

    Raises
    ------
    DamagedFileError
        If it is not whole, or something else.
    """
    try:
        values, arrays = content_of_file(path, 4 * SIZE_LIMIT)  # the weights of the largest model, and their moments
        header = Header(**known_fields(Header, values))
        check(header.format == FORMAT, "format", header.format, repr(FORMAT))
        expected = checksum({name: value for name, value in values.items() if name != "checksum"}, digest(arrays))
        check(header.checksum == expected, "checksum", header.checksum, "that of the content")
        number = header.number
        check(is_count(number, 0) and number < 2**53, "number", number, "a whole number of 0 or more")
        for name in ("settings", "build"):
            check(isinstance(getattr(header, name), dict), name, getattr(header, name), "an object with named values")
        saved = Saved(header.settings, header.build, number, _parse(header, arrays))
        check_further(saved)
        return saved
    except (InputError, RecursionError) as error:  # the latter for deeply nested values
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


def _parse(header: Header, arrays: dict[str, NDArray[np.float32]]) -> Snapshot | TrainingResult | None:
    parts = [name for name in ("history", "state", "result", "model") if getattr(header, name) is not None]
    if not parts:
        return None
    history = History.from_list(header.history)
    if parts == ["history", "result", "model"]:
        result = Result(**known_fields(Result, header.result))
        model = replace(model_of(header.model, arrays), history=history)  # a model file holds no times
        return TrainingResult(model, **asdict(result))
    check(parts == ["history", "state"], "content", parts, "history and state; or history, result and model")
    check(arrays.keys() == set(STATE), "arrays", sorted(arrays), ", ".join(STATE))
    state = State(**known_fields(State, header.state))
    epoch = EpochMetrics(**known_fields(EpochMetrics, state.epoch))
    trainer = TrainingState(**arrays, steps=state.steps)
    return Snapshot(trainer, history, epoch, state.epoch_seconds, state.seconds, state.images_seen)
