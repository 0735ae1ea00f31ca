"""What teaching a model a hand does: invented hands and MNIST's validation digits, read before and after.

Run as ``python -m benchmarks.teach [SEEDS]``. A hand is invented by rewriting MNIST's digits (``benchmarks/hands.py``):
a few training digits of each class are what is taught, validation digits in the same hand, which no model here has
seen in any form but as MNIST's, are what is read. The model to start from was trained on the 50,000 training images
alone, so that the 10,000 validation images are new to it; beside it the one that ships, which knows them. Seconds
are those of ``inksight.teach`` with all it does, the held-out check and compiling too. The recipe was chosen on three of these
hands, "narrow", "continental" and "leaning back", and the first validation digits; others are read here.
"""

import sys

import numpy as np

from benchmarks.hands import HANDS, write
from benchmarks.machine import describe
from inksight.data.dataset import Dataset
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.training.fine_tuning import teach
from inksight.training.fit import train

CLAIMS = {"errors left": 0.6, "points lost": 0.1, "seconds": 15.0}  # at most; means, but for the points: the most
EPOCHS = 20  # of the model to start from
PICTURES = 5  # of each class
READ = slice(5000, 6000)  # validation digits, in the same hand: others than the recipe was chosen on


def taught_on(train: Dataset, seed: int) -> Dataset:
    """Return `PICTURES` digits of each class, another choice for each seed."""
    rng, labels = np.random.default_rng([seed, 7]), train.require_labels("teaching")
    rows = [rng.permutation(np.flatnonzero(labels == digit))[:PICTURES] for digit in range(10)]
    return train[np.concatenate(rows)]


def measure(start: Model, splits: Splits, seeds: int) -> dict[str, float]:
    """Print a line a hand, and return what is claimed about."""
    validation = splits.validation
    assert validation is not None
    left, lost, seconds = [], [], []
    for name, hand in HANDS.items():
        unseen, before, after, kept = write(validation[READ], hand), 0.0, [], []
        before = float((start.predict(unseen.images) == unseen.labels).mean())
        for seed in range(seeds):
            found = teach(write(taught_on(splits.train, seed), hand), start, splits, seed=seed, progress=False)
            after.append(float((found.model.predict(unseen.images) == unseen.labels).mean()))
            kept.append(100 * (found.validation_before - found.validation_after))
            seconds.append(found.seconds)
        left.append((1 - np.mean(after)) / (1 - before))
        lost += kept
        print(
            f"  {name:24} {before:.1%} -> {np.mean(after):.1%} (sd {np.std(after):.1%}); "
            f"MNIST's validation digits {found.validation_before:.2%}, {np.mean(kept):+.3f} points lost",
            flush=True,
        )
    return {"errors left": float(np.mean(left)), "points lost": max(lost), "seconds": float(np.mean(seconds))}


def main(seeds: int = 3) -> int:
    """Print what teaching does; return 1 if a claim does not hold."""
    splits, failed = load("mnist").split(), False
    fresh = train(Splits(splits.train, splits.validation), "best", "best", epochs=EPOCHS, progress=False)
    print(f"{describe('jax', 'numpy', 'scipy')}; {PICTURES} pictures a digit, 1,000 read, {seeds} seeds")
    for title, start in (("trained on 50,000 images", fresh), ("best, which ships", load_model("best"))):
        print(title)
        for what, value in measure(start, splits, seeds).items():
            holds = value <= CLAIMS[what] + 1e-9
            failed |= not holds
            print(f"  {what}: {value:.3g} (claimed: {CLAIMS[what]:g} at most{'' if holds else ', NOT HELD'})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
