"""Robustness to corruptions: accuracy on MNIST's validation images under eleven corruptions in five severities.

Run: ``python -m benchmarks.robustness [MODEL] [IMAGES]``.

Data: the first 2,000 validation images of a shuffle with seed 0. MODEL must not have been trained on the validation
images; the default is the hold-out model (`benchmarks.common.holdout`).

Measured: accuracy on the corrupted images as they are, and after `inksight.prepare`. Nothing is claimed: the figures
are for comparing trainings.
"""

import sys
import time

from benchmarks.common import arguments
from benchmarks.common.data import mnist_without_test
from benchmarks.common.holdout import reading_model
from benchmarks.common.machine import describe
from inksight.inspection.corruption_robustness import robustness

IMAGES, SEED = 2000, 0


def main(model: str | None = None, images: int = IMAGES) -> int:
    """Print the accuracies; return 1 if the model was trained on the validation images."""
    splits = mnist_without_test()
    assert splits.validation is not None
    network, name = reading_model(model, splits)
    print(f"{describe('numpy', 'scipy')}\nmodel {name}")
    if "validation" in splits.seen_by(network.trained_on):
        print("this model was trained on the validation images: give another")
        return 1
    start = time.perf_counter()
    print(robustness(network, splits.validation, images=images, seed=SEED, prepare=True))
    print(f"{time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    images = arguments.positional(
        "images", f"number of images (default: {IMAGES})", type=arguments.at_least(1), default=IMAGES
    )
    sys.exit(arguments.run(main, __doc__, arguments.model(), images))
