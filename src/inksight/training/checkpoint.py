"""`Checkpoint`: a folder from which an interrupted training is resumed."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inksight._shared.claim import claimed
from inksight._shared.files import as_path, make_folder
from inksight._shared.validation import check, is_between
from inksight.data.dataset import Dataset
from inksight.errors import DamagedFileError
from inksight.nn.ensemble_file import checksum_of
from inksight.nn.model import Model, digest
from inksight.training.checkpoint_file import Saved, Snapshot, read_saved, write_saved
from inksight.training.checkpoint_folder import CheckpointFolder, as_json, check_same, differences
from inksight.training.result import TrainingResult

EVERY = 10.0  # seconds from one checkpoint to the next, by default


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
        record = Path(whole.folder) / "inksight-work.safetensors"
        try:
            saved = read_saved(record, lambda saved: differences(saved.settings, settings))
            check_same(whole.folder, saved.settings, settings)
        except DamagedFileError:  # or missing: what the parts hold is checked by each of them, too
            write_saved(record, Saved(settings, {}))
        yield whole.part


@contextmanager
def opened(
    checkpoint: CheckpointLike, settings: Mapping[str, Any], build: Mapping[str, Any],
    check_content: Callable[[Snapshot | TrainingResult | None], None],
) -> Iterator[CheckpointFolder]:  # fmt: skip
    """Use a checkpoint for one training; the parameters and errors are those of `CheckpointFolder`."""
    given = as_checkpoint(checkpoint)
    with alone_in(given):
        yield CheckpointFolder(Path(given.folder), given.every, settings, build, check_content)


@contextmanager
def alone_in(checkpoint: Checkpoint) -> Iterator[None]:
    """Create the folder of a checkpoint, and refuse it to other processes while the block runs."""
    with claimed(make_folder(checkpoint.folder), alone=True):
        yield


def short_digest(value: Dataset | Model | NDArray[np.float32] | None) -> str | None:
    """Return sixteen hexadecimal digits that stand for images and labels, a model with its history, or weights."""
    if value is None:
        return None
    if isinstance(value, Model):
        return checksum_of(value)[:16]
    return (digest({"": value}) if isinstance(value, np.ndarray) else value.digest)[:16]
