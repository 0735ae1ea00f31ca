"""A picture on its way to what a network reads: as it came, its ink, and the 28x28."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inksight.config import IMAGE_SIZE
from inksight.imaging.preprocessing import Prepared
from inksight.imaging.resampling import Grayscale, resample, round_half_up
from inksight.plot.grammar import IMAGES, bare, canvas, note, show, title, write

HEIGHT, WIDEST = 4 * IMAGE_SIZE, 7 * IMAGE_SIZE  # pixels of every panel
GAP, ROOM = 14, 14  # pixels between panels, and over them for their names
PROBLEMS = {"blank": "nothing is on it", "faint": "the ink is too faint", "small": "what is on it is too small"}


def draw_prepared(prepared: Prepared, ax: Axes | None = None) -> Figure:
    """Draw the picture as it came, its ink, and what the network sees, side by side.

    Parameters
    ----------
    prepared : Prepared
    ax : Axes, optional
    """
    seen = np.kron(prepared.image / 255, np.ones((HEIGHT // IMAGE_SIZE, HEIGHT // IMAGE_SIZE)))
    panels = {"as it came": _high(1 - prepared.grayscale), "its ink": _high(prepared.ink), "28x28": seen}
    width = sum(panel.shape[1] + GAP for panel in panels.values()) - GAP
    sheet = np.full((ROOM + HEIGHT, width), np.nan)
    figure, ax = canvas(ax, 0.016 * width, 0.016 * HEIGHT + 0.9)
    at = 0
    for name, panel in panels.items():
        sheet[ROOM:, at : at + panel.shape[1]] = panel
        write(ax, at + panel.shape[1] / 2, ROOM / 2, name)
        at += panel.shape[1] + GAP
    show(ax, sheet, IMAGES, 0, 1)
    bare(ax)
    ink = "dark ink" if prepared.dark else "light ink"
    title(ax, f"A picture made ready: {PROBLEMS.get(prepared.problem, ink)}")
    note(ax, "grey = ink, one scale for all; the picture as it came: grey = dark")
    return figure


def _high(grey: Grayscale) -> Grayscale:
    """Return a picture of the panels' height and at most `WIDEST`, its proportions kept and nothing around it."""
    height, width = grey.shape
    ratio = min(HEIGHT / height, WIDEST / width)
    tall, wide = (
        max(1, min(round_half_up(length * ratio), most)) for length, most in ((height, HEIGHT), (width, WIDEST))
    )
    panel = np.full((HEIGHT, wide), np.nan)
    top = (HEIGHT - tall) // 2
    panel[top : top + tall] = resample(grey, tall, wide)
    return panel
