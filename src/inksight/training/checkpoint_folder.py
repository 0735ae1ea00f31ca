"""`CheckpointFolder`: the two newest checkpoints of one training; what tells whether it is the same training."""

import json
import operator
import os
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inksight._shared.files import check_writable
from inksight._shared.validation import shown
from inksight.config.recipe import flatten
from inksight.errors import DamagedFileError, InputError, InputWarning
from inksight.training.checkpoint_file import Saved, Snapshot, read_saved, write_saved
from inksight.training.result import TrainingResult

SHOWN = 3  # differences that an error names


class CheckpointFolder:
    """The two newest checkpoints of a training, each in a file of its own, so that one is always whole.

    Parameters
    ----------
    folder : Path
        Of which this process is the only user.
    every : float
        Seconds from one checkpoint to the next.
    settings, build : mapping
        See `inksight.training.checkpoint_file.Saved`.
    check_content : callable
        Raises `InputError` if the content of a checkpoint cannot be of this training.

    Raises
    ------
    InputError
        If the folder holds another training, or cannot be written.
    """

    def __init__(
        self, folder: Path, every: float, settings: Mapping[str, Any], build: Mapping[str, Any],
        check_content: Callable[[Snapshot | TrainingResult | None], None],
    ) -> None:  # fmt: skip
        self.folder, self.every = folder, every
        self.settings, self.build, self.check_content = as_json(settings), build, check_content
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
        return self.folder / f"inksight-checkpoint-{number % 2}.safetensors"

    def _read_newest(self) -> Saved | None:
        """Return the newest checkpoint that is whole. Warn of one that is not."""
        found: list[Saved] = []
        damaged: list[InputError] = []
        for path in filter(os.path.lexists, map(self._path, range(2))):
            try:
                found.append(read_saved(path, self._check))
            except DamagedFileError as error:
                damaged.append(error)
        for reason in damaged:
            then = "resuming from the checkpoint before" if found else "starting again"
            warnings.warn(f"{reason}; {then}", InputWarning, stacklevel=5)
        return max(found, key=lambda saved: saved.number, default=None)

    def _check(self, saved: Saved) -> None:
        """Raise an error if the checkpoint of this training is damaged, or that of another one cannot be described."""
        differences(saved.build, self.build)
        if not differences(saved.settings, self.settings):
            self.check_content(saved.content)


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
    texts = [
        f"{name if name.isprintable() else repr(name):.100} is {shown(before.get(name))}, not {shown(now.get(name))}"
        for name in names[:SHOWN]
    ]
    return f"whose {' and '.join(texts)}" if texts else ""
