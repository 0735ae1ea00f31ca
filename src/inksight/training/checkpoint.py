"""`Checkpoint`: a folder from which an interrupted training is resumed."""

import json
import operator
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inksight._shared.claim import claimed
from inksight._shared.files import as_path, check_writable, make_folder
from inksight._shared.validation import check, is_between, shown
from inksight.config.recipe import flatten
from inksight.data.dataset import Dataset
from inksight.errors import DamagedFileError, InputError, InputWarning
from inksight.nn.model import Model, digest
from inksight.nn.model_file import content_of_model
from inksight.training.checkpoint_file import Saved, Snapshot, read_saved, write_saved
from inksight.training.result import TrainingResult

EVERY = 10.0  # seconds from one checkpoint to the next, by default
SHOWN = 3  # differences that an error names


@dataclass(frozen=True)
class Checkpoint:
    """A folder from which an interrupted training is resumed.

    Give the same one to the same training again: it goes on from the last checkpoint in the folder, and the model is
    byte for byte the one that an uninterrupted training gives. A finished training is not repeated.

    Parameters
    ----------
    folder : path-like
        It is created if it does not exist. It belongs to one training.
    every : float
        Seconds from one checkpoint to the next, 0 or more; 0 writes one after every few steps.

    Raises
    ------
    InputError
        If `folder` is not a path, or `every` is out of range.

    Examples
    --------
    >>> import inksight
    >>> from tempfile import TemporaryDirectory
    >>> data, recipe = inksight.load("mnist")[:200], inksight.Recipe(epochs=2)
    >>> with TemporaryDirectory() as folder:
    ...     stopped = inksight.fit(
    ...         data, "4x5p,8x3", recipe, checkpoint=Checkpoint(folder, every=60), progress=False
    ...     )
    ...     again = inksight.fit(data, "4x5p,8x3", recipe, checkpoint=folder, progress=False)
    >>> stopped.model.digest == again.model.digest, stopped.seconds == again.seconds  # it was not trained twice
    (True, True)
    """

    folder: str | os.PathLike[str]
    every: float = EVERY

    def __post_init__(self) -> None:
        as_path(self.folder)
        check(is_between(self.every, 0, 1e9), "seconds from one checkpoint to the next", self.every, "0 to 1e9")

    def part(self, name: str) -> Self:
        """Return the checkpoint of a part of the work, in a folder inside."""
        return type(self)(Path(self.folder) / name, self.every)


CheckpointLike: TypeAlias = Checkpoint | str | os.PathLike[str]
"""What a function takes as a checkpoint: a `Checkpoint`, or its folder."""


def as_checkpoint(checkpoint: CheckpointLike) -> Checkpoint:
    """Return a checkpoint as it is, and that of a folder with the default interval."""
    return checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)


class CheckpointFolder:
    """The two newest checkpoints of a training, each in a file of its own, so that one is always whole.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of which the process is the only user (`alone_in`).
    settings, build : mapping
        See `inksight.training.checkpoint_file.Saved`.

    Raises
    ------
    InputError
        If the folder holds another training, or cannot be written.
    """

    def __init__(self, checkpoint: Checkpoint, settings: Mapping[str, Any], build: Mapping[str, Any]) -> None:
        self.folder, self.every = Path(checkpoint.folder), checkpoint.every
        self.settings, self.build = as_json(settings), build
        self.number, self.written = 0, time.monotonic()
        self.newest: Snapshot | TrainingResult | None = None
        if saved := self._read_newest():
            check_same(self.folder, saved.settings, self.settings)
            if different := differences(saved.build, build):
                message = f"the checkpoint in {str(self.folder)!r} was computed by another build, {different}: "
                warnings.warn(message + "the weights may differ in their last bits", InputWarning, stacklevel=4)
            self.number, self.newest = saved.number, saved.content
        if not isinstance(self.newest, TrainingResult):
            check_writable(self._path(self.number + 1))

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next checkpoint."""
        return time.monotonic() - self.written >= self.every

    def write(self, content: Snapshot | TrainingResult) -> None:
        """Replace the older of the two checkpoints.

        Raises
        ------
        InputError
            If it cannot be written, such as on a full disk. The newer checkpoint is left as it is.
        """
        try:
            write_saved(self._path(self.number + 1), Saved(self.settings, self.build, self.number + 1, content))
        except InputError as error:
            advice = "the same training resumes from the checkpoint before" if self.number else "give another folder"
            raise InputError(f"{error}; {advice}") from error
        self.number, self.written = self.number + 1, time.monotonic()

    def _path(self, number: int) -> Path:
        return self.folder / f"checkpoint-{number % 2}.safetensors"

    def _read_newest(self) -> Saved | None:
        """Return the newest checkpoint that is whole. Warn of one that is not."""
        found: list[Saved] = []
        damaged: list[InputError] = []
        for path in filter(os.path.lexists, map(self._path, range(2))):
            try:
                found.append(read_saved(path))
            except DamagedFileError as error:
                damaged.append(error)
        for reason in damaged:
            then = "resuming from the checkpoint before" if found else "starting again"
            warnings.warn(f"{reason}; {then}", InputWarning, stacklevel=5)
        return max(found, key=lambda saved: saved.number, default=None)


Parts: TypeAlias = Callable[[str], Checkpoint | None]
"""Returns the checkpoint of a part of some work by its name; None if the work has no checkpoint."""


@contextmanager
def checkpointed(checkpoint: CheckpointLike | None, settings: Mapping[str, Any]) -> Iterator[Parts]:
    """Use a checkpoint for work that consists of several trainings; yield the checkpoints of these.

    Parameters
    ----------
    checkpoint : Checkpoint, path-like or None
    settings : mapping
        All that determines the work, as JSON values.

    Raises
    ------
    InputError
        If another process uses the folder, or it holds other work or cannot be written.
    """
    if checkpoint is None:
        yield lambda name: None
        return
    whole, settings = as_checkpoint(checkpoint), as_json(settings)
    with alone_in(whole):
        record = Path(whole.folder) / "work.safetensors"
        try:
            check_same(whole.folder, read_saved(record).settings, settings)
        except DamagedFileError:  # or missing: what the parts hold is checked by each of them, too
            write_saved(record, Saved(settings, {}))
        yield whole.part


@contextmanager
def opened(
    checkpoint: CheckpointLike, settings: Mapping[str, Any], build: Mapping[str, Any]
) -> Iterator[CheckpointFolder]:
    """Use a checkpoint for one training; the parameters and errors are those of `CheckpointFolder`."""
    given = as_checkpoint(checkpoint)
    with alone_in(given):
        yield CheckpointFolder(given, settings, build)


@contextmanager
def alone_in(checkpoint: Checkpoint) -> Iterator[None]:
    """Create the folder of a checkpoint, and refuse it to other processes while the block runs."""
    with claimed(make_folder(checkpoint.folder), alone=True):
        yield


def as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they are when they have been read from a file: tuples become lists."""
    values: dict[str, Any] = json.loads(json.dumps(settings, default=operator.index))  # a seed may be one of NumPy
    return values


def check_same(folder: str | os.PathLike[str], there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Raise `InputError` if the work in a folder is not the one that is to be done."""
    if different := differences(there, here):
        raise InputError(
            f"checkpoint must be that of the same work, got {os.fspath(folder)!r} with another, {different}: "
            "give another folder, or delete this one"
        )


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Return which JSON values differ, the first few, as text; it is empty if none do.

    Examples
    --------
    >>> differences({"seed": 1, "recipe": {"epochs": 5}}, {"seed": 1, "recipe": {"epochs": 6}})
    'whose recipe.epochs is 5, not 6'
    """
    before, now = (dict(flatten(dict(values))) for values in (there, here))
    names = [name for name in now | before if before.get(name) != now.get(name)]
    texts = [f"{name} is {shown(before.get(name))}, not {shown(now.get(name))}" for name in names[:SHOWN]]
    return f"whose {' and '.join(texts)}" if texts else ""


def short_digest(value: Dataset | Model | NDArray[np.float32] | None) -> str | None:
    """Return sixteen hexadecimal digits that stand for images and labels, a model with its history, or weights."""
    if value is None:
        return None
    if isinstance(value, Model):
        checksum: str = content_of_model(value)[0]["checksum"]
        return checksum[:16]
    return (digest({"": value}) if isinstance(value, np.ndarray) else value.digest)[:16]
