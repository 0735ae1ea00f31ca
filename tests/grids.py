"""Photos of grids, drawn for tests: numbers in cells, seen in perspective, bent and unevenly lit."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

MARGIN = 60  # pixels of paper around the flat grid
SCALE = 2  # the flat page is drawn larger, so that the photo is as sharp as one


def draw_page(
    texts: Sequence[Sequence[str]],
    digits: dict[str, NDArray[np.uint8]] | None = None,
    *,
    widths: Sequence[int] | None = None,
    height: int = 60,
    thick: int = 3,
    size: float = 0.6,
) -> tuple[Image.Image, NDArray[np.float64]]:
    """Return a flat page with a grid, and where its lines cross, (rows + 1, columns + 1, 2).

    Parameters
    ----------
    texts : rows of str
        What is in each cell. ``*23`` are candidates: small digits at the upper left.
    digits : dict of str to (28, 28) uint8, optional
        Images of the digits; printed by default.
    widths : sequence of int, optional
        Of the columns in pixels; `height` by default.
    height : int
        Of the rows, in pixels.
    thick : int
        Every how many lines one is thick.
    size : float
        Height of the digits, of the cell's.
    """
    widths = list(widths or [height] * len(texts[0]))
    x = SCALE * (MARGIN + np.cumsum([0, *widths]))
    y = SCALE * (MARGIN + height * np.arange(len(texts) + 1))
    page = Image.new("L", (int(x[-1]) + SCALE * MARGIN, int(y[-1]) + SCALE * MARGIN), 235)
    draw = ImageDraw.Draw(page)
    for lines, flip in ((y, False), (x, True)):
        ends = (x if not flip else y)[[0, -1]].tolist()
        for number, line in enumerate(lines.tolist()):
            points = [(ends[0], line), (ends[1], line)]
            draw.line(
                [p[::-1] for p in points] if flip else points, fill=60, width=SCALE * (1 if number % thick else 3)
            )
    for row, cells in enumerate(texts):
        for column, text in enumerate(cells):
            small = text.startswith("*")
            high = SCALE * height * (0.3 if small else size)
            images = [_glyph(character, high, digits) for character in text.removeprefix("*")]
            total = sum(image.width for image in images) + 4 * (len(images) - 1)
            left = x[column] + (10 if small else (x[column + 1] - x[column] - total) / 2)
            top = y[row] + (8 if small else (SCALE * height - high) / 2)
            for image in images:
                page.paste(30, (int(left), int(top)), image)
                left += image.width + 4
    return page, np.stack(np.meshgrid(x, y), axis=-1).astype(np.float64)


def _glyph(character: str, height: float, digits: dict[str, NDArray[np.uint8]] | None) -> Image.Image:
    """Return the ink of a digit as a mask of a given height."""
    if digits is None:
        font = ImageFont.load_default(200)
        mask = Image.new("L", (300, 300))
        ImageDraw.Draw(mask).text((50, 20), character, fill=255, font=font)
    else:
        mask = Image.fromarray(digits[character])
    mask = mask.crop(mask.getbbox())
    return mask.resize((max(round(mask.width * height / mask.height), 3), round(height)), Image.Resampling.LANCZOS)


def photograph(
    page: Image.Image,
    crossings: NDArray[np.float64],
    *,
    size: tuple[int, int] = (1000, 800),
    tilt: float = 0.12,
    turn: float = 4.0,
    bend: float = 0.0,
    shade: float = 0.5,
    background: float = 0.35,
    seed: int = 0,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return a photo of a page, (height, width) uint8, and where the lines cross on it.

    Parameters
    ----------
    page, crossings
        As `draw_page` returns them.
    size : (height, width)
    tilt : float
        How strong the perspective is.
    turn : float
        Degrees by which the page is turned.
    bend : float
        Height of the page's bulge in the middle, of the photo's height.
    shade : float
        By which share the light falls off across the photo.
    background : float
        Brightness of the table.
    """
    height, width = size
    forward = _camera(page.size, (width, height), tilt, turn)
    # The bend moves points of the photo down by a parabola across it, so its inverse is exact.
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    flat = np.stack([x, y - _bulge(x, width, bend * height)], axis=-1).reshape(-1, 2)
    backward = np.linalg.inv(forward).astype(np.float64)
    source = _apply(backward, flat).reshape(height, width, 2)
    pixels = np.asarray(page, np.float64) / 255
    blurred = ndimage.gaussian_filter(pixels, 0.4 * pixels.shape[1] / width)
    photo = ndimage.map_coordinates(blurred, [source[..., 1], source[..., 0]], order=1, cval=background)
    light = 1 - shade * (x / width + y / height) / 2
    noise = np.random.default_rng(seed).normal(0, 0.01, photo.shape)
    photo = np.clip(photo * light + noise, 0, 1)
    moved = _apply(forward, crossings.reshape(-1, 2))
    moved[:, 1] += _bulge(moved[:, 0], width, bend * height)
    return (255 * photo + 0.5).astype(np.uint8), moved.reshape(crossings.shape)


def _bulge(x: NDArray[np.float64], width: int, high: float) -> NDArray[np.float64]:
    return high * (1 - (2 * x / width - 1) ** 2)


def _camera(page: tuple[int, int], photo: tuple[int, int], tilt: float, turn: float) -> NDArray[np.float64]:
    """Return the projection of a page onto a photo, (3, 3): turned, scaled to fit, and tilted away at the top."""
    angle = np.deg2rad(turn)
    scale = 0.85 * min(photo[0] / page[0], photo[1] / page[1])
    to_middle = np.array([[1, 0, -page[0] / 2], [0, 1, -page[1] / 2], [0, 0, 1]])
    rotate = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    perspective = np.array([[scale, 0, 0], [0, scale, 0], [tilt / page[0], -tilt / page[1], 1]])
    to_photo = np.array([[1, 0, photo[0] / 2], [0, 1, photo[1] / 2], [0, 0, 1]])
    matrix: NDArray[np.float64] = to_photo @ perspective @ rotate @ to_middle
    return matrix


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    mapped = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    result: NDArray[np.float64] = mapped[:, :2] / mapped[:, 2:]
    return result
