"""`prune`: iterative pruning of filters, with training after each step."""

import math
import time
from functools import partial

import numpy as np

from inksight._shared.interrupt import CtrlC
from inksight._shared.progress import about, say
from inksight._shared.validation import check, is_between, is_count
from inksight.config import Network, Recipe
from inksight.data.dataset import Dataset
from inksight.data.loading import DataLike, as_splits
from inksight.data.splits import Splits
from inksight.errors import InputError
from inksight.experiments.pruning_result import Pruning, Step
from inksight.inspection.ablation import CRITERIA, remove_least_important
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.nn.model_file import NetworkLike, network_or_model
from inksight.nn.parameters import parameter_count
from inksight.training.checkpoint import CheckpointLike, checkpointed, short_digest
from inksight.training.fitting import fit
from inksight.training.pace import measure_pace

POST_ACCURACY = 0.989  # validation accuracy at which the post's training ends
MIN_SHARE = 0.02  # of the parameters: smaller steps change the accuracy by less than its noise


def prune(
    data: DataLike,
    start: NetworkLike = "post",
    recipe: str | Recipe = "default",
    *,
    keep_accuracy: float | None = POST_ACCURACY,
    share: float = 0.25,
    epochs: int = 4,
    steps: int | None = None,
    by: str = "loss",
    images: int = 1000,
    seed: int = 0,
    checkpoint: CheckpointLike | None = None,
    progress: bool = True,
) -> Pruning:
    """Remove filters from a network step by step, as long as it keeps a validation accuracy.

    A step removes the least important filters (`inksight.inspection.ablation.remove_least_important`), measured on
    training images, and trains the smaller network for a few epochs. If its validation accuracy is then too low, the
    step is undone, and a step of half the size is tried.

    Parameters
    ----------
    data : Dataset, Splits, str or path-like
        A dataset, or a source for `inksight.load`, is split first (`Dataset.split`). Steps are trained on ``train`` and
        judged on ``validation``; test images are not used.
    start : Network, Model, str or path-like
        A trained model or a model file; or a network to train first, or its name or description, as in
        `inksight.train`. A name wins over a file of that name: for the file, give ``./post`` or ``Path("post")``.
    recipe : str or Recipe
        Recipe of every training. Each step runs the whole schedule of the learning rate.
    keep_accuracy : float or None
        Validation accuracy to keep, 0 to 1; by default the post's. With None, pruning ends after `steps`, or with one
        filter per bank.
    share : float
        Share of the parameters that the first step removes; above 0 and below 1.
    epochs : int
        Epochs of training after each step.
    steps : int, optional
        Maximum number of steps.
    by : {"loss", "similarity"}
        Criterion for the importance of filters; see `inksight.inspection.ablation.filter_importance`.
    images : int
        Number of random training images to measure the importance on.
    seed : int
    checkpoint : Checkpoint, str or path-like, optional
        A folder in which the work is kept. The same call again resumes it; see `inksight.training.Checkpoint`.
    progress : bool
        Show on standard error how long it will take, which a short trial measures, the progress of the first training,
        if any, and one line per step.

    Returns
    -------
    Pruning
        After Ctrl-C, with the steps so far.

    Raises
    ------
    InputError
        If there are no validation images or no labels, the model was trained on the validation images, the network to
        start from does not reach `keep_accuracy`, or an option is out of range.

    Examples
    --------
    >>> import inksight
    >>> data, recipe = inksight.load("mnist")[:200], inksight.Recipe(epochs=1)
    >>> result = prune(data, "4x5p,8x3", recipe, keep_accuracy=None, epochs=1, steps=2, progress=False)
    >>> [step.epochs for step in result.steps], result.steps[2].parameters < result.steps[1].parameters < 400
    ([1, 2, 3], True)
    """
    keep = 0.0 if keep_accuracy is None else keep_accuracy
    check(is_between(keep, 0, 1), "keep_accuracy", keep_accuracy, "an accuracy from 0 to 1, such as 0.989")
    check(is_between(share, 1e-9, 1) and share < 1, "share", share, "above 0 and below 1")
    check(is_count(epochs), "epochs", epochs, "1 or more")
    check(steps is None or is_count(steps, 0), "steps", steps, "0 or more")
    check(by in CRITERIA, "by", by, " or ".join(CRITERIA))
    check(is_count(images), "images", images, "1 or more")
    splits = as_splits(data)
    validation = _validation(splits)
    splits.train.require_labels("pruning")
    sample = splits.train[np.random.default_rng(seed).permutation(len(splits.train))[:images]]

    stopped = ""
    start = network_or_model(start, len(splits.train.class_names))
    if isinstance(start, Model) and "validation" in splits.seen_by(start.trained_on):
        raise InputError(
            "a model to prune must not be trained on the validation images, got one that was: "
            "train one without them, or give a network to train"
        )
    announcement = partial(_announcement, splits, start, recipe, sample, by, share, epochs, steps)
    settings = {
        "work": "pruning",
        "training images": short_digest(splits.train),
        "validation images": short_digest(validation),
        "model to start from": short_digest(start) if isinstance(start, Model) else start.spec,
        "keep accuracy": keep_accuracy,
        "share": share,
        "steps": steps,
        "by": by,
        "images": images,
        "seed": seed,
    }
    with checkpointed(checkpoint, settings) as part:
        if progress and not isinstance(start, Model):
            say(announcement())
        began = time.perf_counter()
        if isinstance(start, Model):
            model = start
        else:
            trained = fit(splits, start, recipe, seed=seed, checkpoint=part("start"), progress=progress)
            model, stopped = trained.model, "interrupted" if trained.stopped == "interrupted" else ""
        rows = [_step(model, validation, math.nan, began)]
        if not stopped and rows[0].accuracy < keep:
            raise InputError(
                f"keep_accuracy must be at most the validation accuracy before pruning, {rows[0].accuracy:.4f}, "
                f"got {keep:.4f}: choose a lower one, or train longer first"
            )
        if progress and isinstance(start, Model):
            say(announcement())
        say(rows[0], progress)
        with CtrlC():  # when pressed between two trainings, it ends the next one
            while not stopped and (steps is None or len(rows) <= steps):
                began, size = time.perf_counter(), parameter_count(model.network)
                smaller = remove_least_important(model, sample, size * (1 - share), by)
                removed = _count_filters(model.network) - _count_filters(smaller.network)
                if not removed:
                    stopped = "filters"
                    break
                if smaller.network not in {
                    row.network for row in rows
                }:  # a step of half the size may remove the same filters
                    before = evaluate(smaller, validation, hardest=0).accuracy
                    result = fit(
                        splits, recipe=recipe, start=smaller, seed=seed, epochs=epochs, progress=False,
                        checkpoint=part(f"step-{len(rows)}"),
                    )  # fmt: skip
                    if result.stopped == "interrupted":
                        stopped = "interrupted"
                        break
                    rows.append(_step(result.model, validation, before, began))
                    say(rows[-1], progress)
                    if rows[-1].accuracy >= keep:
                        model = result.model
                        continue
                if removed == 1 or share / 2 < MIN_SHARE:
                    stopped = "accuracy"
                share /= 2
        return Pruning(tuple(rows), model, keep_accuracy, len(validation), stopped or "steps")


def train_from_scratch(
    data: DataLike,
    pruning: Pruning,
    recipe: str | Recipe = "default",
    *,
    seed: int = 0,
    checkpoint: CheckpointLike | None = None,
    progress: bool = True,
) -> tuple[Step, ...]:
    """Train the networks of a pruning from random weights, each for as many epochs as it had in total.

    The comparison shows whether pruning found good weights or only a good architecture.

    Parameters
    ----------
    data : Dataset or Splits
        The data of `prune`.
    pruning : Pruning
    recipe : str or Recipe
    seed : int
    checkpoint : Checkpoint, str or path-like, optional
        A folder in which the work is kept. The same call again resumes it; see `inksight.training.Checkpoint`.
    progress : bool
        Show one line per network on standard error.

    Returns
    -------
    tuple of Step
        One for each step of the pruning after its start; fewer after Ctrl-C.

    Raises
    ------
    InputError
        If there are no validation images or no labels.

    References
    ----------
    Liu, Sun, Zhou, Huang and Darrell, "Rethinking the value of network pruning", ICLR 2019.

    Examples
    --------
    >>> import inksight
    >>> data, recipe = inksight.load("mnist")[:200], inksight.Recipe(epochs=1)
    >>> result = prune(data, "4x5p,8x3", recipe, keep_accuracy=None, epochs=1, steps=1, progress=False)
    >>> small = train_from_scratch(data, result, recipe, progress=False)
    >>> [step.network for step in small] == [result.model.network], small[0].epochs
    (True, 2)
    """
    splits = as_splits(data)
    validation = _validation(splits)
    rows: list[Step] = []
    if progress and len(pruning.steps) > 1:
        retrained = pruning.steps[1].epochs - pruning.steps[0].epochs
        total = sum(step.seconds * step.epochs / retrained for step in pruning.steps[1:])
        say(f"training {len(pruning.steps) - 1} networks of these sizes from scratch: {about(total)}")
    with checkpointed(checkpoint, {"work": "pruned networks from scratch", "seed": seed}) as part:
        for number, step in enumerate(pruning.steps[1:], start=1):
            began, own = time.perf_counter(), part(f"step-{number}")
            result = fit(splits, step.network, recipe, seed=seed, epochs=step.epochs, checkpoint=own, progress=False)
            if result.stopped == "interrupted":
                break
            rows.append(_step(result.model, validation, math.nan, began))
            say(rows[-1], progress)
    return tuple(rows)


def _announcement(
    splits: Splits, start: Network | Model, recipe: str | Recipe, sample: Dataset, by: str, share: float, epochs: int,
    steps: int | None,
) -> str:  # fmt: skip
    """Return how long a pruning will take: measured on the network to start from, so that later steps take less."""
    validation = len(_validation(splits))
    network = start.network if isinstance(start, Model) else start
    pace = measure_pace(splits.train, network, recipe)
    began = time.perf_counter()
    remove_least_important(pace.model, sample, parameter_count(network) * (1 - share), by)
    step = time.perf_counter() - began + pace.training(len(splits.train), validation, epochs)
    count = math.ceil(math.log(0.1) / math.log(1 - share)) if steps is None else steps
    first = 0.0 if isinstance(start, Model) else pace.trainings([(len(splits.train), validation)])
    training = f"training the network: {about(first)}; then " if first else ""
    goal = "to a tenth of the parameters if the accuracy allows" if steps is None else "in all"
    return f"{training}at most {about(step)} for each step; {count} steps, {goal}: {about(first + count * step)}"


def _validation(splits: Splits) -> Dataset:
    """Return the validation images; raise `InputError` if there are none or they have no labels."""
    if splits.validation is None:
        raise InputError("pruning needs validation images, got none: give a dataset, or splits that have some")
    splits.validation.require_labels("pruning")
    return splits.validation


def _step(model: Model, validation: Dataset, before: float, began: float) -> Step:
    """Return the step that resulted in `model`; it `began` at this time of `time.perf_counter`."""
    accuracy = evaluate(model, validation, hardest=0).accuracy
    seconds = time.perf_counter() - began
    return Step(model.network, parameter_count(model.network), len(model.history), before, accuracy, seconds)


def _count_filters(network: Network) -> int:
    return sum(bank.filters for bank in network.banks)
