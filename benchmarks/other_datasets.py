"""Accuracy of `inksight.read` on other datasets of digits than MNIST.

Run: ``python -m benchmarks.other_datasets [SEMEION] [MODEL]``.

Data: the 1,797 digits of 8x8 pixels that come with scikit-learn (Alpaydin and Kaynak, "Optical recognition of
handwritten digits", UCI, 1998). If the file ``semeion.data`` is given, also Semeion's 1,593 binary digits of 16x16
pixels (Tactile Srl, Brescia, "Semeion handwritten digit", UCI, 1994). No label of either was used to choose anything.

Measured: the share read right by a model trained on MNIST alone, `best` by default, with ``accept_all`` (digits are
never rejected). Microseconds are those of one call of ``inksight.read`` for the whole dataset, divided by its size.
"""

import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from inksight.nn.model_file import load_model
from inksight.reading.reader import read

MODEL = "best"
CLAIMS = {"scikit-learn's 8x8": Claim(0.95, "{:.0%}"), "Semeion": Claim(0.94, "{:.0%}")}  # accuracy


def datasets(semeion: str | None) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Return images (n, side, side) in 0..1, high = ink, and labels (n,) of each dataset."""
    digits = load_digits()
    found = {"scikit-learn's 8x8": (digits.images / 16, digits.target.astype(np.int64))}
    if semeion:
        table = np.loadtxt(Path(semeion))
        found["Semeion"] = (table[:, :256].reshape(-1, 16, 16), table[:, 256:].argmax(axis=1))
    return found


def main(semeion: str | None = None, model: str = MODEL) -> int:
    """Print the accuracy on each dataset; return 1 if a claim does not hold."""
    network, failed = load_model(model), False
    print(f"{describe('numpy', 'scipy')}; model {model}")
    for name, (images, labels) in datasets(semeion).items():
        start = time.perf_counter()
        pages = list(read(list(images), network, accept_all=True))
        seconds = time.perf_counter() - start
        accuracy = float(np.mean([str(page) == str(label) for page, label in zip(pages, labels, strict=True)]))
        rejected = sum(page.digit is None for page in pages)
        failed |= not CLAIMS[name].holds(accuracy)
        print(
            f"{name}: {accuracy:.2%} of {len(images):,} read right ({CLAIMS[name].verdict(accuracy)}), "
            f"{rejected} rejected, {1e6 * seconds / len(images):.0f} microseconds each"
        )
    return int(failed)


if __name__ == "__main__":
    semeion = arguments.positional("semeion", "the file semeion.data (default: Semeion is left out)", default=None)
    sys.exit(arguments.run(main, __doc__, semeion, arguments.model(MODEL)))
