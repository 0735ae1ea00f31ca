"""Plot of the preprocessing of a picture: original, ink, and the 28x28 image that the network reads."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inksight.config import IMAGE_SIZE
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale, resample, round_half_up
from inksight.plot.grammar import IMAGES, bare, canvas, note, show, title, write

HEIGHT, MAX_WIDTH = 4 * IMAGE_SIZE, 7 * IMAGE_SIZE  # pixels of every panel
GAP, ROOM = 14, 14  # pixels between panels, and above them for their names
PROBLEMS = {"blank": "no ink", "faint": "the ink is too faint", "small": "the ink is too small"}


def draw_prepared(prepared: Prepared, ax: Axes | None = None) -> Figure:
    """Draw the original picture, its ink, and the network's input side by side.

    Parameters
    ----------
    prepared : Prepared
    ax : Axes, optional
    """
    network_input = np.kron(prepared.image / 255, np.ones((HEIGHT // IMAGE_SIZE, HEIGHT // IMAGE_SIZE)))
    panels = {"original": _panel(1 - prepared.grayscale), "ink": _panel(prepared.ink), "28x28": network_input}
    width = sum(panel.shape[1] + GAP for panel in panels.values()) - GAP
    sheet = np.full((ROOM + HEIGHT, width), np.nan)
    figure, ax = canvas(ax, 0.016 * width, 0.016 * HEIGHT + 0.9)
    left = 0
    for name, panel in panels.items():
        sheet[ROOM:, left : left + panel.shape[1]] = panel
        write(ax, left + panel.shape[1] / 2, ROOM / 2, name)
        left += panel.shape[1] + GAP
    show(ax, sheet, IMAGES, 0, 1)
    bare(ax)
    ink = "dark ink" if prepared.dark else "light ink"
    title(ax, f"Preprocessing of a picture: {PROBLEMS.get(prepared.problem, ink)}")
    note(ax, "gray = ink, one scale for all; in the original: gray = dark")
    return figure


def _panel(gray: Grayscale) -> Grayscale:
    """Scale a picture to the height of a panel or to `MAX_WIDTH`, keeping its proportions, and center it vertically."""
    height, width = gray.shape
    ratio = min(HEIGHT / height, MAX_WIDTH / width)
    new_height = max(1, min(round_half_up(height * ratio), HEIGHT))
    new_width = max(1, min(round_half_up(width * ratio), MAX_WIDTH))
    panel = np.full((HEIGHT, new_width), np.nan)
    top = (HEIGHT - new_height) // 2
    panel[top : top + new_height] = resample(gray, new_height, new_width)
    return panel
