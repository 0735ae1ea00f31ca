"""`compete`: trains what predicts the test images of a competition, and measures the score to expect."""

from dataclasses import dataclass
from typing import Any

from inksight._shared.progress import about, say
from inksight.config import Network, Recipe
from inksight.data.loading import DataLike, as_dataset
from inksight.data.splits import Splits
from inksight.experiments.cross_validation import CrossValidation, cross_validate
from inksight.nn.ensemble_file import Classifier
from inksight.training.checkpoint import CheckpointLike, checkpointed, short_digest
from inksight.training.fitting import fit
from inksight.training.pace import measure_pace
from inksight.training.result import TrainingResult

CHECK_FOLDS = 5  # one of which is held out to measure what to expect of a single network


@dataclass(frozen=True, eq=False)
class Entry:
    """What predicts the test images, and the score to expect.

    Parameters
    ----------
    model : Model or Ensemble
    expected : CrossValidation or None
        None if it was not measured.
    training : TrainingResult or None
        The training on all images; None for an ensemble.
    """

    model: Classifier
    expected: CrossValidation | None
    training: TrainingResult | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        expected = None if self.expected is None else self.expected.to_dict()
        training = {"weights": self.model.digest} if self.training is None else self.training.to_dict()
        return training | {"expected": expected}


def compete(
    data: DataLike,
    network: str | Network | None = None,
    recipe: str | Recipe | None = None,
    *,
    folds: int | None = None,
    check: bool = True,
    budget: str | None = None,
    epochs: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    checkpoint: CheckpointLike | None = None,
    progress: bool = True,
) -> Entry:
    """Train on all labeled images, and measure the score to expect on others.

    Parameters
    ----------
    data : Dataset, Splits, str or path-like
        Labeled. All images, also those that are the test set of their source: the test images of the competition are
        others.
    network, recipe, budget, epochs, seconds
        As in `inksight.train`; `seconds` limits each training.
    folds : int, optional
        Train as many networks by `cross_validate`, and return their ensemble. By default, one network is trained on
        all images.
    check : bool
        Without folds: first train a network on four fifths of the images and evaluate it on the others.
    seed : int
    checkpoint : Checkpoint, str or path-like, optional
        A folder in which the work is kept. The same call again resumes it; see `inksight.training.Checkpoint`.
    progress : bool
        Show how long it will take, and the progress of each training, on standard error.

    Raises
    ------
    InputError
        As `cross_validate`.
    KeyboardInterrupt
        On Ctrl-C before the last training. During the last training, it ends that with the model so far.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:300]
    >>> entry = compete(data, "4x5p,8x3", epochs=1, progress=False)
    >>> len(entry.expected.labels), entry.training.train_images
    (60, 300)
    """
    data = as_dataset(data, "all")[:]  # a slice has no test set
    data.require_labels("training")
    if progress:
        pace = measure_pace(data, network, recipe, budget=budget, epochs=epochs, seconds=seconds)
        held_out = len(data) // (folds or CHECK_FOLDS)
        partial, full = pace.training(len(data) - held_out, held_out), pace.training(len(data))
        if folds:
            say(f"training {folds} networks: {about(folds * partial)}")
        elif check:
            total = about(partial + full)
            say(f"training two networks: {total}, of which the first measures what to expect: {about(partial)}")
        else:
            say(f"training a network: {about(full)}")
    settings = {"work": "competition", "images": short_digest(data), "folds": folds, "check": check, "seed": seed}
    with checkpointed(checkpoint, settings) as part:
        expected = None
        if folds or check:
            expected = cross_validate(
                data, network, recipe, folds=folds or CHECK_FOLDS, held_out=folds or 1, budget=budget, epochs=epochs,
                seconds=seconds, seed=seed, checkpoint=part("check"), progress=progress,
            )  # fmt: skip
            say(expected, progress)
        if folds and expected:
            return Entry(expected.ensemble, expected, None)
        result = fit(
            Splits(data), network, recipe, budget=budget, seed=seed, epochs=epochs, seconds=seconds,
            checkpoint=part("all"), progress=progress,
        )  # fmt: skip
        return Entry(result.model, expected, result)
