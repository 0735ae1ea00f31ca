"""Out-of-distribution detection: how well `inksight.ood_score` separates digits from other pictures.

Run: ``python -m benchmarks.ood_detection [MODEL]``.

Data: MNIST's 10,000 validation digits, and 500 pictures of each kind of `benchmarks.synthetic.non_digits`, prepared as
`inksight.read` prepares them. MODEL must not have been trained on the validation digits; the default is the hold-out
model (`benchmarks.common.holdout`).

Measured: the area under the receiver operating characteristic (AUROC), which is the probability that a random picture
of the kind scores higher than a random digit. A picture in which `prepare` finds nothing to read scores infinity. Then
the share of pictures rejected: as a single picture, and on a line with digits, where the threshold is higher. Letters
that many people write like a digit are listed apart and not counted: nobody can reject a single O and accept every 0.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.data import mnist_without_test
from benchmarks.common.holdout import reading_model
from benchmarks.common.machine import describe
from benchmarks.synthetic.non_digits import DIGIT_LIKE_LETTERS, KINDS, printed_letter
from inksight.imaging.preprocessing import prepare_grayscale
from inksight.nn.model import Model
from inksight.nn.ood import ood_score
from inksight.reading.classification import LINE_MARGIN

COUNT = 500  # pictures of each kind
CLAIMS = {"all kinds": Claim(0.98)}  # AUROC

Scores = NDArray[np.float64]


def scores(model: Model, pictures: list[NDArray[np.float64]]) -> Scores:
    """Return the out-of-distribution scores of pictures, (n,); infinity where there is nothing to read."""
    prepared = [prepare_grayscale(picture) for picture in pictures]
    ood_scores = ood_score(model, np.stack([digit.image for digit in prepared]))
    return np.where([bool(digit.problem) for digit in prepared], np.inf, ood_scores)


def auroc(digits: Scores, others: Scores) -> float:
    """Return the area under the receiver operating characteristic, digits being the negatives."""
    finite = np.where(np.isfinite(others), others, 1e9)
    is_other = np.repeat([0, 1], [len(digits), len(finite)])
    return float(roc_auc_score(is_other, np.concatenate([digits, finite])))


def report(kind: str, digits: Scores, others: Scores, threshold: float) -> float:
    """Print a line about one kind of pictures and return its AUROC."""
    area = auroc(digits, others)
    alone, on_line = (np.mean(others > threshold + extra) for extra in (0, LINE_MARGIN))
    claim = f" ({CLAIMS[kind].verdict(area)})" if kind in CLAIMS else ""
    print(
        f"{kind}: {area:.4f}{claim}, {alone:.1%} of {len(others):,} rejected, {on_line:.1%} on a line with digits",
        flush=True,
    )
    return area


def main(model: str | None = None) -> int:
    """Print AUROC and rejections by kind; return 1 if a claim does not hold."""
    splits = mnist_without_test()
    assert splits.validation is not None
    network, name = reading_model(model, splits)
    if network.ood_detector is None:
        raise SystemExit(f"{name} has no out-of-distribution detector: train it with validation images")
    threshold = network.ood_detector.threshold
    digits = ood_score(network, splits.validation.images)
    print(f"{describe('numpy', 'scipy')}; model {name}")
    print(f"digits: {np.mean(digits <= threshold):.2%} of {len(digits):,} accepted")
    by_kind: dict[str, Scores] = {}
    for kind, draw in KINDS.items():
        rng = np.random.default_rng([7, *kind.encode()])
        by_kind[kind] = scores(network, [draw(rng) for _ in range(COUNT)])
        report(kind, digits, by_kind[kind], threshold)
    area = report("all kinds", digits, np.concatenate(list(by_kind.values())), threshold)
    rng = np.random.default_rng(8)
    digit_like = scores(network, [printed_letter(rng, DIGIT_LIKE_LETTERS) for _ in range(COUNT)])
    report("letters written like digits, not counted", digits, digit_like, threshold)
    return int(not CLAIMS["all kinds"].holds(area))


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__, arguments.model()))
