"""Lines of digits on composed photos, read whole.

Run as ``python -m benchmarks.lines [MODEL] [N]``. N photos (300 by default) of `benchmarks.photos`, with 4 to 12 digits
each, are composed of MNIST's validation digits and read by ``inksight.read``. The models that ship were trained on
those digits too; so, if no model is named, one of the shipped network ``best`` is trained first, by the recipe
``best``, on the other 50,000. What `inksight.reading.segmentation` chooses by was settled on photos of training digits.

A line is right if every digit of it is, and no line is too many or too few on its photo; one refused digit makes it
wrong. Beside that stands what ``accept_all`` reads, where an unsure digit counts as what it was taken for. Digits are
compared on lines of the right length. Milliseconds are those of ``inksight.read`` on an image in memory.
"""

import sys
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

import inksight
from benchmarks.machine import describe
from benchmarks.photos import Photo, compose
from inksight._shared.progress import track

CLAIMS = {"whole lines right": 0.95}  # share at least
FIRST = 900_000  # seed of the first photo
TURNED = 4.0  # degrees: photos are told apart by whether they are turned by more


@dataclass(frozen=True)
class Result:
    """What was read on a photo, with refusals and, as `accepted`, without."""

    photo: Photo
    read: tuple[str, ...]
    accepted: tuple[str, ...]
    milliseconds: float


def right(written: tuple[str, ...], read: tuple[str, ...]) -> list[bool]:
    """Say of each line written whether it was read; none is if there are more or fewer."""
    if len(written) != len(read):
        return [False] * len(written)
    return [one == other for one, other in zip(written, read, strict=True)]


def digits_right(written: tuple[str, ...], read: tuple[str, ...]) -> list[bool]:
    """Say of each digit whether it was read; those of lines of another length are wrong."""
    found = []
    for number, line in enumerate(written):
        other = read[number] if len(read) == len(written) else ""
        same = len(other) == len(line)
        found += [a == b for a, b in zip(line, other, strict=True)] if same else [False] * len(line)
    return found


def blanked(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return lines of which only the length is known."""
    return tuple("." * len(line) for line in lines)


def read(photo: Photo, model: inksight.Model) -> Result:
    began = time.perf_counter()
    page = inksight.read(photo.image, model)
    took = 1000 * (time.perf_counter() - began)
    accepted = inksight.read(photo.image, model, accept_all=True)
    return Result(photo, tuple(page.text.split("\n")), tuple(accepted.text.split("\n")), took)


def groups(photo: Photo) -> tuple[str, ...]:
    """Return the groups a photo is counted in."""
    turned = f"turned by {'more' if abs(photo.skew) > TURNED else 'less'} than {TURNED:.0f} degrees"
    return photo.paper, turned, "touching digits" if photo.touching else "digits apart"


def main(name: str = "", count: str = "300") -> int:
    """Print the shares of lines and digits right; return 1 if a claim does not hold."""
    splits = inksight.load("mnist").split()
    if name:
        model, of = inksight.load_model(name), name
    else:
        model = inksight.train(inksight.Splits(splits.train, splits.validation, None), "best", "best")
        of = "best, trained by the recipe best on 50,000 images"
    print(f"{describe('numpy', 'scipy', 'pillow')}\nmodel: {of}")
    seeds = range(FIRST, FIRST + int(count))
    results = [read(compose(splits.validation, seed), model) for seed in track(seeds, "reading photos")]
    lines = [same for one in results for same in right(one.photo.lines, one.read)]
    accepted = [same for one in results for same in right(one.photo.lines, one.accepted)]
    digits = [same for one in results for same in digits_right(one.photo.lines, one.read)]
    lengths = [same for one in results for same in right(blanked(one.photo.lines), blanked(one.read))]
    claim = CLAIMS["whole lines right"]
    held = float(np.mean(lines)) >= claim
    print(
        f"whole lines right: {np.mean(lines):.2%} of {len(lines):,} on {len(results)} photos "
        f"(claimed: {claim:.0%}{'' if held else ', NOT HELD'}), {np.mean(accepted):.2%} with accept_all\n"
        f"lines with as many digits as were written: {np.mean(lengths):.2%}\n"
        f"digits right: {np.mean(digits):.2%} of {len(digits):,}"
    )
    parts = defaultdict(list)
    for one in results:
        for group in groups(one.photo):
            parts[group] += right(one.photo.lines, one.read)
    for group, same in sorted(parts.items()):
        print(f"  {group}: {np.mean(same):.2%} of {len(same)} lines")
    took = [one.milliseconds for one in results]
    pixels = np.median([one.photo.image.shape[0] * one.photo.image.shape[1] for one in results])
    print(
        f"milliseconds a photo: {np.median(took):.0f} (median; slowest {max(took):.0f}); "
        f"{pixels / 1e6:.2f} megapixels (median)"
    )
    return int(not held)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
