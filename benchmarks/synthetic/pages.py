"""Photos of handwritten digits on paper, composed of digits handed in: as a phone takes them, and different every time.

Run as ``python -m benchmarks.photos OUT.png`` for a sheet of some, made of MNIST's training digits. A photo is a
function of a seed: paper, pen, hand, light and camera are drawn from it, and so are the digits. Everything is drawn at
the size it has on the photo and in the order it comes about: a sheet with its lines, ink on it, the sheet looked at
from an angle, light and shadows, lens, sensor, and JPEG.
"""

import io
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inksight.data.dataset import Dataset

PAPERS = ("plain", "ruled", "squared", "crumpled", "shadow", "board")
SHARES = (0.2, 0.2, 0.2, 0.15, 0.15, 0.1)  # of the photos on each
COUNT = (4, 12)  # digits on a photo
HEIGHT = (30, 120)  # pixels of a digit
SKEW = 8.0  # degrees, to either side
GAP = (-2, 20)  # pixels between the boxes of neighbours 60 pixels high; others in proportion
PENS = ((25, 25, 30), (20, 30, 95), (30, 50, 140), (15, 15, 15), (120, 25, 30), (75, 75, 80), (20, 80, 50))
CHALK = ((240, 240, 235), (235, 225, 160), (225, 235, 245))
SHEETS = ((250, 250, 248), (245, 240, 225), (225, 222, 215), (235, 240, 245), (205, 200, 190))
BOARDS = ((40, 60, 50), (45, 45, 48), (35, 50, 65))

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Photo:
    """A composed photo.

    Parameters
    ----------
    image : (height, width, 3) uint8
    lines : tuple of str
        What is written on it, top to bottom.
    paper : str
        One of `PAPERS`.
    skew : float
        Degrees by which the lines fall to the right.
    touching : bool
        Whether ink of two digits meets.
    """

    image: NDArray[np.uint8]
    lines: tuple[str, ...]
    paper: str
    skew: float
    touching: bool


def compose(digits: Dataset, seed: int) -> Photo:
    """Return the photo of a seed, its digits drawn from those given."""
    rng = np.random.default_rng(seed)
    paper = str(rng.choice(PAPERS, p=SHARES))
    height = float(np.exp(rng.uniform(*np.log(HEIGHT))))
    writing, lines, touching, spacing = _write(digits, height, rng)
    pad = (rng.uniform(0.35, 2.5, 4) * height).astype(int)
    coverage = np.pad(writing, [(pad[0], pad[1]), (pad[2], pad[3])])
    foot = pad[0] + spacing  # where the first line's digits stand
    sheet = _sheet(paper, coverage.shape, height, foot, spacing, rng)
    pens = CHALK if paper == "board" else PENS
    pen = np.array(pens[rng.integers(len(pens))], float) / 255
    # Ink is let through here and there, chalk more so; a pen presses now more, now less.
    grain = _noise(coverage.shape, 1.2, rng) * (0.22 if paper == "board" else 0.06)
    press = _noise(coverage.shape, height / 3, rng) * 0.07
    opacity = np.clip(coverage * (rng.uniform(0.75, 0.95) + grain + press), 0, 1)[..., None]
    page = sheet * (1 - opacity) + (pen if paper == "board" else np.minimum(pen, sheet)) * opacity
    if rng.random() < 0.5:
        page = _dirt(page, height, rng)
    skew = float(rng.uniform(-SKEW, SKEW))
    page = _from_an_angle(page, skew, height, rng)
    page = page * _light(paper, page.shape[:2], rng)[..., None]
    page = _camera(page, height, rng)
    stream = io.BytesIO()
    Image.fromarray(page).save(stream, "JPEG", quality=int(rng.integers(60, 96)))
    image = np.asarray(Image.open(stream).convert("RGB"))
    return Photo(image, lines, paper, skew, touching)


def _write(digits: Dataset, height: float, rng: np.random.Generator) -> tuple[Array, tuple[str, ...], bool, int]:
    """Return ink 0..1 without margins, the lines, whether digits touch, and how far apart lines are in pixels."""
    count, rows = int(rng.integers(COUNT[0], COUNT[1] + 1)), int(rng.integers(1, 4))
    rows = min(rows, count // 2)
    chosen = rng.integers(0, len(digits), count)
    pen = rng.uniform(-0.25, 0.9)  # of MNIST's pixels: how much wider than on average each side of a stroke is
    spacing = int(height * rng.uniform(1.35, 2.2))
    parts = np.array_split(chosen, np.sort(rng.choice(np.arange(2, count - 1), rows - 1, replace=False)))
    if any(len(part) < 2 for part in parts):
        parts = np.array_split(chosen, rows)
    widest = max(len(part) for part in parts)
    canvas = np.zeros((int(spacing * (rows - 1) + 1.9 * height), int((widest + 1) * 1.8 * height)))
    touching, right = False, 0
    for row, part in enumerate(parts):
        at = rng.uniform(0, 0.8) * height
        for index in part:
            ink = _stroke(digits.images[index], height * rng.normal(1, 0.07) / 20, pen, rng)
            tall, wide = ink.shape
            foot = spacing * row + 1.4 * height + rng.normal(0, 0.05) * height
            top, left = max(int(foot - tall), 0), max(int(at), 0)
            place = canvas[top : top + tall, left : left + wide]
            near = ndimage.maximum_filter(place, 3) > 0.5
            touching |= bool((near & (ink[: place.shape[0], : place.shape[1]] > 0.5)).any())
            np.maximum(place, ink[: place.shape[0], : place.shape[1]], out=place)
            at = left + wide + rng.uniform(*GAP) * height / 60
            right = max(right, left + wide)
    lines = tuple("".join(str(digits.labels[i]) for i in part) for part in parts)
    top = int(0.2 * height)
    return canvas[top:, :right], lines, touching, spacing


def _stroke(image: NDArray[np.uint8], ratio: float, pen: float, rng: np.random.Generator) -> Array:
    """Return a digit drawn with a sharp pen: `ratio` times as large, its strokes wider by `pen`, ink 0..1."""
    rows, columns = np.nonzero(image > 40)
    part = np.pad(image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] / 255, 1)
    smooth = np.clip(ndimage.zoom(part, ratio, order=3, mode="nearest", grid_mode=True), 0, 1)
    inside = smooth > 0.5
    if not inside.any():
        inside = smooth >= smooth.max()
    distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    wobble = _noise(distance.shape, 2.0, rng) * 0.03 * ratio
    ink = np.clip((distance + pen * ratio + wobble) / 1.5 + 0.5, 0, 1)
    kept = ink > 0.02
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _noise(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> Array:
    """Return smooth noise with a standard deviation of 1, whose bumps are `scale` pixels wide."""
    coarse = [max(2, int(length / scale) + 2) for length in shape]
    grid = rng.normal(0, 1, coarse)
    ratio = [length / len_ for length, len_ in zip(shape, coarse, strict=True)]
    return ndimage.zoom(grid, ratio, order=1, mode="nearest", grid_mode=True)[: shape[0], : shape[1]] / 0.8


def _sheet(
    paper: str, shape: tuple[int, int], height: float, foot: float, spacing: float, rng: np.random.Generator
) -> Array:
    """Return the sheet with its lines, (height, width, 3) 0..1; `foot`: where the first line of digits ends."""
    colours = BOARDS if paper == "board" else SHEETS
    sheet = np.ones((*shape, 3)) * np.array(colours[rng.integers(len(colours))]) / 255
    fibre = _noise(shape, 1.5, rng) * 0.008 + _noise(shape, 12, rng) * 0.008
    if paper == "board":  # wiped, but not clean
        fibre = fibre + np.abs(_noise(shape, max(shape) / 6, rng)) * 0.04
        fibre = fibre + ndimage.uniform_filter1d(_noise(shape, 2, rng), 41, axis=1) * 0.05
    sheet = sheet + fibre[..., None]
    blue, red = np.array([120, 150, 200]) / 255, np.array([210, 110, 110]) / 255
    line = (blue if rng.random() < 0.7 else np.full(3, 0.6)) * rng.uniform(0.85, 1.15)
    strength, thick = rng.uniform(0.35, 0.9), max(1, round(rng.uniform(0.015, 0.035) * height))
    if paper == "ruled":
        apart = spacing if rng.random() < 0.6 else spacing * rng.uniform(0.4, 0.8)
        offset = foot - spacing + 1.4 * height + rng.normal(0, 0.06) * height - 0.2 * height
        _rule(sheet, offset % apart, apart, thick, line, strength, axis=0)
        if rng.random() < 0.4:
            _rule(sheet, rng.uniform(0.05, 0.3) * height, 1e9, thick, red, strength, axis=1)
    elif paper == "squared":
        apart = height * rng.uniform(0.45, 1.3)
        for axis in (0, 1):
            _rule(sheet, rng.uniform(0, apart), apart, thick, line, strength * 0.8, axis)
    return np.clip(sheet, 0, 1)


def _rule(sheet: Array, first: float, apart: float, thick: int, colour: Array, strength: float, axis: int) -> None:
    for at in np.arange(first, sheet.shape[axis], apart):
        part = [slice(None), slice(None)]
        part[axis] = slice(int(at), int(at) + thick)
        sheet[tuple(part)] = sheet[tuple(part)] * (1 - strength) + colour * strength


def _dirt(page: Array, height: float, rng: np.random.Generator) -> Array:
    """Add specks, and sometimes a smudge."""
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]]
    for _ in range(int(rng.integers(1, 12))):
        y, x, size = rng.uniform(0, page.shape[0]), rng.uniform(0, page.shape[1]), rng.uniform(0.6, 0.035 * height + 1)
        near = np.clip(size - np.hypot(rows - y, (columns - x) * rng.uniform(0.6, 1.6)) + 0.5, 0, 1)
        page = page * (1 - near * rng.uniform(0.2, 0.7))[..., None]
    if rng.random() < 0.3:
        y, x, size = rng.uniform(0, page.shape[0]), rng.uniform(0, page.shape[1]), rng.uniform(0.3, 1) * height
        page = page * (1 - 0.1 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / size**2))[..., None]
    return page


def _from_an_angle(page: Array, skew: float, height: float, rng: np.random.Generator) -> Array:
    """Turn the sheet and look at it from one side; in the corners the sheet goes on, or the table shows."""
    tall, wide = page.shape[:2]
    angle = np.radians(skew)
    corners = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall)], float)
    centre = corners.mean(axis=0)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    seen = (corners - centre) @ turn.T
    seen *= 1 + rng.uniform(-0.05, 0.05, (4, 1))  # farther and nearer corners
    table = rng.random() < 0.2
    low = seen.min(axis=0)
    room = 0.3 * height * rng.uniform(0.3, 1.5) if table else 0.0
    size = np.ptp(seen, axis=0) + 2 * room
    seen = seen - low + room
    matrix, right = [], []
    for (x, y), (u, v) in zip(seen, corners, strict=True):
        matrix += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    coefficients = np.linalg.solve(np.array(matrix), np.array(right))
    out = tuple(int(np.ceil(length)) for length in size)
    rows, columns = np.mgrid[: out[1], : out[0]]
    down = coefficients[6] * columns + coefficients[7] * rows + 1
    u = (coefficients[0] * columns + coefficients[1] * rows + coefficients[2]) / down
    v = (coefficients[3] * columns + coefficients[4] * rows + coefficients[5]) / down
    result = np.stack(
        [ndimage.map_coordinates(page[..., c], [v, u], order=1, mode="nearest") for c in range(3)], axis=-1
    )
    outside = (u < -0.5) | (v < -0.5) | (u > wide - 0.5) | (v > tall - 0.5)
    if outside.any():
        if table:
            wood = np.array([(0.35, 0.22, 0.13), (0.2, 0.2, 0.22), (0.55, 0.42, 0.3)][rng.integers(3)])
            grain = 1 + 0.1 * _noise(outside.shape, 6, rng)
            result[outside] = np.clip(wood * grain[..., None], 0, 1)[outside]
        else:  # what one sees of the same sheet farther off
            plain = np.median(page.reshape(-1, 3), axis=0)
            result[outside] = plain + 0.01 * _noise(outside.shape, 1.5, rng)[outside][:, None]
    return np.clip(result, 0, 1)


def _light(paper: str, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return by what share each place is lit: a slope and a corner's fall-off, creases, a shadow's soft edge."""
    rows, columns = (np.linspace(-1, 1, length) for length in shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    way, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.25)
    light = rng.uniform(0.8, 1.02) * (1 + fall * (np.cos(way) * x + np.sin(way) * y) / 1.4)
    light *= 1 - rng.uniform(0, 0.12) * (x**2 + y**2) / 2
    if paper == "crumpled":
        facets = np.zeros(shape)
        for _ in range(int(rng.integers(4, 10))):  # a fold: its two sides are lit differently
            way, at = rng.uniform(0, np.pi), rng.uniform(-0.9, 0.9)
            side = np.cos(way) * x + np.sin(way) * y - at
            facets += rng.normal(0, 0.05) * np.tanh(side / rng.uniform(0.01, 0.08)) + rng.normal(0, 0.05) * np.abs(side)
        light *= np.clip(1 + facets, 0.55, 1.2)
    elif paper == "shadow" or rng.random() < 0.15:
        way, at = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4)
        side = np.cos(way) * x + np.sin(way) * y - at + 0.15 * np.sin(3 * (np.sin(way) * x - np.cos(way) * y))
        depth = rng.uniform(0.25, 0.6)
        light *= 1 - depth / (1 + np.exp(-np.clip(side / rng.uniform(0.01, 0.15), -50, 50)))
    return light


def _camera(page: Array, height: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur, white balance, the sensor's noise."""
    sigma = rng.uniform(0.3, 0.9) * max(height / 60, 0.8)
    page = ndimage.gaussian_filter(page, (sigma, sigma, 0))
    page = page * (1 + rng.uniform(-0.06, 0.06, 3))
    grain = rng.uniform(0.004, 0.025)
    noise = rng.normal(0, grain, page.shape[:2])[..., None] + rng.normal(0, grain / 2, page.shape)
    return np.floor(np.clip(page + noise, 0, 1) * 255 + 0.5).astype(np.uint8)


def contact_sheet(photos: list[Photo], width: int = 480, height: int = 300, across: int = 5) -> Image.Image:
    """Return the photos side by side, made smaller to fit."""
    down = -(-len(photos) // across)
    sheet = Image.new("RGB", (across * (width + 6), down * (height + 6)), (90, 90, 90))
    for number, photo in enumerate(photos):
        picture = Image.fromarray(photo.image)
        picture.thumbnail((width, height))
        sheet.paste(picture, (number % across * (width + 6), number // across * (height + 6)))
    return sheet


def main(out: str) -> int:
    """Write a sheet of 30 photos."""
    from inksight.data.loading import load

    digits = load("mnist").split().train
    contact_sheet([compose(digits, seed) for seed in range(30)]).save(out)
    print(f"{out}: 30 photos of MNIST's training digits")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
