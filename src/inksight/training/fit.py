"""`train`: data, network and recipe in, a model with its history out."""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypedDict, Unpack

import jax
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight import __version__
from inksight._shared.interrupt import CtrlC
from inksight._shared.validation import check, is_between
from inksight.augmentation.pen_style import redraw
from inksight.config import DIGITS, Network, Recipe, get_budget, get_network, get_recipe
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InksightError, InputError
from inksight.nn.history import Epoch, History
from inksight.nn.model import Model
from inksight.nn.normalization import measure
from inksight.nn.parameters import NORMALIZATION
from inksight.training.batches import Batches
from inksight.training.calibration import calibrated, with_temperature
from inksight.training.compilation_cache import keep_compiled
from inksight.training.ood_detector import with_clouds
from inksight.training.optimizer import Optimizer
from inksight.training.progress_bar import Progress, TrainingBar
from inksight.training.step import stack, steps_a_call, take_steps

MOST_EPOCHS = 100_000  # where only time is to end a training

OnEpoch = Callable[[Model], object]


@dataclass(frozen=True)
class Run:
    """A finished training.

    Parameters
    ----------
    model : Model
    stopped : str
        Why it ended: ``epochs``, ``seconds``, ``until``, ``callback`` or ``interrupted``.
    train_images : int
        Distinct images trained on.
    seconds : float
        Spent on training steps; neither compiling nor validating is in it.
    compile_seconds : float
        Spent before the first step.
    images_per_second : float
        Images trained on, each pass counted, by `seconds`.
    """

    model: Model
    stopped: str
    train_images: int
    seconds: float
    compile_seconds: float
    images_per_second: float


class Options(TypedDict, total=False):
    """What `train` takes by name; see there."""

    budget: str
    start: Model | None
    seed: int
    epochs: int | None
    seconds: float | None
    until: float | None
    on_epoch: OnEpoch | None
    progress: bool


def train(
    data: Dataset | Splits,
    network: str | Network | None = None,
    recipe: str | Recipe | None = None,
    **options: Unpack[Options],
) -> Model:
    """Train a network.

    Parameters
    ----------
    data : Dataset or Splits
        A dataset is split first (`Dataset.split`): trained on its ``train``, validated on its ``validation``.
        Its test images are never looked at. Give ``Splits(train, None, None)`` to train on all.
    network : str or Network, optional
        As `inksight.config.get_network` takes it; the budget's if not given. Ignored when training goes on from
        `start`.
    recipe : str or Recipe, optional
        One of `inksight.config.RECIPES`, or one of your own; the budget's if not given.
    budget : {"default", "seconds", "best"}
        How long it may take; what network and recipe make the most of that. ``seconds`` and ``default`` train the
        post's network, for some seconds and for less than a minute on two cores; ``best`` the most accurate one of
        20,000 parameters, for minutes.
    start : Model, optional
        Go on from this model: its weights, its normalisation, and its history, which grows.
    seed : int
        Of starting weights, order and augmentation. The same seed on the same machine with the same number of
        threads gives the same weights to the last bit, unless `seconds` or Ctrl-C ends the run.
    epochs : int, optional
        Stop after so many; the recipe's own number if neither this nor `seconds` is given.
    seconds : float, optional
        Stop after so many seconds of training steps. The learning rate's schedule is fitted into whichever of
        `epochs` and `seconds` ends first.
    until : float, optional
        Stop after the first epoch with this validation accuracy, 0 to 1.
    on_epoch : callable, optional
        Called with the model so far after each epoch (its last row: ``model.history.rows[-1]``); training stops if
        it returns something true.
    progress : bool
        Show a line an epoch, and a bar where a terminal or a notebook can show it, on standard error.

    Returns
    -------
    Model
        With the weights of the last step; if there are validation images, calibrated on them and with clouds
        (`inksight.nn.ood`). Ctrl-C ends the
        training and returns the model so far.

    Raises
    ------
    InputError
        If the data has no labels, or lacks a class, or doesn't fit the network.
    InksightError
        If the loss stops being finite.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:200]
    >>> model = inksight.train(data, "4x5p,8x3", inksight.Recipe(epochs=1))
    >>> len(model.history)
    1
    """
    return run(data, network, recipe, **options).model


def run(
    data: Dataset | Splits,
    network: str | Network | None = None,
    recipe: str | Recipe | None = None,
    *,
    budget: str = "default",
    start: Model | None = None,
    seed: int = 0,
    epochs: int | None = None,
    seconds: float | None = None,
    until: float | None = None,
    on_epoch: OnEpoch | None = None,
    progress: bool = True,
) -> Run:
    """Train like `train`, and return with the model how the training went."""
    splits = data.split() if isinstance(data, Dataset) else data
    usual_network, usual_recipe = get_budget(budget)
    recipe = get_recipe(usual_recipe if recipe is None else recipe)
    if epochs is not None or seconds is not None:
        recipe = replace(recipe, epochs=MOST_EPOCHS if epochs is None else epochs)
    check(seconds is None or is_between(seconds, 1e-3, 1e9), "seconds", seconds, "above 0")
    check(until is None or is_between(until, 0, 1), "until", until, "an accuracy from 0 to 1, such as 0.99")
    if until is not None and splits.validation is None:
        raise InputError("until needs validation images, got none: stop by epochs or seconds instead")
    check(len(splits.train) > 0, "number of training images", len(splits.train), "1 or more")
    labels = splits.train.require_every_class("training")
    model = _starting_model(splits.train, usual_network if network is None else network, start, seed)
    batches = Batches(len(splits.train), recipe, seed, first_epoch=len(model.history))
    keep_compiled()
    with ThreadPoolExecutor(1) as beside:  # the compiler needs shapes only: meanwhile another thread reads the pixels
        reading = beside.submit(_read_pixels, splits.train, start is None)
        began = time.perf_counter()
        fixed = {k: x for k, x in model.params.items() if k.startswith(NORMALIZATION)}
        state = Optimizer.start({k: x for k, x in model.params.items() if k not in fixed})
        example = stack(list(islice(batches.of_epoch(0), 1)), labels, [0.0])
        take = take_steps.lower(model.network, recipe, fixed, state, splits.train.images, example).compile()
        compile_seconds = time.perf_counter() - began
    digest, normalization = reading.result()
    params = model.params | normalization
    model = replace(model, params=params, recipe=recipe, trained_on=digest, version=__version__)
    fixed, images = jax.device_put((fixed | normalization, splits.train.images))

    stopped, spent, steps, images_seen = "", 0.0, 0, 0
    with TrainingBar(progress) as bar, CtrlC() as ctrl_c:
        for epoch in range(recipe.epochs):
            tally, began = Tally(epoch), time.perf_counter()
            if share := recipe.augmentation.pens:
                digits = labels if model.class_names == DIGITS else None
                images = jax.device_put(redraw(splits.train.images, digits, share, seed, len(model.history)))
            waiting = batches.of_epoch(epoch, min(spent / seconds, 1.0) if seconds else 0.0)
            # The very first step goes alone, so that there is soon something to see, and a pace to go by.
            while call := list(islice(waiting, steps_a_call() if steps else 1)):
                elapsed = spent + time.perf_counter() - began
                pace = elapsed / steps if steps else 0.0  # seconds a step
                done = [
                    max((steps + i + 0.5) / batches.steps, (elapsed + i * pace) / seconds if seconds else 0.0)
                    for i in range(len(call))
                ]
                if done[0] >= 1 or ctrl_c.pressed:
                    stopped = "interrupted" if ctrl_c.pressed else "seconds"
                    break
                rates = [recipe.rate_at(min(share, 1.0)) for share in done]
                state, losses, right = take(fixed, state, images, stack(call, labels, rates))
                tally.fetch()  # what the call before this one did: the device need not wait for us
                tally.add(losses, right, [int(batch.weight.sum()) for batch in call], rates)
                steps += len(call)
                if tally.images:
                    speed = (images_seen + tally.images) / (spent + time.perf_counter() - began)
                    bar.update(Progress(done[0], len(model.history) + 1, tally.loss, tally.accuracy, speed))
            tally.fetch()
            took = time.perf_counter() - began
            if tally.images:
                spent, images_seen = spent + took, images_seen + tally.images
                model = replace(model, params={k: np.asarray(x) for k, x in (fixed | state.params).items()})
                validated = _validate(model, splits.validation)
                row = Epoch(len(model.history) + 1, tally.loss, tally.accuracy, *validated, tally.rate, took)
                model = replace(model, history=History((*model.history.rows, row)))
                bar.end_epoch(row)
                if on_epoch is not None and on_epoch(model):
                    stopped = stopped or "callback"
                if until is not None and row.val_accuracy >= until:
                    stopped = stopped or "until"
            if stopped:
                break
    if splits.validation is not None:
        model = with_clouds(calibrated(model, splits.validation), splits.train, splits.validation)
    speed = images_seen / spent if spent else 0.0
    return Run(model, stopped or "epochs", len(splits.train), spent, compile_seconds, speed)


class Tally:
    """Loss and accuracy of an epoch so far; what the device computed is fetched a call later."""

    def __init__(self, epoch: int) -> None:
        self.epoch, self.rate = epoch, 0.0
        self.waiting: list[tuple[Array, Array, list[int], list[float]]] = []
        self.steps, self.images, self.loss_sum, self.right = 0, 0, 0.0, 0

    def add(self, losses: Array, right: Array, images: list[int], rates: list[float]) -> None:
        """Count steps whose mean losses and numbers of right images may still be under way."""
        self.waiting.append((losses, right, images, rates))

    def fetch(self) -> None:
        """Wait for the steps added; an `InksightError` if a loss is not finite."""
        for losses, right, images, rates in self.waiting:
            values = zip(np.asarray(losses).tolist(), np.asarray(right).tolist(), images, rates, strict=False)
            for loss, good, count, self.rate in values:
                self.steps += 1
                if not math.isfinite(loss):
                    raise InksightError(
                        f"loss became {loss} at step {self.steps} of epoch {self.epoch + 1}, "
                        f"learning rate {self.rate:.3g}: try a rate a tenth as high, or check the data"
                    )
                self.images += count
                self.loss_sum += loss * count
                self.right += int(good)
        self.waiting.clear()

    @property
    def loss(self) -> float:
        """Mean over the images so far."""
        return self.loss_sum / max(self.images, 1)

    @property
    def accuracy(self) -> float:
        """Share of the images so far that were right, 0..1."""
        return self.right / max(self.images, 1)


def _starting_model(data: Dataset, network: str | Network, start: Model | None, seed: int) -> Model:
    if start is not None:
        names = start.class_names
        check(names == data.class_names, "classes of the data", data.class_names, f"the model's {names}")
        return with_temperature(start, 1.0)
    shape = get_network(network, classes=len(data.class_names))
    check(
        shape.classes == len(data.class_names), "classes of the network", shape.classes,
        f"the data's {len(data.class_names)}",
    )  # fmt: skip
    return Model.untrained(shape, seed, data.class_names)


def _read_pixels(data: Dataset, normalize: bool) -> tuple[str, dict[str, NDArray[np.float32]]]:
    """Return the digest of `data` and, if asked to, its normalisation."""
    return data.digest, measure(data.images) if normalize else {}


def _validate(model: Model, data: Dataset | None) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy, NaN without data."""
    if data is None:
        return math.nan, math.nan
    log_p = model.log_probabilities(data.images)
    labels = data.require_labels("validation")
    own = np.take_along_axis(log_p, labels[:, None], axis=1)
    return -float(own.mean()), float((log_p.argmax(axis=1) == labels).mean())
