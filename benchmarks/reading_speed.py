"""Speed of `inksight.read`: photos of 12 megapixels, a small picture from a cold start, and thousands of files.

Run: ``python -m benchmarks.reading_speed [ROUNDS] [--files N]``. The claims are about two idle cores.

Data, composed from MNIST's training digits: photos of lines (`benchmarks.synthetic.pages`) and of forms
(`benchmarks.synthetic.forms`), enlarged to 12 megapixels, with the noise of a camera; photos of Sudokus of that size;
all of them JPEG files. Small pictures are 28 to 200 pixels a side (`benchmarks.synthetic.single_digits`), PNG files.

Measured, all in seconds of wall time:

photo of lines, of a form, of a Sudoku
    ``inksight.read`` of the file in this process, after a first photo, which imports what is needed: the median over
    the photos of the fastest of ROUNDS readings of each, and the slowest photo.
cold start
    ``inksight read`` of one small picture, from the start of its process to its exit, the median of ROUNDS; on the
    fastest instruction set of this machine and, where it is another one, on AVX2.
folder
    ``inksight read`` of a folder of N small pictures into a CSV file, with two worker processes: pictures a second,
    from the start of the process to its exit.
memory
    The largest process of that command for all pictures, divided by the same for a fifth of them.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.data import mnist_without_test
from benchmarks.common.machine import describe
from benchmarks.startup import CLI, measure, write_picture
from benchmarks.synthetic.forms import KINDS, compose as compose_form
from benchmarks.synthetic.pages import compose as compose_page
from benchmarks.synthetic.single_digits import digit_pictures
from inksight.data.dataset import Dataset
from inksight.engine import library as native
from inksight.reading.reader import read

ROUNDS, FILES, WORKERS, SEED = 3, 5000, 2, 0
PHOTOS = 6  # of each kind
PIXELS = 12_000_000  # of a photo
NOISE = 4.0  # standard deviation of a photo's noise, of 255
SIDE, CELL = 9, 200  # cells a side of a Sudoku, and pixels a side of a cell
SECONDS = Claim(1.0, "{:g} s", at_most=True)
CLAIMS = {
    "photo of lines": SECONDS,
    "photo of a form": SECONDS,
    "photo of a Sudoku": SECONDS,
    "cold start": Claim(0.3, "{:g} s", at_most=True),
    "folder": Claim(500, "{:g} a second"),
    "memory": Claim(1.1, "{:g} times", at_most=True),
}


def main(rounds: int = ROUNDS, files: int = FILES) -> int:
    """Print the rows; return 1 if a claim does not hold."""
    print(f"{describe('numpy', 'scipy', 'pillow')}; fastest of {rounds} rounds\n")
    digits = mnist_without_test().train
    held = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds: dict[str, Callable[[int], NDArray[np.uint8]]] = {
            "lines": lambda seed: compose_page(digits, seed).image,
            "a form": lambda seed: compose_form(digits, tuple(KINDS)[seed % len(KINDS)], seed).image,
            "a Sudoku": lambda seed: draw_sudoku(digits, seed),
        }
        for kind, draw in kinds.items():
            seconds = photo_seconds([write_photo(draw(seed), folder, seed) for seed in range(PHOTOS)], kind, rounds)
            note = f"median of {PHOTOS} photos, slowest {max(seconds):.2f} s"
            held.append(row(f"photo of {kind}", statistics.median(seconds), "{:.2f} s", note))
        for isa in dict.fromkeys((native.isa(), "avx2")):
            if isa in native.available():
                held.append(row("cold start", cold_start(folder, rounds, isa), "{:.3f} s", f"median, {isa}"))
        rates, sizes = zip(*(read_folder(folder, count) for count in (files // 5, files)), strict=True)
        held.append(row("folder", rates[1], "{:,.0f} a second", f"{files:,} pictures, {WORKERS} workers"))
        held.append(row("memory", sizes[1] / sizes[0], "{:.2f} times", f"{sizes[1] >> 20:,} MiB at most"))
    return int(not all(held))


def row(name: str, value: float, style: str, note: str) -> bool:
    """Print a row and return whether its claim holds."""
    claim = CLAIMS[name]
    print(f"  {name:20}{style.format(value):>16}  ({claim.verdict(value)}; {note})", flush=True)
    return claim.holds(value)


def draw_sudoku(digits: Dataset, seed: int) -> NDArray[np.uint8]:
    """Draw a Sudoku with about half of its cells written in, a little askew, (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    side = SIDE * CELL
    page = np.full((side + CELL, side + CELL), 235, np.uint8)
    for number in range(SIDE + 1):
        at, thickness = CELL // 2 + number * CELL, 8 if number % 3 == 0 else 4
        for lines in (page, page.T):
            lines[at - thickness // 2 : at + thickness // 2, CELL // 2 : CELL // 2 + side] = 40
    images = digits.images[digits.require_labels("the numbers of a Sudoku") > 0]
    for cell in np.flatnonzero(rng.random(SIDE**2) < 0.5).tolist():
        digit = Image.fromarray(images[rng.integers(len(images))]).resize((CELL - 60, CELL - 60))
        top, left = (CELL // 2 + CELL * place + 30 for place in divmod(cell, SIDE))
        window = page[top : top + CELL - 60, left : left + CELL - 60]
        np.minimum(window, 235 - (0.85 * np.asarray(digit)).astype(np.uint8), out=window)
    askew = Image.fromarray(page).rotate(float(rng.uniform(-4, 4)), Image.Resampling.BICUBIC, fillcolor=235)
    return np.asarray(askew.convert("RGB"))


def write_photo(picture: NDArray[np.uint8], folder: Path, seed: int) -> Path:
    """Write a picture as a photo of 12 megapixels."""
    scale = (PIXELS / (picture.shape[0] * picture.shape[1])) ** 0.5
    size = (round(scale * picture.shape[1]), round(scale * picture.shape[0]))
    large = np.asarray(Image.fromarray(picture).convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32)
    noise = np.random.default_rng(seed).normal(0, NOISE, (*large.shape[:2], 1)).astype(np.float32)
    path = folder / f"{seed}.jpg"
    Image.fromarray((large + noise).clip(0, 255).astype(np.uint8)).save(path, quality=92)
    return path


def photo_seconds(photos: list[Path], kind: str, rounds: int) -> list[float]:
    """Return the fewest seconds that each photo takes to read."""
    grid = (SIDE, SIDE) if kind == "a Sudoku" else None
    best = []
    read(photos[0], grid=grid)
    for photo in photos:
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            read(photo, grid=grid)
            seconds.append(time.perf_counter() - start)
        best.append(min(seconds))
    return best


def cold_start(folder: Path, rounds: int, isa: str | None) -> float:
    """Return the median seconds of ``inksight read`` of a small picture on an instruction set."""
    picture = str(folder / "small.png")
    write_picture(picture)
    code = f"import os; os.environ['INKSIGHT_ISA'] = {isa or ''!r}; {CLI}"
    return statistics.median(measure(code, ["read", picture]) for _ in range(rounds))


def read_folder(folder: Path, count: int) -> tuple[float, int]:
    """Read a folder of small pictures; return pictures a second, and bytes of the largest process so far."""
    pictures = folder / f"{count}"
    pictures.mkdir()
    for number, picture in enumerate(digit_pictures(count, SEED)):
        Image.fromarray(picture).save(pictures / f"{number:05}.png")
    words = ["read", str(pictures), "--csv", str(folder / f"{count}.csv"), "--workers", str(WORKERS)]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", CLI, *words], check=True, capture_output=True)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    return count / seconds, unit * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


if __name__ == "__main__":
    help_of_files = f"pictures in the folder (default: {FILES:,})"
    many = arguments.option("files", help_of_files, type=arguments.at_least(5), default=FILES)
    sys.exit(arguments.run(main, __doc__, arguments.rounds(ROUNDS), many))
