"""`check_content`: whether what a checkpoint holds can be of a training; a checksum does not show who wrote it."""

import numpy as np

from inksight._shared.validation import check, is_between, is_count
from inksight.errors import InputError
from inksight.nn.history import History
from inksight.nn.model import Model
from inksight.training.batches import Batches
from inksight.training.checkpoint_file import STATE, Snapshot
from inksight.training.result import TrainingResult

LARGEST = 1e300  # of a number that may be any finite one
STOPPED = ("epochs", "seconds", "until", "callback")  # why a finished training ended, also in earlier versions
SAME = ("network", "class_names", "recipe", "normalization", "trained_on", "fine_tunings", "augmentation_function")


def check_content(content: Snapshot | TrainingResult | None, start: Model, batches: Batches) -> None:
    """Raise `InputError` if a checkpoint cannot be of the training that begins with a model and takes these batches.

    Parameters
    ----------
    content : Snapshot, TrainingResult or None
        As it was read: neither the types of its numbers nor the shapes of its arrays are known.
    start : Model
        The model before the first step, with the recipe of the training.
    batches : Batches
    """
    if isinstance(content, Snapshot):
        _check_snapshot(content, start, batches)
    elif isinstance(content, TrainingResult):
        _check_result(content, start, batches)
    else:
        raise InputError("content must be that of one training, got none")


def _check_snapshot(snapshot: Snapshot, start: Model, batches: Batches) -> None:
    size = sum(array.size for array in start.params.values())
    for name in STATE:
        array = getattr(snapshot.trainer, name)
        check(array.dtype == np.float32, f"type of {name}", str(array.dtype), "float32")
        check(array.shape == (size,), f"shape of {name}", array.shape, f"that of the network's weights, ({size},)")
        check(bool(np.isfinite(array).all()), name, "a value that is not finite", "finite")
    check(bool((snapshot.trainer.second >= 0).all()), "second moments", "a value below 0", "0 or more")

    finished = _check_history(snapshot.history, start, batches.recipe.epochs - 1)
    epoch, all_steps = snapshot.epoch, batches.steps // batches.recipe.epochs
    check(epoch.epoch == finished, "number of the epoch in progress", epoch.epoch, str(finished))
    check(is_count(epoch.steps, 0) and epoch.steps <= all_steps, "steps of the epoch", epoch.steps, f"0 to {all_steps}")
    steps = finished * all_steps + epoch.steps
    check(_equal(snapshot.trainer.steps, steps), "number of steps", snapshot.trainer.steps, str(steps))
    # Every batch has an image of a weight above 0, and no image has two places in a pass.
    most = batches.recipe.passes * batches.images
    possible = is_count(epoch.images, epoch.steps) and epoch.images <= (most if epoch.steps else 0)
    check(possible, "images of the epoch", epoch.images, f"{epoch.steps} to {most if epoch.steps else 0}")
    possible = is_count(epoch.correct, 0) and epoch.correct <= epoch.images
    check(possible, "correct images of the epoch", epoch.correct, f"0 to {epoch.images}")
    check(is_between(epoch.loss_sum, -LARGEST, LARGEST), "sum of losses", epoch.loss_sum, "a finite number")
    check(is_between(epoch.learning_rate, 0, LARGEST), "learning rate", epoch.learning_rate, "finite, 0 or more")
    seen = finished * most
    check(
        is_count(snapshot.images_seen, 0) and snapshot.images_seen <= seen,
        "images of the finished epochs", snapshot.images_seen, f"0 to {seen}",
    )  # fmt: skip
    for name in ("epoch_seconds", "seconds"):
        check(is_between(getattr(snapshot, name), 0, LARGEST), name, getattr(snapshot, name), "finite, 0 or more")


def _check_result(result: TrainingResult, start: Model, batches: Batches) -> None:
    for name in SAME:
        there, here = getattr(result.model, name), getattr(start, name)
        check(there == here, f"{name} of the model", there, f"that of the training, {here!r:.60}")
    _check_history(result.model.history, start, batches.recipe.epochs)
    check(result.stopped in STOPPED, "why it stopped", result.stopped, f"one of {', '.join(STOPPED)}")
    images = result.train_images
    check(_equal(images, batches.images), "number of training images", images, str(batches.images))
    for name in ("seconds", "images_per_second"):
        check(is_between(getattr(result, name), 0, LARGEST), name, getattr(result, name), "finite, 0 or more")


def _check_history(history: History, start: Model, epochs: int) -> int:
    """Return how many epochs a history has after that of the starting model, which must be at most `epochs`."""
    rows, before = history.rows, len(start.history)
    timeless = [{**row, "seconds": None} for row in History(rows[:before]).to_list()]
    expected = [{**row, "seconds": None} for row in start.history.to_list()]
    check(timeless == expected, "history", f"{len(rows)} other epochs", "that of the model to start from, and more")
    added = len(rows) - before
    check(added <= epochs, "number of finished epochs", added, f"0 to {epochs}")
    for number, row in enumerate(rows[before:], start=before + 1):
        check(row.epoch == number, "number of an epoch", row.epoch, str(number))
    return added


def _equal(value: object, number: int) -> bool:
    """Return whether a value is a whole number, and this one."""
    return is_count(value, 0) and value == number
