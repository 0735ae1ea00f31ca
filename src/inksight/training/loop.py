"""`TrainingLoop`: the epochs of one training."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from inksight._shared.interrupt import CtrlC
from inksight._shared.progress import say
from inksight.augmentation.pen_style import restyle
from inksight.augmentation.user_function import ImageFunction, apply_function
from inksight.config import DIGITS, Recipe
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.engine.trainer import StepTaker, unflatten
from inksight.nn.history import Epoch, History
from inksight.nn.model import Model
from inksight.nn.parameters import param_shapes
from inksight.training.batches import Batch, Batches, stack
from inksight.training.checkpoint_file import Snapshot
from inksight.training.checkpoint_folder import CheckpointFolder
from inksight.training.epoch_metrics import EpochMetrics
from inksight.training.progress_bar import Progress, TrainingBar
from inksight.training.schedule import Schedule

CALL_SECONDS = 0.05  # of training steps per call of the engine: the bar moves and Ctrl-C is heard between calls

OnEpoch = Callable[[Model], object]


class TrainingLoop:
    """Runs the epochs of one training and keeps the model up to date.

    Parameters
    ----------
    model : Model
        With the weights that `trainer` starts from.
    splits : Splits
    recipe : Recipe
    batches : Batches
    trainer : StepTaker
        With the starting weights and the training images.
    labels : (n,) int64
        Of the training images.
    seconds : float or None
        Limit on the time of training steps.
    function : callable or None
        Changes the training images before each epoch (`inksight.augmentation.user_function`).
    checkpoints : CheckpointFolder, optional
        Where to write checkpoints; the training resumes from the newest of them.
    """

    def __init__(
        self, model: Model, splits: Splits, recipe: Recipe, batches: Batches, trainer: StepTaker,
        labels: NDArray[np.int64], seconds: float | None, function: ImageFunction | None,
        checkpoints: CheckpointFolder | None = None,
    ) -> None:  # fmt: skip
        self.model, self.splits, self.recipe = model, splits, recipe
        self.batches, self.trainer, self.labels, self.function = batches, trainer, labels, function
        self.schedule = Schedule(batches.steps, seconds)
        self.images_seen = 0
        self.checkpoints = checkpoints
        self.resumed = checkpoints.newest if checkpoints and isinstance(checkpoints.newest, Snapshot) else None
        if self.resumed:
            self._resume(self.resumed)

    @property
    def images_per_second(self) -> float:
        """Images trained on in finished epochs, divided by the time of their steps."""
        return self.images_seen / self.schedule.spent if self.schedule.spent else 0.0

    def run(self, until: float | None, on_epoch: OnEpoch | None, progress: bool) -> str:
        """Run all epochs; return why they ended (`inksight.training.fitting.TrainingResult.stopped`)."""
        if self.resumed:
            say(f"resumed at epoch {len(self.model.history) + 1}, step {self.resumed.epoch.steps}", progress)
        with TrainingBar(progress) as bar, CtrlC() as ctrl_c:
            for epoch in range(len(self.model.history) - self.batches.first_epoch, self.recipe.epochs):
                metrics, seconds = EpochMetrics(epoch), 0.0
                if self.resumed:
                    metrics, seconds, self.resumed = self.resumed.epoch, self.resumed.epoch_seconds, None
                self.schedule.start_epoch(seconds)
                self._augment_images()
                batches = self.batches.of_epoch(epoch, self.schedule.time_share)
                stopped = self._run_steps(islice(batches, metrics.steps, None), metrics, bar, ctrl_c)
                if metrics.images:
                    row = self._finish_epoch(metrics)
                    bar.end_epoch(row)
                    if until is not None and row.val_accuracy >= until:
                        stopped = stopped or "until"
                    is_last = epoch + 1 == self.recipe.epochs
                    if on_epoch is not None and on_epoch(self.model) and not stopped and not is_last:
                        stopped = "callback"
                        self.schedule.start_epoch()
                        self._write_checkpoint(EpochMetrics(epoch + 1))  # from which the training can go on
                if stopped:
                    return stopped
        return "epochs"

    def _augment_images(self) -> None:
        """Change the images as a whole; the engine transforms each image later, when its step is taken."""
        images = self.splits.train.images
        seed, epochs_before = self.batches.seed, len(self.model.history)
        if self.function is not None:
            images = apply_function(self.function, images, seed, epochs_before)
        if share := self.recipe.augmentation.pen_style:
            digits = self.labels if self.model.class_names == DIGITS else None
            images = restyle(images, digits, share, seed, epochs_before)
        if images is not self.splits.train.images:
            self.trainer.load(images)

    def _run_steps(self, batches: Iterator[Batch], metrics: EpochMetrics, bar: TrainingBar, ctrl_c: CtrlC) -> str:
        """Take the steps of one epoch; return why the training ends during it, or an empty string."""
        stopped = ""
        while chunk := list(islice(batches, self.schedule.steps_within(CALL_SECONDS))):
            progress = self.schedule.progress(len(chunk))
            if progress[0] >= 1 or ctrl_c.pressed:
                stopped = "interrupted" if ctrl_c.pressed else "seconds"
                if ctrl_c.pressed:
                    self._write_checkpoint(metrics)
                break
            rates = [self.recipe.learning_rate_at(min(share, 1.0)) for share in progress]
            losses, correct = self.trainer.take(stack(chunk, self.labels, rates))
            metrics.add(losses, correct, [int(np.count_nonzero(batch.weight)) for batch in chunk], rates)
            self.schedule.steps += len(chunk)
            if metrics.images:
                speed = (self.images_seen + metrics.images) / self.schedule.elapsed
                epoch = len(self.model.history) + 1
                bar.update(Progress(progress[0], epoch, metrics.loss, metrics.accuracy, speed))
            if self.checkpoints and self.checkpoints.is_due:
                self._write_checkpoint(metrics)
        return stopped

    def _write_checkpoint(self, metrics: EpochMetrics) -> None:
        """Write the state of the training, in the epoch of these metrics, if it has a checkpoint."""
        if self.checkpoints is None:
            return
        seconds = self.schedule.epoch_seconds, self.schedule.spent
        with self.schedule.paused():
            self.checkpoints.write(
                Snapshot(self.trainer.state, self.model.history, metrics, *seconds, self.images_seen)
            )

    def _resume(self, snapshot: Snapshot) -> None:
        """Continue from a state of the same training."""
        self.trainer.state = snapshot.trainer
        self.model = replace(self.model, params=self._params(), history=snapshot.history)
        self.schedule.steps, self.schedule.spent = snapshot.trainer.steps, snapshot.seconds
        self.images_seen = snapshot.images_seen

    def _params(self) -> dict[str, NDArray[np.float32]]:
        return unflatten(self.trainer.state.weights, param_shapes(self.model.network))

    def _finish_epoch(self, metrics: EpochMetrics) -> Epoch:
        """Update the model with the current weights, validate it, and add a row to its history."""
        seconds = self.schedule.end_epoch()
        self.images_seen += metrics.images
        model = replace(self.model, params=self._params())
        row = Epoch(
            len(model.history) + 1,
            metrics.loss,
            metrics.accuracy,
            *validate(model, self.splits.validation),
            metrics.learning_rate,
            seconds,
        )
        self.model = replace(model, history=History((*model.history.rows, row)))
        return row


def validate(model: Model, data: Dataset | None) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy on labeled images; NaN without images."""
    if data is None:
        return math.nan, math.nan
    log_p = model.log_probabilities(data.images)
    labels = data.require_labels("validation")
    label_log_p = np.take_along_axis(log_p, labels[:, None], axis=1)
    return -float(label_log_p.mean()), float((log_p.argmax(axis=1) == labels).mean())
