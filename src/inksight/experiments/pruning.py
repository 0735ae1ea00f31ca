"""`prune`: how few filters will do. Remove those that matter least, train on for seconds, and again."""

import math
import time

import numpy as np

from inksight._shared.interrupt import CtrlC
from inksight._shared.progress import say
from inksight._shared.validation import check, is_between, is_count
from inksight.config import Network, Recipe
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InputError
from inksight.experiments.tradeoff import Pruning, Step
from inksight.inspection.ablation import CRITERIA, remove_least_important
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.nn.parameters import parameter_count
from inksight.training.fit import fit

POST = 0.989  # validation accuracy at which the post's training ends
SMALLEST_SHARE = 0.02  # of the parameters: finer steps would only follow the noise of the accuracy


def prune(
    data: Dataset | Splits,
    start: str | Network | Model = "post",
    recipe: str | Recipe = "default",
    *,
    keep_accuracy: float | None = POST,
    share: float = 0.25,
    epochs: int = 4,
    steps: int | None = None,
    by: str = "loss",
    images: int = 1000,
    seed: int = 0,
    progress: bool = True,
) -> Pruning:
    """Make a network smaller, filter by filter, as long as it stays as good as asked for.

    A step removes the filters that matter least (`inksight.inspection.ablation.remove_least_important`), measured on training images, and trains
    what is left for a few epochs. If it then reads too few validation images, the step is taken back and tried at half
    its size.

    Parameters
    ----------
    data : Dataset or Splits
        A dataset is split first (`Dataset.split`). Trained on ``train``, decided on ``validation``; test images are
        never looked at.
    start : Model, or str or Network
        A trained model, or a network to train first, as `inksight.train` takes it.
    recipe : str or Recipe
        To train by. The schedule of the learning rate is gone through in every step.
    keep_accuracy : float or None
        Validation accuracy to keep, 0 to 1; by default the post's. With None filters are removed until `steps` are
        done, or one a bank is left.
    share : float
        Of the parameters, that the first step removes; above 0 and below 1.
    epochs : int
        Of training after each step.
    steps : int, optional
        Take no more than so many.
    by : {"loss", "similarity"}
        What tells which filters matter least, as `inksight.inspection.ablation.filter_importance` has it.
    images : int
        Training images, drawn at random, to measure that on.
    seed : int
        Of all that is random.
    progress : bool
        Show a line a step on standard error, and before it what `inksight.train` shows.

    Returns
    -------
    Pruning
        Ctrl-C ends the work and returns what was found so far.

    Raises
    ------
    InputError
        If there are no validation images or labels, or the model was trained on them, or the network to start with
        does not reach `keep_accuracy`.

    Examples
    --------
    >>> import inksight
    >>> data, recipe = inksight.load("mnist")[:200], inksight.Recipe(epochs=1)
    >>> found = prune(data, "4x5p,8x3", recipe, keep_accuracy=None, epochs=1, steps=2, progress=False)
    >>> [step.epochs for step in found.steps], found.steps[2].parameters < found.steps[1].parameters < 400
    ([1, 2, 3], True)
    """
    keep = 0.0 if keep_accuracy is None else keep_accuracy
    check(is_between(keep, 0, 1), "keep_accuracy", keep_accuracy, "an accuracy from 0 to 1, such as 0.989")
    check(is_between(share, 1e-9, 1) and share < 1, "share", share, "above 0 and below 1")
    check(is_count(epochs), "epochs", epochs, "1 or more")
    check(steps is None or is_count(steps, 0), "steps", steps, "0 or more")
    check(by in CRITERIA, "by", by, " or ".join(CRITERIA))
    check(is_count(images), "images", images, "1 or more")
    splits = data.split() if isinstance(data, Dataset) else data
    validation = _validation(splits)
    splits.train.require_labels("pruning")
    some = splits.train[np.random.default_rng(seed).permutation(len(splits.train))[:images]]

    began, stopped = time.perf_counter(), ""
    if isinstance(start, Model):
        if "validation" in splits.seen_by(start.trained_on):
            raise InputError(
                "a model to prune must not know the validation images, got one trained on them too: "
                "train another without them, or give a network to train"
            )
        model = start
    else:
        trained = fit(splits, start, recipe, seed=seed, progress=progress)
        model, stopped = trained.model, "interrupted" if trained.stopped == "interrupted" else ""
    rows = [_step(model, validation, math.nan, began)]
    if not stopped and rows[0].accuracy < keep:
        raise InputError(
            f"keep_accuracy must be at most the validation accuracy before pruning, {rows[0].accuracy:.4f}, "
            f"got {keep:.4f}: ask for less, or train longer first"
        )
    say(rows[0], progress)
    with CtrlC() as ctrl_c:
        while not stopped and (steps is None or len(rows) <= steps):
            began, size = time.perf_counter(), parameter_count(model.network)
            smaller = remove_least_important(model, some, size * (1 - share), by)
            removed = _filters(model.network) - _filters(smaller.network)
            if not removed:
                stopped = "filters"
                break
            if smaller.network not in {row.network for row in rows}:  # half a step may lead to the same filters
                before = evaluate(smaller, validation, hardest=0).accuracy
                result = fit(
                    splits, recipe=recipe, start=smaller, seed=seed, epochs=epochs, progress=False,
                    on_epoch=lambda model: ctrl_c.pressed,
                )  # fmt: skip
                if ctrl_c.pressed or result.stopped == "interrupted":
                    stopped = "interrupted"
                    break
                rows.append(_step(result.model, validation, before, began))
                say(rows[-1], progress)
                if rows[-1].accuracy >= keep:
                    model = result.model
                    continue
            if removed == 1 or share / 2 < SMALLEST_SHARE:
                stopped = "accuracy"
            share /= 2
    return Pruning(tuple(rows), model, keep_accuracy, len(validation), stopped or "steps")


def train_small(
    data: Dataset | Splits,
    pruning: Pruning,
    recipe: str | Recipe = "default",
    *,
    seed: int = 0,
    progress: bool = True,
) -> tuple[Step, ...]:
    """Train the networks of a pruning from new starting weights, each for as many epochs as it has had in all.

    Whether pruning found good weights, or no more than a good size, shows beside networks that were small all along
    (Liu, Sun, Zhou, Huang, Darrell, "Rethinking the value of network pruning", ICLR 2019).

    Parameters
    ----------
    data : Dataset or Splits
        As `prune` took it.
    pruning : Pruning
    recipe : str or Recipe
    seed : int
    progress : bool
        Show a line a network on standard error.

    Returns
    -------
    tuple of Step
        One for every step of the pruning but its start; fewer after Ctrl-C.

    Raises
    ------
    InputError
        If there are no validation images or labels.

    Examples
    --------
    >>> import inksight
    >>> data, recipe = inksight.load("mnist")[:200], inksight.Recipe(epochs=1)
    >>> found = prune(data, "4x5p,8x3", recipe, keep_accuracy=None, epochs=1, steps=1, progress=False)
    >>> small = train_small(data, found, recipe, progress=False)
    >>> [step.network for step in small] == [found.model.network], small[0].epochs
    (True, 2)
    """
    splits = data.split() if isinstance(data, Dataset) else data
    validation = _validation(splits)
    rows: list[Step] = []
    for step in pruning.steps[1:]:
        began = time.perf_counter()
        result = fit(splits, step.network, recipe, seed=seed, epochs=step.epochs, progress=False)
        if result.stopped == "interrupted":
            break
        rows.append(_step(result.model, validation, math.nan, began))
        say(rows[-1], progress)
    return tuple(rows)


def _validation(splits: Splits) -> Dataset:
    """Return the labelled images that decide; an `InputError` if there are none."""
    if splits.validation is None:
        raise InputError("pruning needs validation images, got none: give a dataset, or splits that have some")
    splits.validation.require_labels("pruning")
    return splits.validation


def _step(model: Model, validation: Dataset, before: float, began: float) -> Step:
    """Return the step that ended in `model` and `began` at that time of `time.perf_counter`."""
    accuracy = evaluate(model, validation, hardest=0).accuracy
    seconds = time.perf_counter() - began
    return Step(model.network, parameter_count(model.network), len(model.history), before, accuracy, seconds)


def _filters(network: Network) -> int:
    return sum(bank.filters for bank in network.banks)
