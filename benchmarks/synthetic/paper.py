"""Sheets of paper and boards: color, texture, printed lines, and dirt."""

import numpy as np
from scipy import ndimage

from benchmarks.synthetic.noise import Array, smooth_noise

SHEET_COLORS = ((250, 250, 248), (245, 240, 225), (225, 222, 215), (235, 240, 245), (205, 200, 190))
BOARD_COLORS = ((40, 60, 50), (45, 45, 48), (35, 50, 65))


def draw_sheet(
    paper: str, shape: tuple[int, int], height: float, baseline: float, spacing: float, rng: np.random.Generator
) -> Array:
    """Return an empty sheet with its printed lines.

    Parameters
    ----------
    paper : str
        One of `benchmarks.synthetic.pages.PAPERS`.
    shape : (height, width)
        Pixels.
    height : float
        Height of the digits, in pixels.
    baseline, spacing : float
        Row that the first line of digits ends at, and distance between lines, in pixels.

    Returns
    -------
    (height, width, 3) float64, 0..1
    """
    colors = BOARD_COLORS if paper == "board" else SHEET_COLORS
    sheet: Array = np.ones((*shape, 3)) * np.array(colors[rng.integers(len(colors))]) / 255
    texture = smooth_noise(shape, 1.5, rng) * 0.008 + smooth_noise(shape, 12, rng) * 0.008
    if paper == "board":  # traces of wiping
        texture = texture + np.abs(smooth_noise(shape, max(shape) / 6, rng)) * 0.04
        texture = texture + ndimage.uniform_filter1d(smooth_noise(shape, 2, rng), 41, axis=1) * 0.05
    sheet = sheet + texture[..., None]
    blue, red = np.array([120, 150, 200]) / 255, np.array([210, 110, 110]) / 255
    color = (blue if rng.random() < 0.7 else np.full(3, 0.6)) * rng.uniform(0.85, 1.15)
    strength, thickness = rng.uniform(0.35, 0.9), max(1, round(rng.uniform(0.015, 0.035) * height))
    if paper == "ruled":
        step = spacing if rng.random() < 0.6 else spacing * rng.uniform(0.4, 0.8)
        offset = baseline - spacing + 1.4 * height + rng.normal(0, 0.06) * height - 0.2 * height
        _rule(sheet, offset % step, step, thickness, color, strength, axis=0)
        if rng.random() < 0.4:  # a margin line
            _rule(sheet, rng.uniform(0.05, 0.3) * height, 1e9, thickness, red, strength, axis=1)
    elif paper == "squared":
        step = height * rng.uniform(0.45, 1.3)
        for axis in (0, 1):
            _rule(sheet, rng.uniform(0, step), step, thickness, color, strength * 0.8, axis)
    return np.clip(sheet, 0, 1)


def _rule(sheet: Array, first: float, step: float, thickness: int, color: Array, strength: float, axis: int) -> None:
    """Print parallel lines on a sheet, `step` pixels apart, in place."""
    for position in np.arange(first, sheet.shape[axis], step):
        line = [slice(None), slice(None)]
        line[axis] = slice(int(position), int(position) + thickness)
        sheet[tuple(line)] = sheet[tuple(line)] * (1 - strength) + color * strength


def add_dirt(page: Array, height: float, rng: np.random.Generator) -> Array:
    """Return the page with specks, and sometimes a smudge; `height` is that of the digits, in pixels."""
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]]
    for _ in range(int(rng.integers(1, 12))):
        y, x, size = rng.uniform(0, page.shape[0]), rng.uniform(0, page.shape[1]), rng.uniform(0.6, 0.035 * height + 1)
        speck = np.clip(size - np.hypot(rows - y, (columns - x) * rng.uniform(0.6, 1.6)) + 0.5, 0, 1)
        page = page * (1 - speck * rng.uniform(0.2, 0.7))[..., None]
    if rng.random() < 0.3:
        y, x, size = rng.uniform(0, page.shape[0]), rng.uniform(0, page.shape[1]), rng.uniform(0.3, 1) * height
        page = page * (1 - 0.1 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / size**2))[..., None]
    return page
