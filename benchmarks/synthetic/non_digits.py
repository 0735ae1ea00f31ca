"""Pictures that are not digits: letters, signs, scribbles, textures and blank paper.

Each generator takes a random generator and returns brightness, (200, 200) float64, 0..1, dark ink on light paper.
"""

import re
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from scipy.interpolate import make_interp_spline

from benchmarks.synthetic.noise import Array

SIDE = 200  # pixels
FONT_SIZE = 96  # pixels
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGIT_LIKE_LETTERS = "BDGIOQSZbgiloqsyz"  # 8 0 6 1 0 0 5 2, 6 9 1 1 0 9 5 4 2
OTHER_LETTERS = "".join(sorted(set(LETTERS) - set(DIGIT_LIKE_LETTERS)))
# Capital letters and signs in the unit square. Strokes end with ";"; a point is x and y: "0", "1", or a decimal
# such as ".5", so that ".51" is (0.5, 1).
STROKES = (
    "01 .50 11; .2.6 .8.6", "10 00 01 11; 0.5 .8.5", "10 00 01; 0.5 .8.5", "00 01; 10 11; 0.5 1.5", "00 01; 10 0.5 11",
    "01 .10 .5.7 .90 11", "01 00 11 10", "01 00 .70 .9.2 .6.5 0.5; .5.5 11", "00 10; .50 .51", "00 .21 .5.3 .81 10",
    "00 11; 10 01", "01 00 .70 .9.2 .6.5 0.5", "00 .5.5; 10 .5.5 .51", "00 .51 10", "00 0.7 .31 .71 1.7 10",
    "00 01; 0.3 .2.0 .5.3 .51; .5.3 .80 1.3 11", "1.2 .60 .1.3 .1.7 .61 1.8", ".80 .8.8 .51 .1.8", "00 01 .81",
    "0.5 1.5; .50 .51", "0.3 1.3; 0.7 1.7", "0.5 1.5; .50 .51; .1.1 .9.9; .9.1 .1.9",
)  # fmt: skip


def printed_letter(rng: np.random.Generator, letters: str = OTHER_LETTERS) -> Array:
    """Draw a letter in one of matplotlib's fonts, slightly rotated, slanted and warped."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [*sorted(folder.glob("DejaVuS*.ttf")), *sorted(folder.glob("STIXGeneral*.ttf"))]
    page = Image.new("L", (SIDE, SIDE), 255)
    font = ImageFont.truetype(fonts[rng.integers(len(fonts))], FONT_SIZE)
    ImageDraw.Draw(page).text((SIDE / 2, SIDE / 2), rng.choice(list(letters)), font=font, fill=0, anchor="mm")
    angle, slant = rng.uniform(-0.17, 0.17), rng.uniform(-0.25, 0.25)
    transform = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ [[1, 0], [slant, 1]]
    positions = np.tensordot(transform, np.indices((SIDE, SIDE)) - SIDE / 2, 1) + SIDE / 2
    warp = ndimage.gaussian_filter(rng.normal(size=positions.shape), (0, 14, 14)) * rng.uniform(0, 120)
    letter: Array = ndimage.map_coordinates(np.asarray(page) / 255, positions + warp, order=1, cval=1.0)
    return letter


def drawn_sign(rng: np.random.Generator) -> Array:
    """Draw a capital letter or a sign with a pen, with sharp or rounded corners."""
    angle, slant, size = rng.uniform(-0.2, 0.2), rng.uniform(-0.25, 0.25), rng.uniform(50, 130, 2)
    transform = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ [[1, slant], [0, 1]]
    curves = []
    for stroke in rng.choice(list(STROKES)).split(";"):
        points = np.array([_point(word) for word in stroke.split()])
        points = (points + rng.normal(0, 0.04, points.shape) - 0.5) * size @ transform.T + SIDE / 2
        curves.append(_spline(points, min(len(points) - 1, int(rng.integers(1, 3)))))
    return _draw_curves(curves, int(rng.integers(4, 15)))


def _point(word: str) -> tuple[float, float]:
    """Parse a point of `STROKES`, such as ``.51`` for (0.5, 1)."""
    x, y = re.findall(r"\.?\d", word)
    return float(x), float(y)


def scribble(rng: np.random.Generator) -> Array:
    """Draw one smooth curve through 4 to 13 random points."""
    return _draw_curves(
        [_spline(rng.uniform(25, SIDE - 25, (int(rng.integers(4, 14)), 2)), 3)], int(rng.integers(3, 14))
    )


def _spline(points: Array, degree: int) -> Array:
    """Return 200 points of the interpolating spline through `points`, (200, 2)."""
    curve: Array = make_interp_spline(np.linspace(0, 1, len(points)), points, k=degree)(np.linspace(0, 1, 200))
    return curve


def _draw_curves(curves: list[Array], width: int) -> Array:
    """Draw curves with a pen of `width` pixels."""
    page = Image.new("L", (SIDE, SIDE), 255)
    for curve in curves:
        ImageDraw.Draw(page).line([(x, y) for x, y in curve.tolist()], fill=0, width=width, joint="curve")
    return np.asarray(page) / 255


def texture(rng: np.random.Generator) -> Array:
    """Draw white noise, stripes, a checkerboard, clouds or blots."""
    kind, rows, columns = rng.integers(5), *np.indices((SIDE, SIDE))
    if kind == 0:
        return rng.random((SIDE, SIDE))
    if kind == 1:
        angle = rng.uniform(0, np.pi)
        wave: Array = np.sin((columns * np.cos(angle) + rows * np.sin(angle)) / rng.uniform(3, 20))
        return 0.5 + 0.5 * np.sign(wave)
    if kind == 2:
        width = rng.integers(8, 50)
        squares: Array = ((rows // width + columns // width) % 2).astype(np.float64)
        return squares
    clouds: Array = ndimage.gaussian_filter(rng.random((SIDE, SIDE)), rng.uniform(1, 12))
    clouds = (clouds - clouds.min()) / np.ptp(clouds)
    return clouds if kind == 3 else (clouds > np.median(clouds)).astype(np.float64)


def blank_paper(rng: np.random.Generator) -> Array:
    """Draw blank paper under uneven light, with grain of 0.01."""
    light = rng.uniform(0.4, 1) + np.linspace(-0.15, 0.15, SIDE) * rng.uniform(-1, 1)
    return np.clip(light + rng.normal(0, 0.01, (SIDE, SIDE)), 0, 1)


# `benchmarks.ood_detection` seeds each kind by its name: another name means other pictures.
KINDS: dict[str, Callable[[np.random.Generator], Array]] = {
    "printed letters": printed_letter,
    "drawn letters and signs": drawn_sign,
    "scribbles": scribble,
    "textures": texture,
    "blank": blank_paper,
}
