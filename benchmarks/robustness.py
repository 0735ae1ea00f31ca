"""How accuracy falls as digits are changed: eleven ways, each in five strengths, on MNIST's validation images.

Run as ``python -m benchmarks.robustness [MODEL [IMAGES]]``. MODEL is a model file whose training left the validation
images out; without one, the network ``best`` is trained by the recipe of that name on the 50,000 training images, seed
0. The first 2,000 images of a shuffle by seed 0 are read as each change leaves them, and once more after
`inksight.prepare`. Nothing is claimed: it is to compare trainings by. No test image is read.
"""

import sys
import time

from benchmarks.machine import describe
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.inspection.corruption_robustness import robustness
from inksight.nn.model_file import load_model
from inksight.training.fit import fit

NETWORK, RECIPE, SEED = "best", "best", 0


def main(name: str | None = None, images: int = 2000) -> int:
    """Print the accuracies; return 1 if the model was trained on the images it would be tried on."""
    print(describe("numpy", "scipy"))
    known = load("mnist").split()
    splits = Splits(known.train, known.validation, None)
    assert splits.validation is not None
    if name is None:
        result = fit(splits, NETWORK, RECIPE, seed=SEED, progress=False)
        model = result.model
        print(f"network {NETWORK}, recipe {RECIPE}, seed {SEED}: {result.seconds:.0f} s of training on 50,000 images")
    else:
        model = load_model(name)
        print(f"model {name}")
    if "validation" in splits.seen_by(model.trained_on):
        print("the model was trained on the validation images: give another")
        return 1
    began = time.perf_counter()
    print(robustness(model, splits.validation, images=images, seed=SEED, prepare=True))
    print(f"{time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2], *map(int, sys.argv[2:3])))
