"""The color grammar of all plots, and the parts that they share.

Gray is for images (ink is dark). Red and blue are for weights and differences, centered on zero. Violet to yellow is
for activations. Orange is for scores: counts, shares and distances. Every plot says whether its tiles share one
color scale. pyplot is never used: it keeps figures alive and is not thread-safe.
"""

import base64
import io
import math
import os
from collections.abc import Sequence
from html import escape
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.transforms import ScaledTranslation, Transform, blended_transform_factory
from numpy.typing import ArrayLike, NDArray

# `plot.output.to_svg` replaces this color by the text color of the page.
TEXT = "#1b1f24"
DARK, LIGHT = "#000000", "#ffffff"  # text on colored cells, which a page must not replace
# The same colors to the eye, for text on cells that a dark page inverts: there, `to_svg` exchanges the two.
DARK_THEN_LIGHT, LIGHT_THEN_DARK = "#000001", "#fffffe"

IMAGES = "gray_r"
WEIGHTS = "RdBu_r"
ACTIVATIONS = "viridis"
SCORES = "Oranges"
FROM_WHITE = (IMAGES, WEIGHTS, SCORES)  # inverted on dark pages, where large white areas would glare
# Petroff, "Accessible color sequences for data visualization", arXiv:2107.02270, 2021: ten colors that color-blind
# people can distinguish too.
CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip

WIDTH, MIN_WIDTH = 7.0, 4.4  # inches: the column of a page, and what a title or note needs
SMALL, NORMAL, LARGE = 7.5, 8.5, 10.5  # points
SAME_CONTRAST = 0.179  # relative luminance at which black and white text have the same contrast
SCREEN_DPI = 110  # dots per inch in a notebook; drawn with twice as many for dense screens


def canvas(ax: Axes | None, width: float, height: float) -> tuple[Figure, Axes]:
    """Return the figure and axes to draw on: `ax` and its figure, or new ones of a size in inches."""
    if ax is not None:
        figure = ax.get_figure(root=True)
        assert figure is not None
    else:
        figure = blank(max(width, MIN_WIDTH), height)
        ax = figure.add_subplot()
    ax.set_facecolor("none")
    ax.tick_params(colors=TEXT, labelsize=NORMAL, width=0.8, length=3)
    for spine in ax.spines.values():
        spine.set(color=TEXT, linewidth=0.8)
    return figure, ax


class NotebookFigure(Figure):
    """A figure that a notebook displays without pyplot or a magic command."""

    if TYPE_CHECKING:
        # matplotlib leaves parts of this type open, which strict type checkers report in a user's script.
        def savefig(  # noqa: D102
            self, fname: str | os.PathLike[Any] | IO[Any], *, transparent: bool | None = None, **kwargs: Any
        ) -> None: ...

    def _repr_html_(self) -> str:
        return html(self)


def html(figure: Figure, description: str = "") -> str:
    """Return a figure as an ``<img>`` element, drawn for dense screens.

    The description is the element's alternative text; by default the titles of the axes.
    """
    description = description or titles(figure)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=2 * SCREEN_DPI, bbox_inches="tight")
    width = int.from_bytes(png.getbuffer()[16:20], "big") // 2  # a PNG file stores its width at byte 16
    data = base64.b64encode(png.getvalue()).decode()
    return (
        f'<img src="data:image/png;base64,{data}" alt="{escape(description)}" width="{width}" '
        'style="max-width:100%;height:auto">'
    )


def titles(figure: Figure) -> str:
    """Return the titles of the axes of a figure, its description by default."""
    return "; ".join(filter(None, (ax.get_title(loc="left") for ax in figure.axes)))


def blank(width: float, height: float) -> Figure:
    """Return a new figure without axes, of a size in inches."""
    figure = NotebookFigure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def bare(ax: Axes) -> None:
    """Remove frame and ticks."""
    ax.set(xticks=[], yticks=[])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def title(ax: Axes, text: str) -> None:
    """Set a left-aligned title."""
    ax.set_title(text, loc="left", fontsize=LARGE, color=TEXT, parse_math=False)


def note(ax: Axes, text: str, axis: str = "") -> None:
    """Write the name of the x axis, if any, and a note (color scale, how to read the plot) below the axes."""
    if axis:
        ax.set_xlabel(f"{axis}\n{text}" if text else axis, fontsize=NORMAL, color=TEXT, parse_math=False)
    else:
        ax.set_xlabel(text, loc="left", fontsize=SMALL, color=TEXT, parse_math=False, labelpad=6)


def write(ax: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """Write small text at a position in data coordinates, without math: a class may have the name ``$x$``."""
    settings: dict[str, Any] = {
        "color": TEXT,
        "fontsize": SMALL,
        "ha": "center",
        "va": "center",
        "parse_math": False,
    }
    ax.text(x, y, text, **(settings | options))


def brief(name: str, length: int = 6) -> str:
    """Shorten a name to `length` characters; by default it fits above a tile."""
    return name if len(name) <= length else name[: length - 1] + "…"


def ticks_of(names: Sequence[str]) -> list[str]:
    """Shorten class names to fit next to an axis."""
    return [brief(name, 20) for name in names]


def read_as(label: str, prediction: str) -> str:
    """Return the text above a tile: its label and its prediction."""
    long = max(len(label), len(prediction)) > 3
    return f"{brief(label, 5)} → {brief(prediction, 5)}" if long else f"{label} read as {prediction}"


def columns_for(count: int) -> int:
    """Return the columns of a montage that is about twice as wide as high and has the fewest empty cells."""
    if count < 6:
        return max(count, 1)
    candidates = range(math.ceil(math.sqrt(count)), math.ceil(2 * math.sqrt(count)) + 2)
    return min(candidates, key=lambda columns: (-count % columns, -columns))


def unit(images: NDArray[Any]) -> NDArray[np.float32]:
    """Convert images from uint8 or float 0..1 to float 0..1."""
    return images.astype(np.float32) / np.float32(255 if images.dtype == np.uint8 else 1)


def own_scale(tiles: NDArray[Any], centered: bool = False) -> NDArray[np.float64]:
    """Scale each tile (n, h, w) to its own range: to 0..1 or, if `centered`, to -1..1 without moving zero."""
    tiles = tiles.astype(np.float64)
    low = np.zeros((len(tiles), 1, 1)) if centered else tiles.min(axis=(1, 2), keepdims=True)
    reach = np.abs(tiles - low).max(axis=(1, 2), keepdims=True)
    return np.asarray((tiles - low) / np.where(reach > 0, reach, 1.0))


def montage(tiles: NDArray[Any], columns: int, gap: tuple[int, int] = (1, 1)) -> NDArray[np.float64]:
    """Arrange tiles (n, h, w) row by row in one array, with `gap` pixels (down, across) of NaN between them."""
    count, height, width = tiles.shape
    rows = -(-count // columns)
    down, across = gap
    pixels = np.full((rows * columns, height + down, width + across), np.nan)
    pixels[:count, :height, :width] = tiles
    in_rows = pixels.reshape(rows, columns, height + down, width + across).swapaxes(1, 2)
    sheet = in_rows.reshape(rows * (height + down), -1)
    return sheet[: sheet.shape[0] - down, : sheet.shape[1] - across]


def number_tiles(ax: Axes, count: int, columns: int, step: tuple[int, int], room: int) -> None:
    """Write the number of each tile, from 0, into the `room` pixels above it.

    `step` is the distance in pixels (down, across) from one tile of the montage to the next.
    """
    for i in range(count):
        row, column = divmod(i, columns)
        write(
            ax, column * step[1] - 0.5, row * step[0] + room - 1, str(i),
            ha="left", va="bottom", fontsize=SMALL,
        )  # fmt: skip


def show(
    ax: Axes,
    pixels: ArrayLike,
    colors: str,
    low: float,
    high: float,
    extent: tuple[float, float, float, float] | None = None,
    **options: Any,
) -> AxesImage:
    """Show an array pixel by pixel in a color map; NaN is transparent."""
    if not high > low:  # all values are equal
        low, high = low - 0.5, low + 0.5
    return ax.imshow(
        np.ma.masked_invalid(pixels), cmap=colormaps[colors], vmin=low, vmax=high,
        interpolation="none", extent=extent, **options,
    )  # fmt: skip


def reach(values: NDArray[Any]) -> float:
    """Return the largest absolute value, the end of a color scale centered on zero."""
    return float(np.nanmax(np.abs(values), initial=0.0))


def number(value: float) -> str:
    """Format a number of a color scale with two significant digits and a typographic minus sign."""
    text = "0" if value == 0 else f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"
    return text.replace("-", "−")


def shared_scale(low: float, high: float, what: str) -> str:
    """Return the note that all tiles share one color scale."""
    return f"{what}: one color scale for all, {number(low)} to {number(high)}"


def inches_from(ax: Axes, x: float, y: float) -> Transform:
    """Return coordinates in inches, relative to a point of the axes from (0, 0), lower left, to (1, 1)."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    # `transAxes` is affine, but not declared so.
    return figure.dpi_scale_trans + ScaledTranslation(x, y, ax.transAxes)  # type: ignore[arg-type]


def color_bar(ax: Axes, image: AxesImage) -> None:
    """Draw a color scale to the right of an image, as high as the image and 0.12 inches wide."""
    low, high = image.get_clim()
    coordinates = blended_transform_factory(inches_from(ax, 1, 0), ax.transAxes)
    bar = ax.inset_axes((0.1, 0, 0.12, 1), transform=coordinates)
    bar.imshow(
        np.linspace(low, high, 128)[:, None], cmap=image.get_cmap(), vmin=low, vmax=high,
        aspect="auto", origin="lower", extent=(0, 1, low, high), interpolation="none",
    )  # fmt: skip
    bar.yaxis.tick_right()
    bar.set(xticks=[])
    ticks = [low, (low + high) / 2, high]
    bar.set_yticks(ticks, [number(value) for value in ticks])
    bar.tick_params(colors=TEXT, labelsize=SMALL, length=2, width=0.6)
    bar.spines[:].set(color=TEXT, linewidth=0.6)


def text_on(color: Any, *, inverts: bool = False) -> str:
    """Return the text color with the higher contrast on a cell of `color`, which is at least 4.5:1.

    Parameters
    ----------
    color : matplotlib color
    inverts : bool
        Whether the color map of the cell is in `FROM_WHITE`. The text is then also readable on a dark page.

    Examples
    --------
    >>> text_on("white"), text_on("#7f2704"), text_on("white", inverts=True)
    ('#000000', '#ffffff', '#000001')
    """
    dark = luminance(color) > SAME_CONTRAST
    if inverts and dark != (luminance(in_dark_mode(color)) > SAME_CONTRAST):
        return DARK_THEN_LIGHT if dark else LIGHT_THEN_DARK
    return DARK if dark else LIGHT


def luminance(color: Any) -> float:
    """Return the relative luminance of a color, 0 to 1, as defined by WCAG 2."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def in_dark_mode(color: Any) -> tuple[float, float, float]:
    """Return the color that a dark page makes of one in a `FROM_WHITE` map.

    The style sheet does it by ``invert(0.9) hue-rotate(180deg)``: lightness is reversed and the hue stays.
    """
    inverted = 0.9 - 0.8 * np.array(to_rgb(color))
    red, green, blue = np.clip(2 * np.array([0.213, 0.715, 0.072]) @ inverted - inverted, 0, 1).tolist()
    return red, green, blue
