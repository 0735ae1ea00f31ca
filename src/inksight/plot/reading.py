"""Plots of what was read: a page with its digits, and the steps of one digit."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import PercentFormatter

from inksight._shared.validation import check
from inksight.plot.grammar import (
    CLASSES,
    IMAGES,
    NORMAL,
    SMALL,
    WIDTH,
    bare,
    blank,
    brief,
    canvas,
    note,
    show,
    text_on,
    ticks_of,
    title,
    write,
)  # fmt: skip
from inksight.plot.preprocessing import draw_prepared
from inksight.reading.grid import Cell, Grid
from inksight.reading.page import Page, Reading

MAX_HEIGHT, MAX_PIXEL = 9.0, 0.03  # inches: of a page and of a pixel of it
READ, REJECTED = CLASSES[0], CLASSES[6]  # colors of boxes and labels
MOST = 10  # classes whose probability is drawn


def draw_page(page: Page, ax: Axes | None = None) -> Figure:
    """Draw the picture of a page with a box around each digit, and above it what was read."""
    figure, ax, inches, height = _draw_picture(page, ax)
    room = 0.0  # pixels above the picture, for the labels of digits at its upper edge
    for reading in page:
        left, top, wide, high = reading.box
        color = READ if reading.digit is not None else REJECTED
        if wide and high:
            ax.add_patch(Rectangle((left, top), wide, high, fill=False, edgecolor=color, linewidth=1.0))
            size = min(max(0.3 * 72 * inches * high, 4.0), NORMAL)  # points
            label = {"facecolor": color, "linewidth": 0, "pad": 0.12 * size}
            middle = left + wide / 2
            write(
                ax, middle, top, brief(str(reading), 12), color=text_on(color), fontsize=size, va="bottom", bbox=label
            )
            room = max(room, 1.6 * size / (72 * inches) - top)
    ax.set_ylim(height, -room)
    found = "nothing to read" if page.digits[0].reason in ("blank", "faint", "small") else f"“{page.text}”"
    title(ax, f"Read on this picture: {brief(' / '.join(found.splitlines()), 50)}")
    reasons = list(dict.fromkeys(reading.reason for reading in page if reading.reason))
    rejected = f"? = rejected: {', '.join(reasons)}\n" if reasons else ""
    note(ax, f"{rejected}gray = dark, one scale for all")
    return figure


def draw_grid(grid: Grid, ax: Axes | None = None) -> Figure:
    """Draw the picture of a grid with its cells, and what was read in each."""
    figure, ax, inches, _ = _draw_picture(grid, ax)
    for row in grid.cells:
        for cell in row:
            color = REJECTED if cell.reason else READ
            ax.add_patch(Polygon(cell.corners, fill=False, edgecolor=READ, linewidth=0.8))
            if cell.content == "blank":
                continue
            # In the upper left corner, or the lower right one, where candidates rarely are.
            middle, corner = cell.corners.mean(axis=0), cell.corners[2 if cell.content == "candidates" else 0]
            x, y = middle + 0.8 * (corner - middle)
            size = max(min(0.25 * 72 * inches * cell.box[3], NORMAL), 4.0)  # points
            label = {"facecolor": color, "linewidth": 0, "pad": 0.12 * size}
            text = brief(str(cell), 12)
            sides = ("right", "bottom") if cell.content == "candidates" else ("left", "top")
            write(ax, x, y, text, color=text_on(color), fontsize=size, ha=sides[0], va=sides[1], bbox=label)
    rows, columns = grid.shape
    title(ax, f"Read in the {rows}x{columns} cells of this grid")
    signs = {"candidates": "* = several small digits", "digits": "? = rejected"}
    shown = [sign for content, sign in signs.items() if any(_needs_sign(cell, content) for _, cell in grid.numbered())]
    note(ax, "\n".join([", ".join(shown), "gray = dark, one scale for all"]).strip())
    return figure


def _needs_sign(cell: Cell, content: str) -> bool:
    return cell.content == content and (content == "candidates" or bool(cell.reason))


def _draw_picture(page: Page | Grid, ax: Axes | None) -> tuple[Figure, Axes, float, int]:
    """Draw the picture of a page; return its figure and axes, the inches per pixel, and its height in pixels."""
    height, width = (page.block * side for side in page.picture.shape)
    inches = min(WIDTH / width, MAX_HEIGHT / height, MAX_PIXEL)
    figure, ax = canvas(ax, inches * width, inches * height + 0.8)
    show(ax, 255 - page.picture, IMAGES, 0, 255, extent=(0, width, height, 0))
    bare(ax)
    return figure, ax, inches, height


def draw_reading(reading: Reading, ax: Axes | None = None, *, kind: str | None = None) -> Figure:
    """Draw how a digit was read: the steps of its preprocessing, the probabilities of the classes, or both.

    Parameters
    ----------
    reading : Reading
    ax : Axes, optional
        Gets the steps unless `kind` is given.
    kind : {"steps", "probabilities"}, optional
    """
    check(kind in (None, "steps", "probabilities"), "kind", kind, "steps or probabilities")
    if ax is None and kind is None:
        figure = blank(WIDTH + 1.0, 2.7)
        steps, probabilities = figure.subplots(1, 2, width_ratios=(3, 2))
        draw_prepared(reading.prepared, steps)
        _probabilities(reading, probabilities)
        return figure
    if kind == "probabilities":
        figure, ax = canvas(ax, 4.4, 2.7)
        _probabilities(reading, ax)
        return figure
    return draw_prepared(reading.prepared, ax)


def _probabilities(reading: Reading, ax: Axes) -> None:
    """Draw the probabilities of the classes, or of the most probable ones if there are many."""
    canvas(ax, 0, 0)
    title(ax, f"Rejected: {reading.reason}" if reading.digit is None else f"Read as {brief(reading.digit, 20)}")
    chances = reading.probabilities
    if not chances:
        bare(ax)
        note(ax, "nothing to read")
        return
    most = sorted(chances, key=lambda name: -chances[name])[:MOST]
    names = [name for name in chances if name in most]
    values = [chances[name] for name in names]
    ax.bar(range(len(names)), values, width=0.8, color=READ if reading.digit is not None else REJECTED)
    for place, value in enumerate(values):
        if value >= 0.005:
            write(ax, place, value + 0.02, f"{value:.0%}", va="bottom")
    ax.spines[["top", "right"]].set_visible(False)
    rotation = 90 if max(map(len, names)) > 3 else 0
    ax.set_xticks(range(len(names)), ticks_of(names), fontsize=NORMAL, parse_math=False, rotation=rotation)
    ax.tick_params(axis="x", length=0)
    ax.set(ylim=(0, 1.12), yticks=[0, 0.5, 1])
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.tick_params(axis="y", labelsize=SMALL)
    cut = f"the {MOST} most probable classes" if len(chances) > MOST else ""
    note(ax, cut, axis="probability of each class")
