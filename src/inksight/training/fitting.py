"""`train`: trains a network by a recipe on a dataset, and returns a model."""

import math
import os
import warnings
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight import __version__
from inksight._shared.progress import say
from inksight._shared.validation import check, check_seed, is_between
from inksight.augmentation.user_function import ImageFunction, name_of
from inksight.config import Augmentation, Network, Recipe, get_budget, get_network, get_recipe
from inksight.data.dataset import Dataset
from inksight.data.loading import DataLike
from inksight.data.splits import Splits
from inksight.engine.choice import make_trainer, shortfall, training_engine
from inksight.errors import InputError, InputWarning
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import param_shapes
from inksight.training.batches import Batches
from inksight.training.calibration import calibrated, with_temperature
from inksight.training.checkpoint import CheckpointLike, opened, short_digest
from inksight.training.checkpoint_validation import check_content
from inksight.training.loop import OnEpoch, TrainingLoop
from inksight.training.ood_detector import with_ood_detector
from inksight.training.result import TrainingResult
from inksight.training.sample_weights import weighted_splits

MAX_EPOCHS = 100_000  # epochs of a training that only `seconds` limits
MIN_STEPS = 500  # steps of a recipe that is given by name: its epochs have too few of them if there are few images


def train(
    data: DataLike,
    network: str | Network | None = None,
    recipe: str | Recipe | None = None,
    *,
    budget: str | None = None,
    start: ModelLike | None = None,
    seed: int = 0,
    epochs: int | None = None,
    seconds: float | None = None,
    until: float | None = None,
    augmentation: Augmentation | ImageFunction | None = None,
    sample_weight: ArrayLike | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoint: CheckpointLike | None = None,
    progress: bool = True,
) -> Model:
    """Train a network.

    Parameters
    ----------
    data : Dataset, Splits, str or path-like
        A dataset, or a source for `inksight.load`, is split first (`Dataset.split`). The training uses ``train`` and
        ``validation``, never ``test``. Pass ``Splits(data)`` to train on all images.
    network : str or Network, optional
        See `inksight.config.get_network`; by default the network of the budget. Not allowed with `start`, which has
        one.
    recipe : str or Recipe, optional
        One of `inksight.config.RECIPES`, or a `Recipe`; by default the recipe of the budget.
    budget : {"default", "seconds", "best"}, optional
        Network and recipe for a given training time on two cores; ``default`` if not given. ``seconds`` and
        ``default`` train the post's network for a few seconds and for less than a minute; ``best`` trains the most
        accurate network of 20,000 parameters for minutes.
    start : Model, str or path-like, optional
        Train this model, or what `inksight.load_model` reads, further: start from its weights, keep its normalization,
        and append to its history.
    seed : int
        Seed of starting weights, order and augmentation. The same seed gives the same weights to the last bit on
        processors of one kind, unless `seconds` or Ctrl-C ends the training. The number of threads makes no
        difference on the native engine.
    epochs : int, optional
        Number of epochs. By default that of the recipe, or unlimited with `seconds`. A recipe that is given by name
        has more epochs if there are so few images that these would be fewer than 500 steps.
    seconds : float, optional
        Limit on the time of training steps. The schedule of the learning rate ends with `epochs` or `seconds`,
        whichever comes first.
    until : float, optional
        Stop after the first epoch that reaches this validation accuracy, 0 to 1.
    augmentation : Augmentation or callable, optional
        An `Augmentation` replaces that of the recipe. A function ``function(images, rng)`` or ``function(images)``
        changes the training images before each epoch, and the augmentation of the recipe follows. It gets a copy of
        all images, (n, 28, 28) uint8 with high = ink, and returns images of this kind. `rng` is a
        `numpy.random.Generator` that depends on seed and epoch alone, which makes the training reproducible. A model
        file cannot hold the function; it holds its name (`Model.augmentation_function`).
    sample_weight : (n,) float, optional
        How much each image counts: its weight, 0 or more, multiplies its loss. Each step minimizes the weighted mean of
        its batch, so only the ratios of the weights matter. An image of weight 0 is left out. Give one weight for each
        image of a dataset or source, or for each training image of `Splits`. Accuracy counts images without weights.
    on_epoch : callable, optional
        Called after each epoch with the model so far; its last row is ``model.history.rows[-1]``. If it returns a true
        value, the training stops and returns the model so far. A training that resumes calls it again for an epoch that
        was interrupted, and goes on with the next epoch if it was stopped by `on_epoch`.
    checkpoint : Checkpoint, str or path-like, optional
        A folder in which the state of the training is kept, every ten seconds; see `inksight.training.Checkpoint`. The
        same call again resumes an interrupted training, to the same bytes, and returns the model of a finished one.
        `seconds` counts those of the interrupted training, too. An augmentation function must have the same name;
        whether it does the same is not checked.
    progress : bool
        Show one line per epoch, and a bar in a terminal or a notebook, on standard error.

    Returns
    -------
    Model
        With the weights of the last step. With validation images, it is calibrated on them and has an
        out-of-distribution detector (`inksight.nn.ood`). Ctrl-C ends the training and returns the model so far.

    Raises
    ------
    InputError
        If the data has no labels, lacks a class or does not fit the network, or an option is out of range or would have
        no effect beside the others; if the checkpoint is that of another training, is used by another process, or
        cannot be written.
    InksightError
        If the loss becomes infinite or NaN.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:200]
    >>> model = inksight.train(data, "4x5p,8x3", inksight.Recipe(epochs=1))
    >>> len(model.history)
    1
    """
    return fit(
        data, network, recipe, budget=budget, start=start, seed=seed, epochs=epochs, seconds=seconds, until=until,
        augmentation=augmentation, sample_weight=sample_weight, on_epoch=on_epoch,
        checkpoint=checkpoint, progress=progress,
    ).model  # fmt: skip


def fit(
    data: DataLike,
    network: str | Network | None = None,
    recipe: str | Recipe | None = None,
    *,
    budget: str | None = None,
    start: ModelLike | None = None,
    seed: int = 0,
    epochs: int | None = None,
    seconds: float | None = None,
    until: float | None = None,
    augmentation: Augmentation | ImageFunction | None = None,
    sample_weight: ArrayLike | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoint: CheckpointLike | None = None,
    progress: bool = True,
) -> TrainingResult:
    """Train like `train`, and return the model together with the course of the training."""
    check(start is None or network is None, "network", network, "left out when training goes on from a model")
    check_seed(seed)
    unused = recipe is not None and (network is not None or start is not None)
    check(budget is None or not unused, "budget", budget, "left out when both network and recipe are given")
    splits, weights = weighted_splits(data, sample_weight)
    budget_network, budget_recipe = get_budget("default" if budget is None else budget)
    is_named = not isinstance(recipe, Recipe)
    recipe = get_recipe(budget_recipe if recipe is None else recipe)
    if epochs is not None or seconds is not None:
        recipe = replace(recipe, epochs=MAX_EPOCHS if epochs is None else epochs)
    elif is_named:
        recipe = long_enough(recipe, len(splits.train))
    function = None if isinstance(augmentation, Augmentation) else augmentation
    check(function is None or callable(function), "augmentation", function, "an Augmentation or a function of images")
    if isinstance(augmentation, Augmentation):
        recipe = replace(recipe, augmentation=augmentation)
    check(seconds is None or is_between(seconds, 1e-3, 1e9), "seconds", seconds, "0.001 to 1e9")
    check(on_epoch is None or callable(on_epoch), "on_epoch", on_epoch, "a function of the model")
    check(until is None or is_between(until, 0, 1), "until", until, "an accuracy from 0 to 1, such as 0.99")
    if until is not None and splits.validation is None:
        raise InputError("until needs validation images, got none: stop by epochs or seconds instead")
    check(len(splits.train) > 0, "number of training images", len(splits.train), "1 or more")
    labels = _checked_labels(splits.train)
    start = None if start is None else as_model(start)
    model = _starting_model(splits.train, budget_network if network is None else network, start, seed)
    batches = Batches(len(splits.train), recipe, seed, first_epoch=len(model.history), weights=weights)

    normalization = Normalization.fit(splits.train.images) if start is None else start.normalization
    params = {name: model.params[name] for name in param_shapes(model.network)}  # a model file may have another order
    statistics = normalization.mean, normalization.variance
    trainer = make_trainer(model.network, recipe, params, *statistics, splits.train.images)
    if reason := shortfall():
        say(f"training in JAX, about ten times slower: {reason}", progress)
    model = replace(
        model, normalization=normalization, recipe=recipe, trained_on=splits.train.digest, version=__version__,
        augmentation_function="" if function is None else name_of(function),
    )  # fmt: skip

    make_loop = partial(TrainingLoop, model, splits, recipe, batches, trainer, labels, seconds, function)
    if checkpoint is None:
        return _run(make_loop(), until, on_epoch, progress)
    settings = _settings(model, splits, weights, start, seed) | {"seconds": seconds, "until": until}
    build = {"version": __version__, "engine": training_engine()}
    check_fits = partial(check_content, start=model, batches=batches)
    with opened(checkpoint, settings, build, check_fits) as checkpoints:
        folder = os.fspath(checkpoints.folder)
        if isinstance(checkpoints.newest, TrainingResult):
            say(f"already trained: the model is in {folder!r}", progress)
            return checkpoints.newest
        result = _run(make_loop(checkpoints), until, on_epoch, progress)
        if result.stopped in ("interrupted", "callback"):
            how = "interrupted" if result.stopped == "interrupted" else "stopped"
            say(f"{how}: the same training with the checkpoint {folder!r} resumes", progress)
        else:
            checkpoints.write(result)
        return result


def _run(loop: TrainingLoop, until: float | None, on_epoch: OnEpoch | None, progress: bool) -> TrainingResult:
    """Run the epochs of a training, and complete the model."""
    stopped, splits = loop.run(until, on_epoch, progress), loop.splits
    model = loop.model
    if splits.validation is not None:
        model = with_ood_detector(calibrated(model, splits.validation), splits.train, splits.validation)
    return TrainingResult(model, stopped, len(splits.train), loop.schedule.spent, loop.images_per_second)


def _settings(
    model: Model, splits: Splits, weights: NDArray[np.float32] | None, start: Model | None, seed: int
) -> dict[str, Any]:
    """Return what determines the result of a training, given the model before its first step, as JSON values."""
    assert model.recipe is not None
    return {
        "network": model.network.to_dict() | {"banks": model.network.spec},
        "recipe": model.recipe.to_dict(),
        "seed": int(seed),
        "augmentation function": model.augmentation_function,
        "class names": model.class_names,
        "training images": short_digest(splits.train),
        "validation images": short_digest(splits.validation),
        "sample weights": short_digest(weights),
        "model to start from": short_digest(start),
    }


def long_enough(recipe: Recipe, images: int) -> Recipe:
    """Return a recipe with at least `MIN_STEPS` steps for a number of training images, by more epochs if needed."""
    steps_per_epoch = Batches(max(images, 1), recipe, seed=0, first_epoch=0).steps / recipe.epochs
    return replace(recipe, epochs=max(recipe.epochs, math.ceil(MIN_STEPS / steps_per_epoch)))


def _checked_labels(data: Dataset) -> NDArray[np.int64]:
    """Return the labels of training images. Warn of classes without images."""
    labels = data.require_labels("training")
    counts = data.counts
    missing = [name for name, count in zip(data.class_names, counts, strict=True) if not count]
    if missing and (counts > 0).sum() < 2:
        raise InputError(f"training needs images of two classes or more, {data.name!r} has one: add others")
    if missing:
        listed = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
        message = f"{data.name!r} has no training image of class {listed}: the model will not recognize these classes"
        warnings.warn(message, InputWarning, stacklevel=3)
    return labels


def _starting_model(data: Dataset, network: str | Network, start: Model | None, seed: int) -> Model:
    if start is not None:
        names = start.class_names
        check(names == data.class_names, "classes of the data", data.class_names, f"the model's {names}")
        # The detector belongs to the weights that the training is about to change.
        return replace(with_temperature(start, 1.0), ood_detector=None)
    classes = len(data.class_names)
    network = get_network(network, classes=classes)
    check(network.classes == classes, "classes of the network", network.classes, f"the data's {classes}")
    return Model.untrained(network, seed, data.class_names)
