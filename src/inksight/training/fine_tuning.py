"""`teach`: a few labelled pictures of one's own hand, and some seconds, make a model of one's own."""

import os
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inksight._shared.progress import say
from inksight._shared.validation import check
from inksight.config import Augmentation, Recipe
from inksight.data.dataset import Dataset, join
from inksight.data.folds import first_duplicates, stratified_folds
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.errors import InksightError, InputError
from inksight.nn.lesson import Lesson
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.training.calibration import calibrated, with_temperature
from inksight.training.fit import fit
from inksight.training.ood_detector import with_ood_detector

# What measured best on invented hands (benchmarks/teach.py). As much augmentation as a training from the start has
# would cost more of MNIST, none at all would learn the pictures by heart.
RECIPE = Recipe(
    epochs=3, batch_size=256, learning_rate=3e-3, warmup=0.1,
    augmentation=Augmentation(rotation=5, shift=1, scale=0.05, shear=0.05, elastic=1),
)  # fmt: skip
REPEATED = 20_000  # images, at most, of those the model is to keep reading, drawn once
PRACTISED = 4_000  # times that a picture of one's own is shown beside them, in each pass
MOST_LOST = 0.001  # of the validation accuracy
SHARES = (1.0, 0.75, 0.5)  # of the way from the old weights to the new
ENOUGH = 3  # pictures of each class, of which one can be held out


@dataclass(frozen=True, eq=False)
class Teaching:
    """What came of teaching.

    Parameters
    ----------
    model : Model
        Its last lesson (``model.lessons``) names the pictures.
    held_out : int
        Own pictures that `own_before` and `own_after` are measured on: a third, which a rehearsal on the others did
        not see. 0 if there were too few: then it is the pictures learned from.
    own_before, own_after : float
        Share of own pictures read right, 0..1.
    before, after : float
        Share of the validation images read right, 0..1.
    images : int
        Validation images.
    known : bool
        Whether the model had been trained on them before: then it reads them better than it would new ones.
    share : float
        How far the weights went from where they were to where the training led, above 0, at most 1.
    seconds : float
        All of it.
    """

    model: Model
    held_out: int
    own_before: float
    own_after: float
    before: float
    after: float
    images: int
    known: bool
    share: float
    seconds: float

    @property
    def lesson(self) -> Lesson:
        """What was learned from."""
        return self.model.lessons[-1]

    def __str__(self) -> str:
        count = sum(self.lesson.pictures.values())
        which = f"{self.held_out} of {count}, held out in a rehearsal"
        if not self.held_out:
            which = f"{count}, which it learned from: {ENOUGH} of each class would allow to hold some out"
        known = ", which it had been trained on" if self.known else ""
        return (
            f"own pictures read right: {self.own_before:.1%} before, {self.own_after:.1%} after ({which})\n"
            f"validation images read right: {self.before:.2%} before, {self.after:.2%} after ({self.images:,}{known})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        figures = {name: value for name, value in vars(self).items() if name != "model"}
        return figures | {"lesson": self.lesson.to_dict()}


def teach(
    own: Dataset | str | os.PathLike[str],
    model: str | Model = "best",
    data: Dataset | Splits | None = None,
    *,
    seed: int = 0,
    progress: bool = True,
) -> Teaching:
    """Teach a model the hand of a few labelled pictures, some seconds long, without its forgetting others.

    Training goes on from the model's weights, on the pictures, each many times and moved a little every time, among
    images of `data`. Of the way the weights went as much is kept as costs no more than 0.1 points of validation
    accuracy (Wortsman and others, "Robust fine-tuning of zero-shot models", CVPR 2022, on keeping a share of it).

    Whether that is kept is judged on the validation images of `data`, which teaching never trains on. Not on test
    images: whoever teaches until a guard is content has chosen by it. Models that ship were trained on MNIST's
    validation images and read them better than new ones: for those the guard is stricter than it says.

    Parameters
    ----------
    own : Dataset, or path
        Pictures of one's own with labels, of some or all of the model's classes; a path as `inksight.load` takes it.
    model : str or Model
        To start from: one that ships with the package, or a model file, or a model.
    data : Dataset or Splits, optional
        What the model is to keep reading; MNIST if not given.
    seed : int
    progress : bool
        Show the course of the training on standard error.

    Returns
    -------
    Teaching

    Raises
    ------
    InputError
        If there are no pictures or no labels, a picture has two, or the classes are others than the model's.
    InksightError
        If the model would lose more than 0.1 points.

    Examples
    --------
    >>> import inksight
    >>> mnist = inksight.load("mnist")
    >>> model = inksight.train(mnist[:2000], "4x5p,8x3", inksight.Recipe(epochs=1), progress=False)
    >>> taught = teach(mnist[3000:3030], model, mnist[:2000], progress=False)
    >>> sum(taught.lesson.pictures.values()), taught.after >= taught.before - 0.001
    (30, True)
    """
    began = time.perf_counter()
    start = model if isinstance(model, Model) else load_model(model)
    pictures = own if isinstance(own, Dataset) else load(own)
    splits = data if isinstance(data, Splits) else (load("mnist") if data is None else data).split()
    validation = splits.validation
    if validation is None:
        raise InputError("teaching needs validation images, got none: give a dataset, or splits that have some")
    for name, some in (("own pictures", pictures), ("data", splits.train), ("data", validation)):
        some.require_labels("teaching")
        check(some.class_names == start.class_names, f"classes of the {name}", some.class_names,
              f"the model's {start.class_names}")  # fmt: skip
    check(len(pictures) > 0, "number of own pictures", 0, "1 or more")
    distinct = _distinct(pictures)
    knows = start.trained_on == splits.with_validation_to_train().train.digest
    before = _accuracy(start, validation)

    def learn(some: Dataset) -> tuple[Model, float, float]:
        """Return the model after a training with some pictures, its accuracy, and how far it went."""
        new = _train(start, some, splits.train, seed, progress)
        for share in SHARES:
            between = _between(start, new, share)
            # Images that it knows would make it seem surer than it may be: then as it was.
            between = with_temperature(between, start.temperature) if knows else calibrated(between, validation)
            after = _accuracy(between, validation)
            if after >= before - MOST_LOST - 1e-12:
                return between, after, share
        raise InksightError(
            f"not taught: of {len(validation):,} validation images {after:.2%} would be read right after {before:.2%}, "
            f"and {MOST_LOST:.1%} is the most that may be lost: check the labels of the pictures, or give more of them"
        )

    held = np.zeros(len(distinct), bool)
    judge, judged = start, distinct
    if distinct.counts[distinct.counts > 0].min() >= ENOUGH:
        held = stratified_folds(distinct.require_labels("teaching"), ENOUGH, seed) == 0
        say(f"rehearsal, {held.sum()} of {len(distinct)} pictures held out", progress)
        judge, judged = learn(distinct[~held])[0], distinct[held]
    say(f"learning from {len(distinct)} pictures", progress)
    taught, after, share = learn(distinct)
    if start.ood_detector is not None:
        taught = with_ood_detector(taught, splits.train, start.ood_detector.threshold if knows else validation)
    counts = zip(pictures.class_names, pictures.counts.tolist(), strict=True)
    lesson = Lesson(pictures.name, {name: count for name, count in counts if count}, pictures.digest)
    return Teaching(
        model=replace(taught, lessons=(*start.lessons, lesson)),
        held_out=int(held.sum()),
        own_before=_accuracy(start, judged),
        own_after=_accuracy(judge if held.any() else taught, judged),
        before=before, after=after, images=len(validation), known=knows, share=share,
        seconds=time.perf_counter() - began,
    )  # fmt: skip


def _distinct(pictures: Dataset) -> Dataset:
    """Return the pictures without those that are there already; an `InputError` if they then had another label."""
    labels, first = pictures.require_labels("teaching"), first_duplicates(pictures.images)
    wrong = np.flatnonzero(labels != labels[first])
    if wrong.size:
        one, other = (pictures.class_names[labels[row]] for row in (first[wrong[0]], wrong[0]))
        raise InputError(f"pictures must have one label each, got the same picture as {one!r} and {other!r}")
    return pictures[np.unique(first)]


def _train(start: Model, own: Dataset, data: Dataset, seed: int, progress: bool) -> Model:
    """Train on with own pictures among those of `data`."""
    rng = np.random.default_rng(seed)
    repeated = data[rng.permutation(len(data))[:REPEATED]]
    practised = own[np.resize(rng.permutation(len(own)), PRACTISED)]
    recipe = replace(RECIPE, label_smoothing=start.recipe.label_smoothing if start.recipe else 0.0)
    result = fit(Splits(join(repeated, practised)), recipe=recipe, start=start, seed=seed, progress=progress)
    if result.stopped == "interrupted":
        raise KeyboardInterrupt
    return replace(result.model, trained_on=start.trained_on)  # the rest is the lesson


def _between(start: Model, new: Model, share: float) -> Model:
    """Return the model with weights between those of two, as they were trained."""
    raw = with_temperature(start, 1.0).params
    params = {name: np.asarray(x + np.float32(share) * (new.params[name] - x)) for name, x in raw.items()}
    return replace(new, params=params)


def _accuracy(model: Model, data: Dataset) -> float:
    return float((model.predict(data.images) == data.require_labels("teaching")).mean())
