"""Ensembles: validation accuracy of averaged probabilities against that of single networks.

Run: ``python -m benchmarks.ensemble [SEEDS] [--recipe RECIPE]``.

Data: MNIST's 50,000 training images to train on, 10,000 to validate. The network `post` is trained once per seed.

Measured: for each number of members, the mean accuracy over all ensembles of so many of the networks. Ensembles share
networks, so the standard deviation over them is not an error of the mean. Nothing is timed.
"""

import sys
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.data import mnist_without_test
from benchmarks.common.machine import describe
from inksight.training.fitting import train

MEMBERS = (1, 2, 3, 5)
GAIN = Claim(0.05, "{:g} points")  # of the largest ensembles over single networks


def accuracies(probabilities: Sequence[NDArray[np.float32]], labels: NDArray[np.int64], members: int) -> list[float]:
    """Return the accuracy of each ensemble of so many of the networks, given the probabilities of each network."""
    groups = combinations(probabilities, members)
    return [float((np.mean(group, axis=0).argmax(axis=1) == labels).mean()) for group in groups]


def main(seeds: int = 10, recipe: str = "seconds") -> int:
    """Train the networks and print a line per number of members; return 1 if the claim does not hold."""
    splits = mnist_without_test()
    assert splits.validation is not None
    labels = splits.validation.require_labels("measuring ensembles")
    print(f"{describe('numpy')}; network post, recipe {recipe}, {seeds} seeds, 10,000 validation images")
    models = [train(splits, "post", recipe, seed=seed, progress=False) for seed in range(seeds)]
    probabilities = [model.probabilities(splits.validation.images) for model in models]
    means = {}
    for members in (number for number in MEMBERS if number <= seeds):
        found = accuracies(probabilities, labels, members)
        means[members] = float(np.mean(found))
        print(f"{members} of {seeds}: {means[members]:.2%} (lowest {min(found):.2%}, highest {max(found):.2%})")
    gain = 100 * (means[max(means)] - means[1])
    print(f"{max(means)} networks instead of 1: {gain:+.2f} points ({GAIN.verdict(gain)})")
    return int(not GAIN.holds(gain))


if __name__ == "__main__":
    recipe = arguments.option("recipe", "recipe of the trainings (default: seconds)", default="seconds")
    sys.exit(arguments.run(main, __doc__, arguments.seeds(10), recipe))
