"""Doubtful labels: images whose given label is disbelieved by networks that never saw them."""

import csv
import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.display import Display
from inksight._shared.files import replacing
from inksight._shared.progress import track
from inksight._shared.validation import check, is_count
from inksight.config import RECIPES, Network, Recipe, get_network, get_recipe
from inksight.data.dataset import Dataset, join
from inksight.data.folds import first_duplicates, plan_cross_validation, stratified_folds
from inksight.data.splits import Splits
from inksight.errors import InputError

PRINTED = 20
RECIPE = replace(RECIPES["seconds"], epochs=20)  # which errs least after few epochs
COLUMNS = ("row", "given", "suggested", "doubt", "p_given", "p_suggested")


@dataclass(frozen=True, eq=False, repr=False)
class DoubtfulLabels(Display):
    """What networks make of the labels of n images, none of which they were trained on.

    Parameters
    ----------
    name : str
        Of the images.
    class_names : tuple of str
    images : (n, 28, 28) uint8
    labels : (n,) int64
        As given.
    suggested : (n,) int64
        The most probable class other than the given one.
    probabilities : (n, classes) float64, 0..1
        Mean over the networks that judged the image.
    doubt : (n,) float64, in nats
        Logarithm of how many times as probable as the given label the suggested one is; above 0 the networks
        disbelieve the given one.
    order : (n,) int64
        Rows, the most doubtful first.
    folds : (repeats, n) int64
        Which fold an image lay in: the network that judged it was trained on the other folds, and on what was beside.
    extra : int
        Images that all networks were trained on and that were not judged.
    epochs : int
        Of each training.
    seconds : float
        Spent on training steps, all networks together.
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
    def disbelieved(self) -> int:
        """Number of images for which another class is more probable than the given one."""
        return int((self.doubt > 0).sum())

    @property
    def networks(self) -> int:
        """Number of networks trained."""
        return len(self.folds) * int(self.folds.max() + 1)

    def top(self, n: int) -> NDArray[np.int64]:
        """Return the rows of the `n` most doubtful images (fewer if there are fewer), the most doubtful first."""
        check(is_count(n, 0), "top", n, "0 or more")
        return self.order[:n]

    def rows(self, n: int) -> list[dict[str, Any]]:
        """Return row, given and suggested label, doubt and both probabilities of the `n` most doubtful images."""
        top = self.top(n)
        given, suggested = self.labels[top], self.suggested[top]
        columns = (
            top.tolist(),
            [self.class_names[label] for label in given],
            [self.class_names[label] for label in suggested],
            self.doubt[top].tolist(),
            self.probabilities[top, given].tolist(),
            self.probabilities[top, suggested].tolist(),
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]

    def __repr__(self) -> str:
        return f"DoubtfulLabels({self.name!r}, {self.disbelieved:,} of {len(self.labels):,} labels disbelieved)"

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.disbelieved:,} of {len(self.labels):,} labels disbelieved by networks that never saw "
            f"their images ({self.networks} networks, {self.seconds:.1f} s of training)",
            "",
            f"{'row':>8}{'given':>11}{'suggested':>11}{'p(given)':>10}{'p(suggested)':>14}",
        ]
        lines += [
            f"{row['row']:>8}{row['given']:>11.10}{row['suggested']:>11.10}"
            f"{row['p_given']:>10.2%}{row['p_suggested']:>14.2%}"
            for row in self.rows(PRINTED)
        ]
        return "\n".join(lines)

    def to_dict(self, top: int = 100) -> dict[str, Any]:
        """Return plain JSON values: figures of all images, and the `top` most doubtful ones."""
        return {
            "data": self.name,
            "n": len(self.labels),
            "disbelieved": self.disbelieved,
            "repeats": len(self.folds),
            "networks": self.networks,
            "extra": self.extra,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "class_names": list(self.class_names),
            "labels": self.rows(top),
        }


def doubtful_labels(
    data: Dataset,
    folds: int | None = None,
    network: str | Network = "best",
    recipe: str | Recipe | None = None,
    *,
    repeats: int = 3,
    epochs: int | None = None,
    seed: int = 0,
    extra: Dataset | None = None,
    progress: bool = True,
) -> DoubtfulLabels:
    """Rank images by how much networks that were not trained on them disbelieve their labels.

    Cross-validation: the images are dealt into folds, and those of each fold are judged by a network trained on
    the others; all this `repeats` times, dealt anew. Probabilities are averaged over the repeats, so that no
    single network has an image condemned, and ranked by the margin between the given label's and the best other's,
    as Northcutt, Jiang and Chuang do ("Confident learning", JAIR 70, 2021), in logarithms, where those near 0 and 1
    still differ. Images that are alike to the last pixel share a fold, and are left out of `extra`.

    Parameters
    ----------
    data : Dataset
        Labelled, at least `folds` images of each class.
    folds : int, optional
        2 or more. By default 5, but fewer where trainings would otherwise be short of five epochs. Even with many
        images beside there are two: those judged are learned from too, in turns, for they may be by hands of their own.
    network : str or Network
    recipe : str or Recipe, optional
        As `inksight.train` takes them. By default those that err least after few epochs: the network ``best``, and the
        recipe ``seconds`` with 20 epochs.
    repeats : int
    epochs : int, optional
        Of each training. By default the recipe's, but fewer where all trainings together would take more than two
        million images, which is about a minute on two cores.
    seed : int
        Of the folds and the trainings.
    extra : Dataset, optional
        More labelled images of the same classes: every network is trained on them, and they are not judged. With
        them a class of `data` may have fewer images than there are folds.
    progress : bool
        Show how many networks are trained, on standard error.

    Returns
    -------
    DoubtfulLabels

    Raises
    ------
    InputError
        If there are no labels, fewer images than folds, or a class has too few.
    KeyboardInterrupt
        On Ctrl-C: a ranking by half of the networks would not be one.

    References
    ----------
    Northcutt, Athalye and Mueller, "Pervasive label errors in test sets destabilize machine learning benchmarks",
    NeurIPS Datasets and Benchmarks, 2021, found such labels in MNIST, among others.

    Examples
    --------
    >>> import inksight
    >>> data = inksight.load("mnist")[:200]
    >>> found = doubtful_labels(data, 2, "4x5p,8x3", repeats=1, epochs=1)
    >>> found.networks, found.top(3).shape, bool(found.doubt[found.order[0]] == found.doubt.max())
    (2, (3,), True)
    """
    labels = data.require_labels("finding doubtful labels")
    check(folds is None or is_count(folds, 2), "folds", folds, "2 or more")
    check(is_count(repeats), "repeats", repeats, "1 or more")
    check(is_count(seed, 0) and seed < 2**31, "seed", seed, "0 to 2**31 - 1")
    shape = get_network(network, classes=len(data.class_names))
    recipe = RECIPE if recipe is None else get_recipe(recipe)
    extra = _without(extra, data)
    choice = range(2, 6) if folds is None else [folds]
    folds, fitting = plan_cross_validation(len(data), len(extra), repeats * recipe.passes, choice)
    epochs = min(fitting, recipe.epochs) if epochs is None else epochs
    _check_classes(data, folds, extra)

    from inksight.training.fit import fit  # brings JAX, which pictures of results do without

    alike = first_duplicates(data.images)
    dealt = np.stack([stratified_folds(labels, folds, [seed, repeat])[alike] for repeat in range(repeats)])
    log_p = np.full((len(data), len(data.class_names)), -np.inf)
    seconds = 0.0
    trainings = [(repeat, fold) for repeat in range(repeats) for fold in range(folds)]
    for repeat, fold in track(trainings, "training networks", progress):
        judged = np.flatnonzero(dealt[repeat] == fold)
        others = join(extra, data[dealt[repeat] != fold])
        own_seed = int(np.random.SeedSequence([seed, repeat, fold]).generate_state(1)[0] >> 1)
        done = fit(Splits(others), shape, recipe, seed=own_seed, epochs=epochs, progress=False)
        if done.stopped == "interrupted":
            raise KeyboardInterrupt
        seconds += done.seconds
        log_p[judged] = np.logaddexp(log_p[judged], done.model.log_probabilities(data.images[judged]))
    log_p -= np.log(repeats)

    own = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    rest = np.where(np.arange(log_p.shape[1]) == labels[:, None], -np.inf, log_p)
    doubt = rest.max(axis=1) - own
    return DoubtfulLabels(
        name=data.name,
        class_names=data.class_names,
        images=data.images,
        labels=labels,
        suggested=rest.argmax(axis=1),
        probabilities=np.exp(log_p),
        doubt=doubt,
        order=np.argsort(-doubt, kind="stable"),
        folds=dealt,
        extra=len(extra),
        epochs=epochs,
        seconds=seconds,
    )


def write_table(found: DoubtfulLabels, path: str | os.PathLike[str]) -> None:
    """Write row, labels, doubt and probabilities of every image as CSV, the most doubtful first."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        rows.writeheader()
        rows.writerows(found.rows(len(found.order)))


def _without(extra: Dataset | None, data: Dataset) -> Dataset:
    """Return those of the `extra` images that `data` does not have, and none if there are none."""
    if extra is None:
        return data[:0]
    names = extra.class_names
    check(names == data.class_names, "classes of the extra images", names, f"those of the data, {data.class_names}")
    extra.require_labels("training on extra images")
    known = {image.tobytes() for image in data.images}
    return extra[np.array([image.tobytes() not in known for image in extra.images], bool)]


def _check_classes(data: Dataset, folds: int, extra: Dataset) -> None:
    check(len(data) >= folds, "number of images", len(data), f"at least {folds}, one a fold")
    for name, count, more in zip(data.class_names, data.counts, extra.counts, strict=True):
        if count < folds and not more:
            raise InputError(
                f"every class needs at least {folds} images, one a fold, got {count} of class {name!r}: "
                "add some, or take fewer folds"
            )
