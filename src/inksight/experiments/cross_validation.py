"""`cross_validate`: the accuracy to expect of a training, measured on images that were held out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.progress import say
from inksight._shared.validation import check, is_count
from inksight.config import Network, Recipe
from inksight.data.dataset import Dataset
from inksight.data.folds import first_duplicates, stratified_folds
from inksight.data.loading import DataLike, as_dataset
from inksight.data.splits import Splits
from inksight.inspection.evaluation import wilson_interval
from inksight.nn.ensemble import Ensemble
from inksight.nn.model import Model
from inksight.training.checkpoint import CheckpointLike, checkpointed, short_digest
from inksight.training.fitting import fit


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Networks of a cross-validation, and their predictions for images that they were not trained on.

    Parameters
    ----------
    models : tuple of Model
        One per fold that was held out.
    labels : (n,) int64
        Of the judged images: those of all folds that were held out.
    predictions : (n,) int64
        By the model that was not trained on the image.
    seconds : float
        Time of the training steps of all models.
    """

    models: tuple[Model, ...]
    labels: NDArray[np.int64]
    predictions: NDArray[np.int64]
    seconds: float

    @property
    def accuracy(self) -> float:
        """Share of right predictions, 0..1."""
        return float((self.predictions == self.labels).mean())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the accuracy; see `inksight.inspection.evaluation.wilson_interval`."""
        return wilson_interval(int((self.predictions == self.labels).sum()), len(self.labels))

    @property
    def ensemble(self) -> Ensemble:
        """The ensemble of all models, of which each is calibrated on the fold that it was not trained on."""
        return Ensemble(self.models)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"expected accuracy {self.accuracy:.2%} (95 % interval {low:.2%} to {high:.2%}), measured on "
            f"{len(self.labels):,} images not trained on"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "models": len(self.models),
            "n": len(self.labels),
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "seconds": self.seconds,
        }


def cross_validate(
    data: DataLike,
    network: str | Network | None = None,
    recipe: str | Recipe | None = None,
    *,
    folds: int = 5,
    held_out: int | None = None,
    budget: str | None = None,
    epochs: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    checkpoint: CheckpointLike | None = None,
    progress: bool = True,
) -> CrossValidation:
    """Measure the accuracy of a training by cross-validation.

    The images are divided into stratified folds. Each fold is predicted by a network that was trained on the others
    and calibrated on this fold. Identical images share a fold.

    Parameters
    ----------
    data : Dataset, Splits, str or path-like
        Labeled. All images but test images.
    network, recipe, budget, epochs, seconds
        As in `inksight.train`; `seconds` limits each training.
    folds : int
        2 or more.
    held_out : int, optional
        Number of folds that are held out, each for one training; by default all of them. With 1, a single network
        is trained and judged, which takes less time and gives a wider interval.
    seed : int
        For the folds and the trainings.
    checkpoint : Checkpoint, str or path-like, optional
        A folder in which the work is kept. The same call again resumes it; see `inksight.training.Checkpoint`.
    progress : bool
        Show the progress of each training on standard error.

    Returns
    -------
    CrossValidation

    Raises
    ------
    InputError
        If there are no labels, there are too few different images for the folds, or an option is out of range.
    KeyboardInterrupt
        On Ctrl-C, because some images would not have been judged yet.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:300]
    >>> result = cross_validate(data, "4x5p,8x3", folds=2, epochs=1, progress=False)
    >>> result.ensemble, len(result.predictions)
    (Ensemble(2 models, 10 classes), 300)
    """
    data = _without_test_images(data)
    labels = data.require_labels("a cross-validation")
    check(is_count(folds, 2), "folds", folds, "2 or more")
    held_out = folds if held_out is None else held_out
    check(is_count(held_out) and held_out <= folds, "held_out", held_out, f"1 to {folds}, the number of folds")
    check(is_count(seed, 0) and seed < 2**31, "seed", seed, "0 to 2**31 - 1")
    fold_of = stratified_folds(labels, folds, seed)[first_duplicates(data.images)]
    distinct = len(np.unique(fold_of))
    check(distinct == folds, "number of folds", folds, f"at most {distinct}, as there are so few different images")

    models: list[Model] = []
    predictions = np.empty_like(labels)
    spent = 0.0
    settings = {
        "work": "cross-validation", "images": short_digest(data), "folds": folds, "held out": held_out, "seed": seed,
    }  # fmt: skip
    with checkpointed(checkpoint, settings) as part:
        for fold in range(held_out):
            judged = fold_of == fold
            if held_out > 1:
                say(f"fold {fold + 1} of {held_out}", progress)
            training_seed = int(np.random.SeedSequence([seed, fold]).generate_state(1)[0] >> 1)
            result = fit(
                Splits(data[~judged], data[judged]), network, recipe, budget=budget, seed=training_seed, epochs=epochs,
                seconds=seconds, checkpoint=part(f"fold-{fold + 1}"), progress=progress,
            )  # fmt: skip
            if result.stopped == "interrupted":
                raise KeyboardInterrupt
            predictions[judged] = result.model.predict(data.images[judged])
            models.append(result.model)
            spent += result.seconds
    all_judged = fold_of < held_out
    return CrossValidation(tuple(models), labels[all_judged], predictions[all_judged], spent)


def _without_test_images(data: DataLike) -> Dataset:
    if isinstance(data, Splits):
        return data.with_validation_to_train().train
    whole = as_dataset(data, "all")
    return whole[: len(whole) - whole.test_count]
