"""Digits of other origins, read by a model that was trained on MNIST alone.

Run as ``python -m benchmarks.other_hands [SEMEION]``. The 1,797 digits of 8x8 that come with scikit-learn (Alpaydin and
Kaynak, "Optical recognition of handwritten digits", UCI, 1998) and, if its file is named, Semeion's 1,593 digits of
16x16 in black and white (Tactile Srl, Brescia, "Semeion handwritten digit", UCI, 1994; ``semeion.data``) are read by
``inksight.read``. No label of either was used to choose anything. ``accept_all``: an unsure digit counts as what it was
taken for.
"""

import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from benchmarks.machine import describe
from inksight.nn.model_file import load_model
from inksight.reading.reader import read

CLAIMS = {"scikit-learn's 8x8": 0.95, "Semeion": 0.94}  # accuracy at least


def sources(semeion: str | None) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Return images 0..1, ink high, and labels, by name."""
    small = load_digits()
    found = {"scikit-learn's 8x8": (small.images / 16, small.target.astype(np.int64))}
    if semeion:
        table = np.loadtxt(Path(semeion))
        found["Semeion"] = (table[:, :256].reshape(-1, 16, 16), table[:, 256:].argmax(axis=1))
    return found


def main(semeion: str | None = None, name: str = "best") -> int:
    """Print the accuracy on each source; return 1 if a claim does not hold."""
    model, failed = load_model(name), False
    print(f"{describe('numpy', 'scipy')}; model {name}")
    for source, (images, labels) in sources(semeion).items():
        began = time.perf_counter()
        found = read(list(images), model, accept_all=True)
        took = time.perf_counter() - began
        right = np.mean([str(reading) == str(label) for reading, label in zip(found, labels, strict=True)])
        refused = sum(reading.digit is None for reading in found)
        claim = CLAIMS[source]
        failed |= bool(right < claim)
        verdict = f"claimed: {claim:.0%}" + ("" if right >= claim else ", NOT HELD")
        print(
            f"{source}: {right:.2%} of {len(images):,} read right ({verdict}), "
            f"{refused} refused, {1e6 * took / len(images):.0f} microseconds each"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
