"""`teach`: fine-tunes a model on a few labeled pictures of your own digits."""

import os
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.progress import say
from inksight._shared.validation import check
from inksight.config import Augmentation, Recipe
from inksight.data.dataset import Dataset, join
from inksight.data.folds import first_duplicates, stratified_folds
from inksight.data.loading import DataLike, as_dataset, as_splits
from inksight.data.splits import Splits
from inksight.errors import InksightError, InputError
from inksight.nn.fine_tuning_record import FineTuningRecord
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model
from inksight.training.calibration import calibrated, with_temperature
from inksight.training.checkpoint import Checkpoint, CheckpointLike, checkpointed, short_digest
from inksight.training.fitting import fit
from inksight.training.ood_detector import with_ood_detector

# The best recipe in benchmarks/teach.py, which simulates handwriting. The augmentation of a full training would cost
# more accuracy on MNIST; without augmentation, the model would memorize the pictures.
RECIPE = Recipe(
    epochs=3, batch_size=256, learning_rate=3e-3, warmup=0.1,
    augmentation=Augmentation(rotation=5, shift=1, scale=0.05, shear=0.05, elastic=1),
)  # fmt: skip
ORIGINAL_IMAGES = 20_000  # largest number of images of the original data in each epoch, the same in all
OWN_IMAGES = 4_000  # number of repeated own pictures in each epoch
MAX_ACCURACY_LOSS = 0.001  # of the accuracy on the validation images
INTERPOLATION_STEPS = (1.0, 0.75, 0.5)  # tried in this order, from the old weights (0) to the new ones (1)
MIN_PER_CLASS = 3  # pictures that every class with pictures needs for the held-out check, which holds out a third


@dataclass(frozen=True, eq=False)
class FineTuning:
    """The result of fine-tuning.

    Parameters
    ----------
    model : Model
        The fine-tuned model; the last of ``model.fine_tunings`` lists the pictures.
    held_out : int
        Number of own pictures in the held-out check: a model fine-tuned on the other pictures is evaluated on them.
        0 if there were too few pictures; then `own_before` and `own_after` are on the pictures it was fine-tuned on.
    own_before, own_after : float
        Accuracy on own pictures before and after fine-tuning, 0..1.
    validation_before, validation_after : float
        Accuracy on the validation images before and after fine-tuning, 0..1.
    validation_images : int
        Number of validation images.
    validation_seen : bool
        Whether the model had been trained on the validation images, so that its accuracy on new images is lower.
    interpolation : float
        Position of the final weights between the old weights (0) and the fine-tuned ones (1).
    seconds : float
        Total time.
    """

    model: Model
    held_out: int
    own_before: float
    own_after: float
    validation_before: float
    validation_after: float
    validation_images: int
    validation_seen: bool
    interpolation: float
    seconds: float

    @property
    def record(self) -> FineTuningRecord:
        """The pictures of this fine-tuning."""
        return self.model.fine_tunings[-1]

    def __str__(self) -> str:
        count = sum(self.record.pictures.values())
        own = f"{self.held_out} of {count}, held out"
        if not self.held_out:
            own = f"{count}, all used for training; the held-out check needs {MIN_PER_CLASS} of each class"
        seen = ", used in the original training" if self.validation_seen else ""
        return (
            f"accuracy on own pictures: {self.own_before:.1%} before, {self.own_after:.1%} after ({own})\n"
            f"accuracy on validation images: {self.validation_before:.2%} before, {self.validation_after:.2%} after "
            f"({self.validation_images:,}{seen})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = {name: value for name, value in vars(self).items() if name != "model"}
        return values | {"record": self.record.to_dict()}


def teach(
    own: Dataset | str | os.PathLike[str],
    model: ModelLike = "best",
    data: DataLike = "mnist",
    *,
    seed: int = 0,
    checkpoint: CheckpointLike | None = None,
    progress: bool = True,
) -> FineTuning:
    """Fine-tune a model on a few labeled pictures of your own digits, in seconds.

    The model is trained further on a mix of the pictures, repeated and augmented, and images of `data`. The final
    weights are interpolated between the old and the fine-tuned ones, so that the accuracy on the validation images of
    `data` drops by at most 0.1 percentage points.

    The validation images are not trained on. Test images are not used, because this limit is a choice of the model.
    The models that ship were trained on MNIST's validation images and are more accurate on them than on new images,
    which makes the limit stricter for them.

    Parameters
    ----------
    own : Dataset, or path
        Your labeled pictures, of some or all classes of the model; see `inksight.load` for paths.
    model : Model, str or path-like
        The model to start from, or what `inksight.load_model` reads.
    data : Dataset, Splits, str or path-like
        The data to stay accurate on, or a source for `inksight.load`.
    seed : int
    checkpoint : Checkpoint, str or path-like, optional
        A folder in which the work is kept. The same call again resumes it; see `inksight.training.Checkpoint`.
    progress : bool
        Show the progress of the training on standard error.

    Returns
    -------
    FineTuning

    Raises
    ------
    InputError
        If there are no pictures or no labels, the same picture has two labels, the classes are not those of the model,
        or there are no validation images.
    InksightError
        If there is nothing to learn, because the model classifies all pictures right or all are among the training
        images of `data`; or if the accuracy on the validation images would drop by more than 0.1 percentage points.

    References
    ----------
    Wortsman and others, "Robust fine-tuning of zero-shot models", CVPR 2022, on the interpolation of weights.

    Examples
    --------
    >>> import inksight
    >>> mnist = inksight.load("mnist")
    >>> model = inksight.train(mnist[:2000], "4x5p,8x3", inksight.Recipe(epochs=1), progress=False)
    >>> result = teach(mnist[3000:3030], model, mnist[:2000], progress=False)
    >>> sum(result.record.pictures.values()), result.validation_after >= result.validation_before - 0.001
    (30, True)
    """
    began = time.perf_counter()
    start, pictures, splits = as_model(model), as_dataset(own, "all"), as_splits(data)
    validation = _check_data(pictures, splits, start)
    pictures = _new_to(splits.train, pictures, progress)
    distinct = _without_duplicates(pictures)
    if (start.predict(distinct.images) == distinct.labels).all():
        raise InksightError(
            f"nothing to learn: the model already classifies all {len(distinct)} pictures right: "
            "add pictures that it gets wrong, or use the model as it is"
        )
    tuner = _Tuner(start, splits.train, validation, "validation" in splits.seen_by(start.trained_on), seed, progress)

    held_out = _held_out_rows(distinct, seed)
    own_images, own_model = distinct, None
    settings = {
        "work": "teaching", "own pictures": short_digest(pictures), "model": short_digest(start),
        "training images": short_digest(splits.train), "validation images": short_digest(validation), "seed": seed,
    }  # fmt: skip
    with checkpointed(checkpoint, settings) as part:
        if held_out.any():
            say(f"held-out check with {held_out.sum()} of {len(distinct)} pictures", progress)
            own_images, own_model = distinct[held_out], tuner.fine_tune(distinct[~held_out], part("held-out"))[0]
        say(f"learning from {len(distinct)} pictures", progress)
        tuned, validation_after, interpolation = tuner.fine_tune(distinct, part("all"))
    if start.ood_detector is not None:
        threshold = start.ood_detector.threshold if tuner.validation_seen else validation
        tuned = with_ood_detector(tuned, splits.train, threshold)
    return FineTuning(
        model=replace(tuned, fine_tunings=(*start.fine_tunings, _record(pictures))),
        held_out=int(held_out.sum()),
        own_before=_accuracy(start, own_images),
        own_after=_accuracy(tuned if own_model is None else own_model, own_images),
        validation_before=tuner.accuracy_before,
        validation_after=validation_after,
        validation_images=len(validation),
        validation_seen=tuner.validation_seen,
        interpolation=interpolation,
        seconds=time.perf_counter() - began,
    )


class _Tuner:
    """Fine-tunes a model and limits the loss of accuracy on the validation images."""

    def __init__(
        self, start: Model, original: Dataset, validation: Dataset, validation_seen: bool, seed: int, progress: bool
    ) -> None:
        self.start, self.original, self.validation = start, original, validation
        self.validation_seen, self.seed, self.progress = validation_seen, seed, progress
        self.accuracy_before = _accuracy(start, validation)

    def fine_tune(self, own: Dataset, checkpoint: Checkpoint | None) -> tuple[Model, float, float]:
        """Return the model fine-tuned on own pictures, its accuracy on the validation images, and the interpolation."""
        tuned = _train(self.start, own, self.original, self.seed, checkpoint, self.progress)
        for interpolation in INTERPOLATION_STEPS:
            model = self._calibrated(interpolate_weights(self.start, tuned, interpolation))
            accuracy = _accuracy(model, self.validation)
            if accuracy >= self.accuracy_before - MAX_ACCURACY_LOSS - 1e-12:
                return model, accuracy, interpolation
        raise InksightError(
            f"not taught: the accuracy on {len(self.validation):,} validation images would drop from "
            f"{self.accuracy_before:.2%} to {accuracy:.2%}, and the limit is a loss of {MAX_ACCURACY_LOSS:.1%}: "
            "check the labels of the pictures, or give more of them"
        )

    def _calibrated(self, model: Model) -> Model:
        # The temperature cannot be fitted on images of the training: it would make the model overconfident.
        if self.validation_seen:
            return with_temperature(model, self.start.temperature)
        return calibrated(model, self.validation)


def _check_data(pictures: Dataset, splits: Splits, start: Model) -> Dataset:
    """Check that pictures and data fit the model; return the validation images."""
    if splits.validation is None:
        raise InputError("teaching needs validation images, got none: give a dataset, or splits that have some")
    for name, part in (("own pictures", pictures), ("data", splits.train), ("data", splits.validation)):
        part.require_labels("teaching")
        expected = start.class_names
        check(part.class_names == expected, f"classes of the {name}", part.class_names, f"the model's {expected}")
    check(len(pictures) > 0, "number of own pictures", 0, "1 or more")
    return splits.validation


def _new_to(train: Dataset, pictures: Dataset, progress: bool) -> Dataset:
    """Return the pictures that are not among the training images with the same label, from which it learns anyway.

    Besides, the held-out check would find the model trained on such pictures.
    """
    labels = pictures.require_labels("teaching")
    known = {(image.tobytes(), label) for image, label in zip(pictures.images, labels.tolist(), strict=True)}
    train_labels = train.require_labels("teaching").tolist()
    known &= {(image.tobytes(), label) for image, label in zip(train.images, train_labels, strict=True)}
    new = np.array([(x.tobytes(), y) not in known for x, y in zip(pictures.images, labels.tolist(), strict=True)])
    if not new.any():
        raise InksightError(
            f"nothing to learn: all {len(pictures)} pictures are among the training images of {train.name!r}: "
            "add pictures of your own"
        )
    if not new.all():
        count = len(pictures) - new.sum()
        say(f"left out {count} of {len(pictures)} pictures, which are among the training images", progress)
    return pictures[new]


def _without_duplicates(pictures: Dataset) -> Dataset:
    """Return the distinct pictures; raise `InputError` if the same picture has two labels."""
    labels, first = pictures.require_labels("teaching"), first_duplicates(pictures.images)
    conflicts = np.flatnonzero(labels != labels[first])
    if conflicts.size:
        label, other = (pictures.class_names[labels[row]] for row in (first[conflicts[0]], conflicts[0]))
        raise InputError(f"pictures must have one label each, got the same picture as {label!r} and {other!r}")
    return pictures[np.unique(first)]


def _held_out_rows(pictures: Dataset, seed: int) -> NDArray[np.bool_]:
    """Return which pictures to hold out, (n,): a third of each class, or none if a class has too few."""
    counts = pictures.counts
    if counts[counts > 0].min() < MIN_PER_CLASS:
        return np.zeros(len(pictures), bool)
    result: NDArray[np.bool_] = stratified_folds(pictures.require_labels("teaching"), MIN_PER_CLASS, seed) == 0
    return result


def _train(
    start: Model, own: Dataset, original: Dataset, seed: int, checkpoint: Checkpoint | None, progress: bool
) -> Model:
    """Train the model further on a mix of own pictures and original images."""
    rng = np.random.default_rng(seed)
    original = original[rng.permutation(len(original))[:ORIGINAL_IMAGES]]
    own = own[np.resize(rng.permutation(len(own)), OWN_IMAGES)]
    recipe = replace(RECIPE, label_smoothing=start.recipe.label_smoothing if start.recipe else 0.0)
    result = fit(
        Splits(join(original, own)), recipe=recipe, start=start, seed=seed, checkpoint=checkpoint, progress=progress
    )
    if result.stopped == "interrupted":
        raise KeyboardInterrupt
    return replace(result.model, trained_on=start.trained_on)  # the record lists the pictures


def interpolate_weights(start: Model, tuned: Model, interpolation: float) -> Model:
    """Return `tuned`, which must have temperature 1, with weights between those of `start` (0) and its own (1)."""
    raw = with_temperature(start, 1.0).params
    params = {name: np.asarray(x + np.float32(interpolation) * (tuned.params[name] - x)) for name, x in raw.items()}
    return replace(tuned, params=params)


def _record(pictures: Dataset) -> FineTuningRecord:
    counts = zip(pictures.class_names, pictures.counts.tolist(), strict=True)
    return FineTuningRecord(pictures.name, {name: count for name, count in counts if count}, pictures.digest)


def _accuracy(model: Model, data: Dataset) -> float:
    return float((model.predict(data.images) == data.require_labels("teaching")).mean())
