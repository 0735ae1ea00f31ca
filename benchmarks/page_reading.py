"""Accuracy of `inksight.read` on whole lines of digits, on composed photos.

Run: ``python -m benchmarks.page_reading [MODEL] [PHOTOS]``.

Data: 300 photos (`benchmarks.synthetic.pages`) with 4 to 12 of MNIST's validation digits each. The models that ship
were trained on those digits; the default is the hold-out model (`benchmarks.common.holdout`), which was not. The
weights of `inksight.reading.lattice` and `inksight.reading.detection` were chosen on photos of training digits
(`benchmarks.tune_reading`).

Measured: the share of lines read without any error. A rejected digit makes its line wrong; a missing or an extra line
makes all lines of the photo wrong. The same with ``accept_all``, where digits are never rejected; the share of lines
with the right number of digits; the share of digits read right. Milliseconds are those of ``inksight.read`` on an image
in memory.
"""

import sys
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.data import mnist_without_test
from benchmarks.common.holdout import reading_model
from benchmarks.common.machine import describe
from benchmarks.synthetic.pages import Photo, compose
from inksight._shared.progress import track
from inksight.nn.model import Model
from inksight.reading.reader import read

PHOTOS = 300
CLAIMS = {"whole lines right": Claim(0.95, "{:.0%}")}
FIRST_SEED = 900_000
SKEW_GROUPS = 4.0  # degrees: results are also given apart for photos with less and with more skew

Lines = tuple[str, ...]


@dataclass(frozen=True)
class PhotoReading:
    """What was read on a photo, with rejected digits as ``?`` and, as `accepted`, without rejecting any."""

    photo: Photo
    read: Lines
    accepted: Lines
    milliseconds: float


def read_photo(photo: Photo, model: Model) -> PhotoReading:
    """Read a photo with and without rejection; the first is timed."""
    start = time.perf_counter()
    page = read(photo.image, model)
    seconds = time.perf_counter() - start
    accepted = read(photo.image, model, accept_all=True)
    return PhotoReading(photo, tuple(page.text.split("\n")), tuple(accepted.text.split("\n")), 1000 * seconds)


def lines_right(written: Lines, read: Lines) -> list[bool]:
    """Return for each written line whether it was read right; all are wrong if the number of lines differs."""
    if len(written) != len(read):
        return [False] * len(written)
    return [expected == actual for expected, actual in zip(written, read, strict=True)]


def digits_right(written: Lines, read: Lines) -> list[bool]:
    """Return for each written digit whether it was read right; all of a line are wrong if its length differs."""
    right = []
    for number, expected in enumerate(written):
        actual = read[number] if len(read) == len(written) else ""
        if len(actual) == len(expected):
            right += [a == b for a, b in zip(expected, actual, strict=True)]
        else:
            right += [False] * len(expected)
    return right


def lengths_right(written: Lines, read: Lines) -> list[bool]:
    """Return for each written line whether as many digits were read."""
    return lines_right(tuple("." * len(line) for line in written), tuple("." * len(line) for line in read))


def groups(photo: Photo) -> tuple[str, str, str]:
    """Return the groups that a photo is counted in."""
    skew = f"turned by {'more' if abs(photo.skew) > SKEW_GROUPS else 'less'} than {SKEW_GROUPS:.0f} degrees"
    return photo.paper, skew, "touching digits" if photo.touching else "digits apart"


def main(model: str | None = None, photos: int = PHOTOS) -> int:
    """Print the shares read right; return 1 if a claim does not hold."""
    splits = mnist_without_test()
    assert splits.validation is not None
    network, name = reading_model(model, splits)
    print(f"{describe('numpy', 'scipy', 'pillow')}\nmodel: {name}")
    seeds = range(FIRST_SEED, FIRST_SEED + photos)
    readings = [read_photo(compose(splits.validation, seed), network) for seed in track(seeds, "reading photos")]
    lines = [right for reading in readings for right in lines_right(reading.photo.lines, reading.read)]
    accepted = [right for reading in readings for right in lines_right(reading.photo.lines, reading.accepted)]
    digits = [right for reading in readings for right in digits_right(reading.photo.lines, reading.read)]
    lengths = [right for reading in readings for right in lengths_right(reading.photo.lines, reading.read)]
    claim, share = CLAIMS["whole lines right"], float(np.mean(lines))
    print(
        f"whole lines right: {share:.2%} of {len(lines):,} on {len(readings)} photos "
        f"({claim.verdict(share)}), {np.mean(accepted):.2%} with accept_all\n"
        f"lines with the right number of digits: {np.mean(lengths):.2%}\n"
        f"digits right: {np.mean(digits):.2%} of {len(digits):,}"
    )
    by_group: dict[str, list[bool]] = defaultdict(list)
    for reading in readings:
        for group in groups(reading.photo):
            by_group[group] += lines_right(reading.photo.lines, reading.read)
    for group, right in sorted(by_group.items()):
        print(f"  {group}: {np.mean(right):.2%} of {len(right)} lines")
    milliseconds = [reading.milliseconds for reading in readings]
    pixels = np.median([reading.photo.image.shape[0] * reading.photo.image.shape[1] for reading in readings])
    print(
        f"milliseconds a photo: {np.median(milliseconds):.0f} (median; slowest {max(milliseconds):.0f}); "
        f"{pixels / 1e6:.2f} megapixels (median)"
    )
    return int(not claim.holds(share))


if __name__ == "__main__":
    photos = arguments.positional(
        "photos", f"number of photos (default: {PHOTOS})", type=arguments.at_least(1), default=PHOTOS
    )
    sys.exit(arguments.run(main, __doc__, arguments.model(), photos))
