"""Accuracy of `inksight.read` on numbers on checks, forms, ruled and squared paper, on composed scans.

Run: ``python -m benchmarks.forms [MODEL] [COUNT]``.

Data: for each kind, 100 scans (`benchmarks.synthetic.forms`) of a number of two or three of MNIST's validation digits,
150 to 600 pixels wide. Kinds of checks: fine wavy lines, line and dot screens, gradients, printed text, and an
underline by hand that touches the digits; half of their numbers end in ``.-``, ``,`` or ``.``. Kinds of forms: ruled
and squared paper, a dotted line, a row of boxes, and boxes that the digits touch. All are scanned a little askew, with
blur, noise and JPEG.

The default, `reader`, was not trained on these digits, though its temperature and threshold were set on them. The other
models that ship were: with them, the figures say how a pattern or a line is survived, not how new handwriting is read.

Measured: the share of numbers read right, read wrong, and refused, where a rejected digit refuses its number.
"""

import sys
from collections import Counter

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.data import mnist_without_test
from benchmarks.common.machine import describe
from benchmarks.synthetic.forms import KINDS, compose
from inksight._shared.progress import track
from inksight.nn.ensemble_file import Classifier, load_classifier
from inksight.reading.reader import read

COUNT = 100  # scans of each kind
FIRST_SEED = 700_000
OUTCOMES = ("right", "wrong", "refused")
CLAIMS = {"numbers right": Claim(0.85, "{:.0%}")}


def outcome(number: str, text: str) -> str:
    """Return which of `OUTCOMES` the reading of a number is.

    Examples
    --------
    >>> outcome("203", "203"), outcome("203", "2031"), outcome("203", "2?3")
    ('right', 'wrong', 'refused')
    """
    return "right" if text == number else "refused" if "?" in text else "wrong"


def main(model: str | None = None, count: int = COUNT) -> int:
    """Print a table of the kinds; return 1 if a claim does not hold."""
    digits = mnist_without_test().validation
    assert digits is not None
    classifier: Classifier = load_classifier(model or "reader")
    print(f"{describe('numpy', 'scipy', 'pillow')}\nmodel: {model or 'reader'}; {count} numbers of each kind")
    scans = [(kind, seed) for kind in KINDS for seed in range(FIRST_SEED, FIRST_SEED + count)]
    found: Counter[tuple[str, str]] = Counter()
    for kind, seed in track(scans, "reading forms"):
        form = compose(digits, kind, seed)
        found[kind, outcome(form.number, read(form.image, classifier).text)] += 1
    print("| kind | right | wrong | refused |\n|---|---:|---:|---:|")
    for kind in KINDS:
        print(f"| {kind} | " + " | ".join(f"{found[kind, name] / count:.0%}" for name in OUTCOMES) + " |")
    claim = CLAIMS["numbers right"]
    share = sum(found[kind, "right"] for kind in KINDS) / len(scans)
    print(f"\nnumbers right: {share:.1%} of {len(scans):,} ({claim.verdict(share)})")
    return int(not claim.holds(share))


if __name__ == "__main__":
    count = arguments.positional(
        "count", f"scans of each kind (default: {COUNT})", type=arguments.at_least(1), default=COUNT
    )
    sys.exit(arguments.run(main, __doc__, arguments.model(), count))
