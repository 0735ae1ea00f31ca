"""Composed scans of numbers on checks, forms, ruled and squared paper: a function of a kind and a seed.

``python -m benchmarks.synthetic.forms OUT.png`` writes a contact sheet, one column a kind. Numbers of two or three of
MNIST's digits, redrawn with a pen, stand on paper with a printed pattern or printed lines, some of them with the signs
of a check (``100.-``, ``203,``). Pen, pattern, colors, size and scan quality are drawn at random.
"""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from benchmarks.synthetic.ink import DIGIT_SIDE, pen_strokes
from benchmarks.synthetic.noise import Array, smooth_noise
from benchmarks.synthetic.signs import write_text
from inksight.data.dataset import Dataset

DIGIT_HEIGHT = (26, 90)  # pixels: range, drawn evenly on a logarithmic scale
MIN_WIDTH, MAX_WIDTH = 150, 600  # pixels
MAX_SKEW = 2.0  # degrees, to either side
SIGNED_SHARE = 0.5  # of the numbers on checks that end in a sign
ENDINGS = (".-", ",", ".")
PENS = ((25, 25, 30), (20, 30, 95), (30, 50, 140), (15, 15, 15), (60, 60, 70))
PRINT_COLORS = ((120, 160, 205), (150, 190, 150), (215, 160, 160), (190, 170, 120), (165, 165, 165))
PAPERS = ((250, 250, 248), (240, 245, 238), (236, 242, 248), (248, 240, 228))
WORDS = "PAY TO THE ORDER OF VOID COPY BANK SERIES ORIGINAL AMOUNT "


@dataclass(frozen=True)
class Form:
    """A scanned number.

    Parameters
    ----------
    image : (height, width, 3) uint8
    number : str
        Its digits, without signs.
    kind : str
        One of `KINDS`.
    """

    image: NDArray[np.uint8]
    number: str
    kind: str


@dataclass(frozen=True)
class Layout:
    """What a pattern is drawn around: the size of the paper and of the digits, in pixels.

    Parameters
    ----------
    shape : (height, width)
    height : float
        Of the digits.
    baseline : float
        Row at which the digits end.
    """

    shape: tuple[int, int]
    height: float
    baseline: float


def compose(digits: Dataset, kind: str, seed: int) -> Form:
    """Return the scan of a kind and a seed, with digits drawn from `digits`."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    number = "".join(map(str, rng.integers(0, 10, rng.integers(2, 4))))
    height = float(np.exp(rng.uniform(*np.log(DIGIT_HEIGHT))))
    if kind in ("boxes", "touched boxes"):
        coverage, printed = _boxed(digits, number, height, kind == "touched boxes", rng)
    else:
        text = number
        if kind in CHECKS and rng.random() < SIGNED_SHARE:
            text += str(rng.choice(ENDINGS))
        coverage = write_text(digits, text, height, rng)
        coverage = coverage[int(0.25 * height) : int(coverage.shape[0] - rng.uniform(0, 0.25) * height)]
        padding = rng.uniform(0, 1.2, 2) * height
        coverage = np.pad(coverage, [(0, 0), (int(padding[0]), int(padding[1]))])
        missing = max(MIN_WIDTH - coverage.shape[1], 0)
        coverage = np.pad(coverage, [(0, 0), (missing // 2, missing - missing // 2)])
        printed = KINDS[kind](Layout((coverage.shape[0], coverage.shape[1]), height, 1.35 * height), rng)
    if kind == "touching underline":  # by the same pen, or printed
        coverage = np.maximum(coverage, _underline(coverage, height, rng))
    paper = np.array(PAPERS[rng.integers(len(PAPERS))]) / 255
    color = np.array(PRINT_COLORS[rng.integers(len(PRINT_COLORS))]) / 255
    sheet = paper * (1 - (1 - color) * printed[..., None])
    sheet = sheet + smooth_noise(printed.shape, 1.5, rng)[..., None] * 0.008
    pen = np.array(PENS[rng.integers(len(PENS))]) / 255
    opacity = coverage * (rng.uniform(0.8, 0.97) + smooth_noise(printed.shape, 1.2, rng) * 0.05)
    page = sheet * (1 - np.clip(opacity, 0, 1)[..., None] * (1 - pen))
    return Form(_scan(page, rng), number, kind)


def _scan(page: Array, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the scan of a page: a little askew, blurred, noisy, at most `MAX_WIDTH` pixels wide, as JPEG leaves it."""
    page = ndimage.rotate(page, rng.uniform(-MAX_SKEW, MAX_SKEW), reshape=False, order=1, mode="nearest")
    sigma = rng.uniform(0.3, 0.9)
    page = ndimage.gaussian_filter(page, (sigma, sigma, 0))
    page = page + rng.normal(0, rng.uniform(0.002, 0.02), page.shape[:2])[..., None]
    picture = Image.fromarray(np.floor(np.clip(page, 0, 1) * 255 + 0.5).astype(np.uint8))
    if picture.width > MAX_WIDTH:
        picture = picture.resize((MAX_WIDTH, round(picture.height * MAX_WIDTH / picture.width)))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=int(rng.integers(50, 96)))
    return np.asarray(Image.open(stream).convert("RGB"))


def _boxed(
    digits: Dataset, number: str, height: float, touching: bool, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return digits in a row of boxes, one in each, and the boxes; `touching` digits are as high as their boxes."""
    labels = digits.require_labels("writing numbers")
    side = int(height * (rng.uniform(0.95, 1.1) if touching else rng.uniform(1.3, 1.7)))
    width = max(int(side * rng.uniform(0.75, 1.1)), int(0.9 * height))
    margin = max(int(0.5 * height), (MIN_WIDTH - width * len(number)) // 2)
    coverage = np.zeros((side + 2 * int(0.5 * height), width * len(number) + 2 * margin))
    printed, top, pen = np.zeros_like(coverage), int(0.5 * height), rng.uniform(0, 0.5)
    thickness = max(1, round(rng.uniform(0.015, 0.04) * height))
    strength = rng.uniform(0.5, 1.6)
    for i, digit in enumerate(number):
        image = digits.images[rng.choice(np.flatnonzero(labels == int(digit)))]
        ink = pen_strokes(image, height * rng.normal(1, 0.05) / DIGIT_SIDE, pen, rng)
        y = top + (side - ink.shape[0]) / 2 + rng.normal(0, 0.05) * height
        x = margin + width * i + (width - ink.shape[1]) / 2 + rng.normal(0, 0.05) * height
        window = coverage[max(int(y), 0) :, max(int(x), 0) :][: ink.shape[0], : ink.shape[1]]
        np.maximum(window, ink[: window.shape[0], : window.shape[1]], out=window)
    for x in range(margin, margin + width * len(number) + 1, width):
        printed[top : top + side + thickness, x : x + thickness] = strength
    for y in (top, top + side):
        printed[y : y + thickness, margin : margin + width * len(number)] = strength
    return coverage, printed


def _underline(coverage: Array, height: float, rng: np.random.Generator) -> Array:
    """Return a stroke by hand under some writing, which touches it from below."""
    rows, columns = np.indices(coverage.shape)
    inked = np.flatnonzero((coverage > 0.5).any(axis=0))
    first, last = inked[0] - rng.uniform(0, 0.4) * height, inked[-1] + rng.uniform(0, 0.4) * height
    level = 1.35 * height + rng.uniform(-0.06, 0.06) * height
    bend = rng.normal(0, 0.02) * height * np.sin(columns / coverage.shape[1] * np.pi)
    level = level + rng.normal(0, 0.02) * (columns - columns.mean()) + bend
    stroke = np.clip(rng.uniform(0.03, 0.06) * height - np.abs(rows - level) + 0.5, 0, 1)
    result: Array = stroke * ((columns >= first) & (columns <= last))
    return result


def _guilloche(layout: Layout, rng: np.random.Generator) -> Array:
    """Return fine wavy lines that cross each other."""
    rows, columns = np.indices(layout.shape)
    pattern = np.zeros(layout.shape)
    for _ in range(int(rng.integers(1, 4))):
        period, wave = rng.uniform(4, 10), rng.uniform(20, 80)
        level = (
            rows + rng.uniform(2, 8) * np.sin(2 * np.pi * columns / wave + rng.uniform(0, 6)) + rng.normal() * columns
        )
        line = np.abs((level / period) % 1 - 0.5) * period
        np.maximum(pattern, np.clip(rng.uniform(0.5, 1.0) - line + 0.5, 0, 1), out=pattern)
    return pattern * rng.uniform(0.5, 1.1)


def _screen(layout: Layout, rng: np.random.Generator) -> Array:
    """Return straight, parallel, fine lines at some angle."""
    rows, columns = np.indices(layout.shape)
    angle, period = rng.choice([0, 45, 90, 135, rng.uniform(0, 180)]), rng.uniform(3, 8)
    level = np.cos(np.radians(angle)) * rows + np.sin(np.radians(angle)) * columns
    line = np.abs((level / period) % 1 - 0.5) * period
    pattern: Array = np.clip(rng.uniform(0.4, 1.0) - line + 0.5, 0, 1) * rng.uniform(0.5, 1.1)
    return pattern


def _dots(layout: Layout, rng: np.random.Generator) -> Array:
    """Return a screen of fine dots."""
    rows, columns = np.indices(layout.shape)
    period = rng.uniform(4, 9)
    shift = rng.choice([0, 0.5]) * (rows // period % 2)
    y, x = (rows / period) % 1 - 0.5, (columns / period + shift) % 1 - 0.5
    pattern: Array = np.clip(rng.uniform(0.7, 1.5) - np.hypot(y, x) * period + 0.5, 0, 1) * rng.uniform(0.5, 1.1)
    return pattern


def _gradient(layout: Layout, rng: np.random.Generator) -> Array:
    """Return a tint that grows from one side to the other, and an emblem."""
    rows, columns = (np.linspace(-1, 1, length) for length in layout.shape)
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.add.outer(np.sin(angle) * rows, np.cos(angle) * columns)
    ring = np.add.outer((rows * layout.shape[0]) ** 2, (columns * layout.shape[1]) ** 2) ** 0.5 / 2
    emblem = np.abs(ring - rng.uniform(0.3, 1) * layout.height) < 0.12 * layout.height
    pattern: Array = rng.uniform(0.2, 0.8) * (slope + 1.5) / 3 + 0.3 * emblem
    return pattern


def _text(layout: Layout, rng: np.random.Generator) -> Array:
    """Return pale printed text, line below line."""
    picture = Image.new("L", layout.shape[::-1])
    size = rng.uniform(0.12, 0.3) * layout.height
    font, draw = ImageFont.load_default(size), ImageDraw.Draw(picture)
    for y in np.arange(rng.uniform(-size, 0), layout.shape[0], size * rng.uniform(1.1, 1.8)):
        start = int(rng.integers(len(WORDS)))
        draw.text((0, y), (WORDS[start:] + WORDS * 20)[:200], 255, font)
    return np.asarray(picture) / 255 * rng.uniform(0.4, 1.0)


def _lines_across(layout: Layout, rng: np.random.Generator) -> Array:
    """Return ruled lines, one of them near the baseline."""
    step = layout.height * rng.uniform(0.8, 1.6)
    return _ruled(layout, layout.baseline + rng.normal(0, 0.06) * layout.height, step, rng)


def _squares(layout: Layout, rng: np.random.Generator) -> Array:
    """Return squared paper, whose squares the digits fill or cross."""
    step = layout.height * rng.uniform(0.45, 1.3)
    state = rng.bit_generator.state
    down = _ruled(layout, rng.uniform(0, step), step, rng)
    rng.bit_generator.state = state  # the lines across are as strong as those down
    turned = Layout((layout.shape[1], layout.shape[0]), layout.height, layout.baseline)
    return np.maximum(down, _ruled(turned, rng.uniform(0, step), step, rng).T)


def _ruled(layout: Layout, through: float, step: float, rng: np.random.Generator) -> Array:
    """Return horizontal lines, one of them at a row `through`."""
    half = max(rng.uniform(0.01, 0.025) * layout.height, 0.5)
    rows = np.arange(layout.shape[0])
    distance = np.abs((rows - through + step / 2) % step - step / 2)
    line = np.clip(half - distance + 0.5, 0, 1) * rng.uniform(0.5, 1.3)
    return np.repeat(line[:, None], layout.shape[1], axis=1)


def _dotted(layout: Layout, rng: np.random.Generator) -> Array:
    """Return a dotted line to write on."""
    rows, columns = np.indices(layout.shape)
    radius, step = max(rng.uniform(0.015, 0.035) * layout.height, 0.8), rng.uniform(0.09, 0.2) * layout.height
    y, x = rows - layout.baseline - rng.normal(0, 0.04) * layout.height, columns % step - step / 2
    pattern: Array = np.clip(radius - np.hypot(y, x) + 0.5, 0, 1) * rng.uniform(0.8, 1.6)
    return pattern


def _nothing(layout: Layout, rng: np.random.Generator) -> Array:
    return np.zeros(layout.shape)


KINDS: dict[str, Callable[[Layout, np.random.Generator], Array]] = {
    "guilloche": _guilloche, "line screen": _screen, "dot screen": _dots, "gradient": _gradient, "printed text": _text,
    "touching underline": _screen, "ruled": _lines_across, "squared": _squares, "dotted line": _dotted,
    "boxes": _nothing, "touched boxes": _nothing,
}  # fmt: skip
CHECKS = ("guilloche", "line screen", "dot screen", "gradient", "printed text", "touching underline")


def main(out: str) -> int:
    """Write a contact sheet of ten scans of each kind."""
    from inksight.data.loading import load

    digits, width, height, rows = load("mnist").split().train, 240, 130, 10
    sheet = Image.new("RGB", (len(KINDS) * (width + 6), rows * (height + 6)), (90, 90, 90))
    for column, kind in enumerate(KINDS):
        for row in range(rows):
            picture = Image.fromarray(compose(digits, kind, row).image)
            picture.thumbnail((width, height))
            sheet.paste(picture, (column * (width + 6), row * (height + 6)))
    sheet.save(out)
    print(f"{out}: {rows} scans of each of {len(KINDS)} kinds, of MNIST's training digits")
    return 0


if __name__ == "__main__":
    from benchmarks.common.arguments import positional, run

    sys.exit(run(main, __doc__, positional("out", "PNG file to write")))
