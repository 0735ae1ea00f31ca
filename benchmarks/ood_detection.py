"""What is no digit, told from digits.

Run as ``python -m benchmarks.non_digits [MODEL]``. Pictures of letters from fonts (those that come with matplotlib) and
as a hand would draw them, scribbles, textures and empty paper are prepared as `inksight read` does it; then
`inksight.nn.ood.ood_score` should be higher for them than for MNIST's validation digits. MODEL must not have been
trained on these; without it the network ``best`` is trained on the 50,000 training images by the recipe of that name.

The figure is the area under the receiver operating characteristic: how often, of a digit and something else drawn at
random, the digit is the less strange. A picture on which `prepare` finds nothing to read is the strangest. Letters
whose form many people give to a digit (``ALIKE``) are told apart: nobody can refuse a lonely O and read every 0. What
is refused alone, and what beside digits on a line (`inksight.reading.reader.AMONG`), is said with it.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from scipy.interpolate import make_interp_spline
from sklearn.metrics import roc_auc_score

from benchmarks.machine import describe
from inksight.data.loading import load
from inksight.imaging.preprocessing import prepare_grayscale
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.nn.ood import ood_score
from inksight.reading.reader import AMONG
from inksight.training.fit import train

CLAIMS = {"all kinds": 0.98}  # area under the curve at least
COUNT = 500  # pictures of each kind
SIDE = 200  # pixels
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ALIKE = "BDGIOQSZbgiloqsyz"  # 8 0 6 1 0 0 5 2, 6 9 1 1 0 9 5 4 2
# Strokes of capital letters and signs, in a square, as (across, down).
DRAWN = (
    "01 .50 11; .2.6 .8.6", "10 00 01 11; 0.5 .8.5", "10 00 01; 0.5 .8.5", "00 01; 10 11; 0.5 1.5", "00 01; 10 0.5 11",
    "01 .10 .5.7 .90 11", "01 00 11 10", "01 00 .70 .9.2 .6.5 0.5; .5.5 11", "00 10; .50 .51", "00 .21 .5.3 .81 10",
    "00 11; 10 01", "01 00 .70 .9.2 .6.5 0.5", "00 .5.5; 10 .5.5 .51", "00 .51 10", "00 0.7 .31 .71 1.7 10",
    "00 01; 0.3 .2.0 .5.3 .51; .5.3 .80 1.3 11", "1.2 .60 .1.3 .1.7 .61 1.8", ".80 .8.8 .51 .1.8", "00 01 .81",
    "0.5 1.5; .50 .51", "0.3 1.3; 0.7 1.7", "0.5 1.5; .50 .51; .1.1 .9.9; .9.1 .1.9",
)  # fmt: skip

Grey = NDArray[np.float64]


def printed(rng: np.random.Generator, letters: str) -> Grey:
    """Draw a letter in one of the fonts, turned, slanted and bent a little."""
    fonts = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVuS*.ttf"))
    fonts += sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("STIXGeneral*.ttf"))
    page = Image.new("L", (SIDE, SIDE), 255)
    font = ImageFont.truetype(fonts[rng.integers(len(fonts))], 96)
    ImageDraw.Draw(page).text((SIDE / 2, SIDE / 2), rng.choice(list(letters)), font=font, fill=0, anchor="mm")
    angle, slant = rng.uniform(-0.17, 0.17), rng.uniform(-0.25, 0.25)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ [[1, 0], [slant, 1]]
    places = np.indices((SIDE, SIDE)) - SIDE / 2
    places = np.tensordot(turn, places, 1) + SIDE / 2
    bends = ndimage.gaussian_filter(rng.normal(size=places.shape), (0, 14, 14)) * rng.uniform(0, 120)
    moved: Grey = ndimage.map_coordinates(np.asarray(page) / 255, places + bends, order=1, cval=1.0)
    return moved


def drawn(rng: np.random.Generator) -> Grey:
    """Draw a letter or a sign with a pen, its corners rounded or not."""
    angle, slant, size = rng.uniform(-0.2, 0.2), rng.uniform(-0.25, 0.25), rng.uniform(50, 130, 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ [[1, slant], [0, 1]]
    lines = []
    for stroke in rng.choice(list(DRAWN)).split(";"):
        points = np.array([_place(word) for word in stroke.split()])
        points = (points + rng.normal(0, 0.04, points.shape) - 0.5) * size @ turn.T + SIDE / 2
        lines.append(_curve(points, min(len(points) - 1, int(rng.integers(1, 3)))))
    return _pen(lines, int(rng.integers(4, 15)))


def _place(word: str) -> tuple[float, float]:
    """Read ``.51`` as (0.5, 1)."""
    across, down = re.findall(r"\.?\d", word)
    return float(across), float(down)


def scribble(rng: np.random.Generator) -> Grey:
    """Draw one line through 4 to 13 random places."""
    return _pen([_curve(rng.uniform(25, SIDE - 25, (int(rng.integers(4, 14)), 2)), 3)], int(rng.integers(3, 14)))


def _curve(points: Grey, degree: int) -> Grey:
    line: Grey = make_interp_spline(np.linspace(0, 1, len(points)), points, k=degree)(np.linspace(0, 1, 200))
    return line


def _pen(lines: list[Grey], width: int) -> Grey:
    page = Image.new("L", (SIDE, SIDE), 255)
    for line in lines:
        ImageDraw.Draw(page).line([(x, y) for x, y in line.tolist()], fill=0, width=width, joint="curve")
    return np.asarray(page) / 255


def texture(rng: np.random.Generator) -> Grey:
    """Draw noise, clouds, stripes, squares or blots."""
    kind, rows, columns = rng.integers(5), *np.indices((SIDE, SIDE))
    if kind == 0:
        return rng.random((SIDE, SIDE))
    if kind == 1:
        angle = rng.uniform(0, np.pi)
        return 0.5 + 0.5 * np.sign(np.sin((columns * np.cos(angle) + rows * np.sin(angle)) / rng.uniform(3, 20)))
    if kind == 2:
        width = rng.integers(8, 50)
        return ((rows // width + columns // width) % 2).astype(np.float64)
    clouds = ndimage.gaussian_filter(rng.random((SIDE, SIDE)), rng.uniform(1, 12))
    clouds = (clouds - clouds.min()) / np.ptp(clouds)
    return clouds if kind == 3 else (clouds > np.median(clouds)).astype(np.float64)


def blank(rng: np.random.Generator) -> Grey:
    """Empty paper under uneven light, its grain a hundredth of its brightness."""
    light = rng.uniform(0.4, 1) + np.linspace(-0.15, 0.15, SIDE) * rng.uniform(-1, 1)
    return np.clip(light + rng.normal(0, 0.01, (SIDE, SIDE)), 0, 1)


KINDS: dict[str, Callable[[np.random.Generator], Grey]] = {
    "printed letters": lambda rng: printed(rng, "".join(sorted(set(LETTERS) - set(ALIKE)))),
    "drawn letters and signs": drawn,
    "scribbles": scribble,
    "textures": texture,
    "blank": blank,
}


def scores(model: Model, pictures: list[Grey]) -> Grey:
    """Return how strange pictures are, infinitely so if there is nothing to read."""
    prepared = [prepare_grayscale(picture) for picture in pictures]
    strange = ood_score(model, np.stack([one.image for one in prepared]))
    return np.where([bool(one.problem) for one in prepared], np.inf, strange)


def main(name: str | None = None) -> int:
    """Print the area under the curve and the share refused, kind by kind; return 1 if a claim does not hold."""
    splits = load("mnist").split()
    model = load_model(name) if name else train(replace(splits, test=None), "best", "best", progress=False)
    assert splits.validation is not None
    assert model.ood_detector is not None
    digits = ood_score(model, splits.validation.images)
    print(f"{describe('numpy', 'scipy')}; model {name or 'best, recipe best, 50,000 images'}")
    print(f"digits: {np.mean(digits <= model.ood_detector.threshold):.2%} of {len(digits):,} kept")
    found: dict[str, Grey] = {}

    def show(kind: str, strange: Grey) -> float:
        finite = np.where(np.isfinite(strange), strange, 1e9)
        area = float(roc_auc_score(np.repeat([0, 1], [len(digits), len(finite)]), np.concatenate([digits, finite])))
        assert model.ood_detector is not None
        refused, among = (np.mean(strange > model.ood_detector.threshold + more) for more in (0, AMONG))
        claim = CLAIMS.get(kind)
        verdict = f" (claimed: {claim}{'' if area >= claim else ', NOT HELD'})" if claim else ""
        print(
            f"{kind}: {area:.4f}{verdict}, {refused:.1%} of {len(strange):,} refused, {among:.1%} beside digits",
            flush=True,
        )
        return area

    for kind, make in KINDS.items():
        rng = np.random.default_rng([7, *kind.encode()])
        found[kind] = scores(model, [make(rng) for _ in range(COUNT)])
        show(kind, found[kind])
    area = show("all kinds", np.concatenate(list(found.values())))
    rng = np.random.default_rng(8)
    show("letters alike to digits, not counted", scores(model, [printed(rng, ALIKE) for _ in range(COUNT)]))
    return int(area < CLAIMS["all kinds"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
