"""Composed photos of handwritten digits on paper, as a phone takes them: a function of a seed.

``python -m benchmarks.synthetic.pages OUT.png`` writes a contact sheet of 30 photos of MNIST's training digits. Paper,
pen, writing, light, camera and the digits are all drawn at random. A photo is composed at its final resolution, in the
order of the real world: a sheet with its lines, ink on it, perspective, illumination, the camera, JPEG.
"""

import io
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.synthetic.camera import capture, illumination, view_from_an_angle
from benchmarks.synthetic.ink import write_lines
from benchmarks.synthetic.noise import smooth_noise
from benchmarks.synthetic.paper import add_dirt, draw_sheet
from inksight.data.dataset import Dataset

PAPERS = ("plain", "ruled", "squared", "crumpled", "shadow", "board")
PAPER_SHARES = (0.2, 0.2, 0.2, 0.15, 0.15, 0.1)  # of the photos
DIGIT_HEIGHT = (30, 120)  # pixels: range, drawn evenly on a logarithmic scale
MAX_SKEW = 8.0  # degrees, to either side
PEN_COLORS = ((25, 25, 30), (20, 30, 95), (30, 50, 140), (15, 15, 15), (120, 25, 30), (75, 75, 80), (20, 80, 50))
CHALK_COLORS = ((240, 240, 235), (235, 225, 160), (225, 235, 245))


@dataclass(frozen=True)
class Photo:
    """A composed photo.

    Parameters
    ----------
    image : (height, width, 3) uint8
    lines : tuple of str
        The digits written on it, line by line from top to bottom.
    paper : str
        One of `PAPERS`.
    skew : float
        Degrees of rotation; above 0, lines fall to the right.
    touching : bool
        Whether the ink of two digits touches.
    """

    image: NDArray[np.uint8]
    lines: tuple[str, ...]
    paper: str
    skew: float
    touching: bool


def compose(digits: Dataset, seed: int) -> Photo:
    """Return the photo of a seed, with digits drawn from `digits`."""
    rng = np.random.default_rng(seed)
    paper = str(rng.choice(PAPERS, p=PAPER_SHARES))
    height = float(np.exp(rng.uniform(*np.log(DIGIT_HEIGHT))))
    writing = write_lines(digits, height, rng)
    margins = (rng.uniform(0.35, 2.5, 4) * height).astype(int)
    coverage = np.pad(writing.ink, [(margins[0], margins[1]), (margins[2], margins[3])])
    baseline = margins[0] + writing.spacing
    sheet = draw_sheet(paper, coverage.shape, height, baseline, writing.spacing, rng)
    colors = CHALK_COLORS if paper == "board" else PEN_COLORS
    color = np.array(colors[rng.integers(len(colors))], float) / 255
    # Ink has a grain, chalk a coarser one, and the pressure of the pen varies.
    grain = smooth_noise(coverage.shape, 1.2, rng) * (0.22 if paper == "board" else 0.06)
    pressure = smooth_noise(coverage.shape, height / 3, rng) * 0.07
    opacity = np.clip(coverage * (rng.uniform(0.75, 0.95) + grain + pressure), 0, 1)[..., None]
    page = sheet * (1 - opacity) + (color if paper == "board" else np.minimum(color, sheet)) * opacity
    if rng.random() < 0.5:
        page = add_dirt(page, height, rng)
    skew = float(rng.uniform(-MAX_SKEW, MAX_SKEW))
    page = view_from_an_angle(page, skew, height, rng)
    page = page * illumination(paper, page.shape[:2], rng)[..., None]
    stream = io.BytesIO()
    Image.fromarray(capture(page, height, rng)).save(stream, "JPEG", quality=int(rng.integers(60, 96)))
    image = np.asarray(Image.open(stream).convert("RGB"))
    return Photo(image, writing.lines, paper, skew, writing.touching)


def contact_sheet(photos: list[Photo], width: int = 480, height: int = 300, columns: int = 5) -> Image.Image:
    """Return the photos in rows of `columns`, each reduced to at most `width` by `height` pixels."""
    rows = -(-len(photos) // columns)
    sheet = Image.new("RGB", (columns * (width + 6), rows * (height + 6)), (90, 90, 90))
    for number, photo in enumerate(photos):
        picture = Image.fromarray(photo.image)
        picture.thumbnail((width, height))
        sheet.paste(picture, (number % columns * (width + 6), number // columns * (height + 6)))
    return sheet


def main(out: str) -> int:
    """Write a contact sheet of 30 photos."""
    from inksight.data.loading import load

    digits = load("mnist").split().train
    contact_sheet([compose(digits, seed) for seed in range(30)]).save(out)
    print(f"{out}: 30 photos of MNIST's training digits")
    return 0


if __name__ == "__main__":
    from benchmarks.common.arguments import positional, run

    sys.exit(run(main, __doc__, positional("out", "PNG file to write")))
