"""Random search for the weights with which `inksight.read` cuts a line into digits.

Run: ``python -m benchmarks.tune_reading [MODEL] [--trials N] [--pages N] [--seed S]``.

Data: photos (`benchmarks.synthetic.pages`) with MNIST's training images 40,000 to 49,999, which the network does not
know: by default the network `best` is trained on the first 40,000, once, and kept in the user's cache. The validation
images are left for `benchmarks.page_reading`. A MODEL must not have been trained on the digits of the photos.

Each trial multiplies each present weight by a random factor, the exponential of a normal variate with standard
deviation 0.3, and counts the lines of all photos that are read without an error. All trials read the same photos. The
present weights are the first trial.

Printed: the best trials and the rank of the present weights. The best of many trials owes a part of its lead to chance,
so it is read once more, together with the present weights, on as many new photos; only those two counts compare fairly.
The weights are constants in `inksight.reading.lattice` and `inksight.reading.detection`: nothing is changed there.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.arguments import at_least
from benchmarks.common.data import mnist_without_test
from benchmarks.common.holdout import holdout_model
from benchmarks.common.machine import describe
from benchmarks.page_reading import lines_right
from benchmarks.synthetic.pages import Photo, compose
from inksight._shared.progress import track
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.reading import classification, detection, lattice, segmentation
from inksight.reading.reader import read

KNOWN_DIGITS = 40_000  # training images that the network is trained on; the photos show the others
TRIALS, PAGES, SEED = 200, 300, 0
SPREAD = 0.3  # standard deviation of the logarithm of a weight's random factor
SHOWN = 10  # trials in the ranking
WEIGHTS: tuple[tuple[ModuleType, str], ...] = (
    (lattice, "CONFIDENCE_WEIGHT"),
    (lattice, "ASPECT_WEIGHT"),
    (lattice, "ODDS_BIAS"),
    (lattice, "CUT_COST"),
    (lattice, "CROSSING_COST"),
    (lattice, "JOIN_COST"),
    (lattice, "SKIP_COST"),
    (detection, "MARGIN_THRESHOLD"),
    (detection, "MARGIN_WEIGHT"),
    (detection, "NEGATIVE_THRESHOLD"),
    (detection, "NEGATIVE_WEIGHT"),
)

Weights = tuple[float, ...]  # in the order of `WEIGHTS`


@dataclass(frozen=True)
class Trial:
    """Weights, and how many lines are read right with them."""

    weights: Weights
    lines_right: int


def present_weights() -> Weights:
    """Return the weights that `inksight.read` uses."""
    return tuple(float(getattr(module, name)) for module, name in WEIGHTS)


def draw_weights(trials: int, seed: int) -> list[Weights]:
    """Return the present weights, and `trials` - 1 random ones around them."""
    present = np.array(present_weights())
    factors = np.exp(np.random.default_rng([seed, 1]).normal(0, SPREAD, (trials - 1, len(present))))
    return [tuple(weights.tolist()) for weights in present * np.vstack([np.ones(len(present)), factors])]


@contextmanager
def using(weights: Weights) -> Iterator[None]:
    """Read with other weights."""
    with ExitStack() as stack:
        for (module, name), weight in zip(WEIGHTS, weights, strict=True):
            stack.enter_context(patch.object(module, name, weight))
        yield


@contextmanager
def remembering() -> Iterator[None]:
    """Compute once what does not depend on the weights: binarization, components, and the network's outputs.

    For one photo at a time. It makes a trial several times as fast.
    """
    # Arrays are not hashable. A page is binarized in two ways at most; `find_components` gets the results.
    steps = (
        (segmentation, "binarize", lambda grayscale, invert, colors: invert),
        (segmentation, "find_components", id),
        (detection, "assess", lambda model, images: images.tobytes()),
        (classification, "assess", lambda model, images: images.tobytes()),
    )
    with ExitStack() as stack:
        for module, name, key in steps:
            stack.enter_context(patch.object(module, name, _memoized(getattr(module, name), key)))
        yield


def _memoized(function: Callable[..., Any], key: Callable[..., Any]) -> Callable[..., Any]:
    results: dict[Any, tuple[Any, tuple[Any, ...]]] = {}

    def call(*arguments: Any) -> Any:
        name = key(*arguments)
        if name not in results:
            results[name] = function(*arguments), arguments  # keeps the arguments alive, so that an `id` stays theirs
        return results[name][0]

    return call


def count_lines(photo: Photo, model: Model, trials: Sequence[Weights]) -> list[int]:
    """Return how many lines of a photo are read right with each of some weights."""
    counts = []
    with remembering():
        for weights in trials:
            with using(weights):
                text = read(photo.image, model).text
            counts.append(sum(lines_right(photo.lines, tuple(text.split("\n")))))
    return counts


def search(digits: Dataset, model: Model, trials: Sequence[Weights], seeds: Sequence[int]) -> tuple[list[Trial], int]:
    """Return the trials, in order, and the number of lines, on the photos of some seeds."""
    totals, lines = np.zeros(len(trials), np.int64), 0
    for seed in track(seeds, "reading photos"):
        photo = compose(digits, seed)
        totals += count_lines(photo, model, trials)
        lines += len(photo.lines)
    return [Trial(weights, int(total)) for weights, total in zip(trials, totals, strict=True)], lines


def table(trials: Sequence[Trial], lines: int) -> str:
    """Return the ranking of trials, whose first has the present weights; trials with the same count share a rank."""
    ranked = sorted(trials, key=lambda trial: -trial.lines_right)
    names = [name for _, name in WEIGHTS]
    rows = [" ".join(["rank", " lines right", *names])]
    for trial in dict.fromkeys((*ranked[:SHOWN], trials[0])):
        rank = 1 + sum(other.lines_right > trial.lines_right for other in trials)
        weights = [f"{weight:{len(name)}.3g}" for name, weight in zip(names, trial.weights, strict=True)]
        present = "  (present)" if trial is trials[0] else ""
        rows.append(f"{rank:4} {trial.lines_right:5} {trial.lines_right / lines:6.2%} {' '.join(weights)}{present}")
    return "\n".join(rows)


def main(model: str | None = None, trials: int = TRIALS, pages: int = PAGES, seed: int = SEED) -> int:
    """Print the ranking, and the best and the present weights on new photos; nothing is claimed, so return 0."""
    splits = mnist_without_test()
    digits = splits.train[KNOWN_DIGITS:]
    network = load_model(model) if model else holdout_model(Splits(splits.train[:KNOWN_DIGITS], splits.validation))
    print(describe("numpy", "scipy", "pillow"))
    print(f"model {model or 'trained on 40,000 images'}; {trials} trials, {pages} photos, seed {seed}")
    first = 2 * pages * seed
    found, lines = search(digits, network, draw_weights(trials, seed), range(first, first + pages))
    print(table(found, lines))
    share = found[0].lines_right / lines
    print(f"{lines} lines; one standard error is {np.sqrt(share * (1 - share) * lines):.1f} lines")
    best = max(found, key=lambda trial: trial.lines_right)
    new, lines = search(digits, network, [found[0].weights, best.weights], range(first + pages, first + 2 * pages))
    print(f"on {lines} new lines: present weights {new[0].lines_right} right, best trial {new[1].lines_right}")
    return 0


if __name__ == "__main__":
    options = (
        arguments.model(),
        arguments.option("trials", f"trials (default: {TRIALS})", type=at_least(1), default=TRIALS, metavar="N"),
        arguments.option("pages", f"photos (default: {PAGES})", type=at_least(1), default=PAGES, metavar="N"),
        arguments.option(
            "seed", f"of photos and weights (default: {SEED})", type=at_least(0), default=SEED, metavar="S"
        ),
    )
    sys.exit(arguments.run(main, __doc__, *options))
