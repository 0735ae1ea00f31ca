"""Label errors: images for which networks that were not trained on them find another class more probable."""

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.files import replacing
from inksight._shared.progress import about, say, track
from inksight._shared.table import write_rows
from inksight._shared.validation import check, is_count
from inksight.config import RECIPES, Network, Recipe, get_network, get_recipe
from inksight.data.dataset import Dataset, join
from inksight.data.folds import first_duplicates, plan_cross_validation, stratified_folds
from inksight.data.loading import DataLike, as_dataset
from inksight.data.splits import Splits
from inksight.errors import InputError

if TYPE_CHECKING:
    from inksight.training.checkpoint import CheckpointLike

PRINTED = 20  # rows in the text form
RECIPE = replace(RECIPES["seconds"], epochs=20)  # the recipe with the lowest error after few epochs
COLUMNS = ("row", "image_id", "given", "suggested", "doubt", "p_given", "p_suggested")


@dataclass(frozen=True, eq=False, repr=False)
class DoubtfulLabels(Display):
    """The labels of n images, ranked by how much networks that were not trained on the images doubt them.

    Parameters
    ----------
    name : str
        Name of the images.
    class_names : tuple of str
    images : (n, 28, 28) uint8
    labels : (n,) int64
        The given labels.
    suggested : (n,) int64
        The most probable class other than the given one.
    probabilities : (n, classes) float64, 0..1
        Mean over the networks that judged the image.
    doubt : (n,) float64, in nats
        Log ratio of the probabilities of the suggested and the given class. A label with a doubt above 0 is suspected
        to be wrong.
    order : (n,) int64
        Rows by decreasing doubt.
    folds : (repeats, n) int64
        The fold of each image. The network that judged it was trained on the other folds and on the extra images.
    extra : int
        Number of extra images: every network was trained on them, and their labels were not judged.
    epochs : int
        Epochs of each training.
    seconds : float
        Time spent on training steps, summed over all networks.
    """

    name: str
    class_names: tuple[str, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    suggested: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    doubt: NDArray[np.float64]
    order: NDArray[np.int64]
    folds: NDArray[np.int64]
    extra: int
    epochs: int
    seconds: float

    @property
    def suspected(self) -> int:
        """Number of images for which another class is more probable than the given one."""
        return int((self.doubt > 0).sum())

    @property
    def networks(self) -> int:
        """Number of networks trained."""
        return len(self.folds) * int(self.folds.max() + 1)

    def top(self, n: int) -> NDArray[np.int64]:
        """Return the rows of the `n` most doubtful labels (fewer if there are fewer), the most doubtful first."""
        check(is_count(n, 0), "top", n, "0 or more")
        return self.order[:n]

    def rows(self, n: int) -> list[dict[str, Any]]:
        """Return the `n` most doubtful labels: row, given and suggested label, doubt and both probabilities.

        ``row`` counts from 0, like the arrays; ``image_id`` counts from 1, like Kaggle's ImageId.
        """
        top = self.top(n)
        given, suggested = self.labels[top], self.suggested[top]
        columns = (
            top.tolist(),
            (top + 1).tolist(),
            [self.class_names[label] for label in given],
            [self.class_names[label] for label in suggested],
            self.doubt[top].tolist(),
            self.probabilities[top, given].tolist(),
            self.probabilities[top, suggested].tolist(),
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]

    def __repr__(self) -> str:
        return f"DoubtfulLabels({self.name!r}, {self.suspected:,} of {len(self.labels):,} labels suspected)"

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.suspected:,} of {len(self.labels):,} labels suspected to be wrong by networks not "
            f"trained on their images ({self.networks} networks, {self.seconds:.1f} s of training)",
            "",
            f"{'ImageId':>8}{'given':>11}{'suggested':>11}{'p(given)':>10}{'p(suggested)':>14}",
        ]
        lines += [
            f"{row['image_id']:>8}{row['given']:>11.10}{row['suggested']:>11.10}"
            f"{row['p_given']:>10.2%}{row['p_suggested']:>14.2%}"
            for row in self.rows(PRINTED)
        ]
        return "\n".join(lines)

    def to_dict(self, top: int = 100) -> dict[str, Any]:
        """Return plain JSON values: summary figures, and the `top` most doubtful labels."""
        return {
            "data": self.name,
            "n": len(self.labels),
            "suspected": self.suspected,
            "repeats": len(self.folds),
            "networks": self.networks,
            "extra": self.extra,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "class_names": list(self.class_names),
            "labels": self.rows(top),
        }


def doubtful_labels(
    data: DataLike,
    folds: int | None = None,
    network: str | Network = "best",
    recipe: str | Recipe | None = None,
    *,
    repeats: int = 3,
    epochs: int | None = None,
    seed: int = 0,
    extra: Dataset | None = None,
    checkpoint: "CheckpointLike | None" = None,
    progress: bool = True,
) -> DoubtfulLabels:
    """Rank labels by how much networks that were not trained on their images doubt them.

    Cross-validation: the images are divided into folds, and each fold is judged by a network trained on the others.
    This is repeated `repeats` times with new folds and networks. Probabilities are averaged over the repeats, so that
    no single network decides. The ranking is by the margin between the given label and the most probable other class,
    as in Northcutt, Jiang and Chuang ("Confident learning", JAIR 70, 2021), but in log probabilities, which still
    differ where probabilities are close to 0 or 1. Identical images share a fold and are removed from `extra`.

    Parameters
    ----------
    data : Dataset, Splits, str or path-like
        Labeled, with at least `folds` images of each class. Of splits or a source for `inksight.load`, all images.
    folds : int, optional
        2 or more. By default 5, or fewer if the trainings would otherwise have less than five epochs. There are always
        at least two folds, even with many extra images: the judged images are also trained on, since their writers may
        be different from those of the extra images.
    network : str or Network
        As in `inksight.train`.
    recipe : str or Recipe, optional
        As in `inksight.train`. By default ``seconds`` with 20 epochs. With the network ``best`` it has the lowest
        error after few epochs.
    repeats : int
        Number of networks that judge each image.
    epochs : int, optional
        Epochs of each training. By default those of the recipe, or fewer if all trainings together would use more
        than two million images.
    seed : int
        For the folds and the trainings.
    extra : Dataset, optional
        More labeled images of the same classes. Every network is trained on them, and their labels are not judged.
        With them, a class of `data` may have fewer images than there are folds.
    checkpoint : Checkpoint, str or path-like, optional
        A folder in which the work is kept. The same call again resumes it; see `inksight.training.Checkpoint`.
    progress : bool
        Show on standard error how long it will take, which a short trial measures, and how many networks are trained.

    Returns
    -------
    DoubtfulLabels

    Raises
    ------
    InputError
        If there are no labels, there are fewer images than folds, or a class has too few images.
    KeyboardInterrupt
        On Ctrl-C, because some images would not have been judged yet.

    References
    ----------
    Northcutt, Athalye and Mueller, "Pervasive label errors in test sets destabilize machine learning benchmarks",
    NeurIPS Datasets and Benchmarks, 2021, found label errors in MNIST, among others.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:200]
    >>> result = doubtful_labels(data, 2, "4x5p,8x3", repeats=1, epochs=1)
    >>> result.networks, result.top(3).shape, bool(result.doubt[result.order[0]] == result.doubt.max())
    (2, (3,), True)
    """
    data = as_dataset(data, "all")
    labels = data.require_labels("finding doubtful labels")
    check(folds is None or is_count(folds, 2), "folds", folds, "2 or more")
    check(is_count(repeats), "repeats", repeats, "1 or more")
    check(is_count(seed, 0) and seed < 2**31, "seed", seed, "0 to 2**31 - 1")
    shape = get_network(network, classes=len(data.class_names))
    recipe = RECIPE if recipe is None else get_recipe(recipe)
    extra = _check_extra(extra, data)
    choice = range(2, 6) if folds is None else [folds]
    folds, affordable = plan_cross_validation(len(data), len(extra), repeats * recipe.passes, choice)
    epochs = min(affordable, recipe.epochs) if epochs is None else epochs
    _check_classes(data, folds, extra)

    from inksight.training.checkpoint import checkpointed, short_digest  # which drawing a result does not need
    from inksight.training.fitting import fit
    from inksight.training.pace import measure_pace

    first = first_duplicates(data.images)
    fold_of = np.stack([stratified_folds(labels, folds, [seed, repeat])[first] for repeat in range(repeats)])
    log_p = np.full((len(data), len(data.class_names)), -np.inf)
    seconds = 0.0
    trainings = [(repeat, fold) for repeat in range(repeats) for fold in range(folds)]
    if progress:
        pace = measure_pace(join(extra, data), shape, recipe, epochs=epochs)
        size = len(extra) + len(data) - len(data) // folds
        total = pace.trainings([(size, 0)] * len(trainings)) + repeats * len(data) * pace.judge_seconds
        say(f"training {len(trainings)} networks, {epochs} epochs each: {about(total)}")
    settings = {
        "work": "doubtful labels", "images": short_digest(data), "extra images": short_digest(extra), "folds": folds,
        "repeats": repeats, "seed": seed,
    }  # fmt: skip
    with checkpointed(checkpoint, settings) as part:
        for repeat, fold in track(trainings, "training networks", progress):
            judged = np.flatnonzero(fold_of[repeat] == fold)
            others = join(extra, data[fold_of[repeat] != fold])
            training_seed = int(np.random.SeedSequence([seed, repeat, fold]).generate_state(1)[0] >> 1)
            result = fit(
                Splits(others), shape, recipe, seed=training_seed, epochs=epochs, progress=False,
                checkpoint=part(f"repeat-{repeat + 1}-fold-{fold + 1}"),
            )  # fmt: skip
            if result.stopped == "interrupted":
                raise KeyboardInterrupt
            seconds += result.seconds
            log_p[judged] = np.logaddexp(log_p[judged], result.model.log_probabilities(data.images[judged]))
    log_p -= np.log(repeats)

    given = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    others_log_p = np.where(np.arange(log_p.shape[1]) == labels[:, None], -np.inf, log_p)
    doubt = others_log_p.max(axis=1) - given
    return DoubtfulLabels(
        name=data.name,
        class_names=data.class_names,
        images=data.images,
        labels=labels,
        suggested=others_log_p.argmax(axis=1),
        probabilities=np.exp(log_p),
        doubt=doubt,
        order=np.argsort(-doubt, kind="stable"),
        folds=fold_of,
        extra=len(extra),
        epochs=epochs,
        seconds=seconds,
    )


def write_table(result: DoubtfulLabels, path: str | os.PathLike[str]) -> None:
    """Write a CSV file with `DoubtfulLabels.rows` of every image, the most doubtful label first.

    A class name that a spreadsheet would run as a formula gets a single quote in front.
    """
    check(isinstance(result, DoubtfulLabels), "result", result, "what `inksight.doubtful_labels` returns")
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        write_rows(file, COLUMNS, (row.values() for row in result.rows(len(result.order))))


def _check_extra(extra: Dataset | None, data: Dataset) -> Dataset:
    """Return the extra images that are not in `data`; an empty dataset for None."""
    if extra is None:
        return data[:0]
    names = extra.class_names
    check(names == data.class_names, "classes of the extra images", names, f"those of the data, {data.class_names}")
    extra.require_labels("training on extra images")
    known = {image.tobytes() for image in data.images}
    return extra[np.array([image.tobytes() not in known for image in extra.images], bool)]


def _check_classes(data: Dataset, folds: int, extra: Dataset) -> None:
    check(len(data) >= folds, "number of images", len(data), f"at least {folds}, one per fold")
    for name, count, more in zip(data.class_names, data.counts, extra.counts, strict=True):
        if count < folds and not more:
            raise InputError(
                f"every class needs at least {folds} images, one per fold, got {count} of class {name!r}: "
                "add images or use fewer folds"
            )
