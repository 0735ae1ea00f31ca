"""Fonts that print digits: found in a folder, and checked by a network that was trained on handwriting alone."""

from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from inksight.imaging.preprocessing import prepare_grayscale
from inksight.nn.model_file import load_model

SIZE = 64  # pixels: em of the fonts
MIN_READ = 4  # of the ten digits: a font of which fewer are read has other signs in their place
HELD_OUT = 10  # one family of so many is never trained on


def find_fonts(folder: str | Path) -> list[Path]:
    """Return the font files in a folder and its subfolders that print digits, sorted by path.

    Symbol fonts have other signs in the place of digits, and many fonts of other scripts have none. The shipped model
    `best` reads at least four of a font's ten digits, or the font is left out.
    """
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    model = load_model("best")
    found = []
    for path in files:
        try:
            pictures = [draw_text(path, digit) for digit in "0123456789"]
        except (OSError, ValueError, UnidentifiedImageError):  # a damaged font, or a glyph without a size
            continue
        images = np.stack([prepare_grayscale(1 - np.asarray(picture) / 255).image for picture in pictures])
        distinct = len({image.tobytes() for image in images}) == len(images)
        if distinct and (model.predict(images) == np.arange(10)).sum() >= MIN_READ:
            found.append(path)
    return found


def is_held_out(path: Path) -> bool:
    """Return whether a font belongs to the families that measure and are never trained on.

    The styles of a family, such as ``Lato-Bold`` and ``Lato-Italic``, stay together.
    """
    family = "".join(filter(str.isalpha, path.stem.split("-")[0])).lower()[:6]
    return crc32(family.encode()) % HELD_OUT == 0


def draw_text(path: Path, text: str, stroke: int = 0) -> Image.Image:
    """Draw text as a mask, high = ink, without margins but for 4 pixels.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    font = _font(str(path))
    left, top, right, bottom = font.getbbox(text, stroke_width=stroke)
    width, height = int(right - left), int(bottom - top)
    if not (2 <= width <= 8 * SIZE and 2 <= height <= 4 * SIZE):
        raise ValueError(f"{path.name} has no glyph for {text!r}")
    mask = Image.new("L", (width + 8, height + 8))
    ImageDraw.Draw(mask).text((4 - left, 4 - top), text, 255, font, stroke_width=stroke)
    return mask


@lru_cache(maxsize=4000)
def _font(path: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, SIZE)
