"""Plots of filters: their weights, their feature maps and their similarity."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.inspection.banks import FeatureMaps, Filters, FilterSimilarity, filters as filters_of
from inksight.nn.model import Model
from inksight.plot.grammar import (
    ACTIVATIONS,
    IMAGES,
    NORMAL,
    SMALL,
    TEXT,
    WEIGHTS,
    WIDTH,
    bare,
    blank,
    brief,
    canvas,
    color_bar,
    columns_for,
    montage,
    note,
    number_tiles,
    own_scale,
    reach,
    shared_scale,
    show,
    title,
    unit,
)  # fmt: skip

MOST_NUMBERED = 64  # filters whose numbers are written beside their similarity


def draw_filters(filters: Filters, ax: Axes | None = None, *, shared: bool = True, most: int = 64) -> Figure:
    """Draw the filters of a bank. With several input channels, a row is a filter and a column is a channel.

    Parameters
    ----------
    filters : Filters
    ax : Axes, optional
    shared : bool
        Use one color scale for all filters, so that weak filters look weak; otherwise each tile has its own scale.
    most : int
        Maximum number of filters, and of channels, to draw.
    """
    check(is_count(most), "most", most, "a whole number of at least 1")
    kernels = filters.kernels[:most, :most]
    count, channels, side, _ = kernels.shape
    tiles: NDArray[Any] = kernels.reshape(-1, side, side)
    top = reach(tiles) if shared else 1.0
    tiles = tiles if shared else own_scale(tiles, centered=True)
    several = channels > 1  # then the tiles are a table of filters and channels
    columns = channels if several else columns_for(count)
    rows = len(tiles) // columns + bool(len(tiles) % columns)
    # Enlarged, so that gaps and the room for numbers can be narrower than a weight.
    tiles = _enlarged(tiles, 6 if several else 30)
    size = tiles.shape[1]
    gap, room = (1, 0) if several else (3, 6)
    tile = min(WIDTH / columns, 8 / rows, 0.28 if several else 0.7)  # inches
    figure, ax = canvas(ax, tile * columns + 1.3, tile * (1 + room / size) * rows + 1.0)
    pixels = montage(np.pad(tiles, ((0, 0), (room, 0), (0, 0)), constant_values=np.nan), columns, (gap, gap))
    image = show(ax, pixels, WEIGHTS, -top, top)
    bare(ax)
    if several:
        middle = (size - 1) / 2
        across, down = _numbered(channels), _numbered(count)
        ax.set_xticks(across * (size + gap) + middle, [str(i) for i in across], fontsize=SMALL)
        ax.set_yticks(down * (size + gap) + middle, [str(i) for i in down], fontsize=SMALL)
        ax.set_ylabel("filter", fontsize=NORMAL, color=TEXT)
    else:
        number_tiles(ax, count, columns, (size + room + gap, size + gap), room)
    total, inputs = filters.kernels.shape[:2]
    cut = " (only the first are shown)" if (total, inputs) != (count, channels) else ""
    reads = f", {inputs} input channels" if several else ""
    title(ax, f"Bank {filters.bank}: {total} filter{'s' * (total > 1)} of {side}×{side}{reads}{cut}")
    own = "weights: each tile has its own color scale, centered on 0"
    note(ax, shared_scale(-top, top, "weights") if shared else own, axis="input channel" if several else "")
    if shared:
        color_bar(ax, image)
    return figure


def draw_model(model: Model, ax: Axes | None = None, *, bank: int = 1, shared: bool = True, most: int = 64) -> Figure:
    """Draw the filters of a bank of a model, counted from 1; see `draw_filters`."""
    return draw_filters(filters_of(model, bank), ax, shared=shared, most=most)


def draw_feature_maps(maps: FeatureMaps, ax: Axes | None = None, *, shared: bool = True) -> Figure:
    """Draw an image and its feature maps in a bank.

    Parameters
    ----------
    maps : FeatureMaps
    ax : Axes, optional
    shared : bool
        Use one color scale for all maps, so that a map with a weak response looks dark. It ends at the 99th
        percentile, because a few very bright pixels would darken all others. Otherwise each map has its own scale.
    """
    count, side, _ = maps.maps.shape
    columns = columns_for(count)
    rows = -(-count // columns)
    tiles = _enlarged(maps.maps if shared else own_scale(maps.maps), 24)
    height = tiles.shape[1]
    size = min(rows, 2)  # tiles: side length of the image
    tile = min((WIDTH - 0.8) / (columns + size), 0.7)  # inches
    room, gap = -(-height // 4), -(-height // 12)
    down, across = height + room + gap, height + gap
    figure, ax = canvas(ax, tile * (columns + size + 0.3) + 0.9, tile * 1.25 * rows + 0.8)
    low, high = (float(tiles.min()), float(np.quantile(tiles, 0.99))) if shared else (0.0, 1.0)
    pixels = montage(np.pad(tiles, ((0, 0), (room, 0), (0, 0)), constant_values=np.nan), columns, (gap, gap))
    image = show(ax, pixels, ACTIVATIONS, low, high)
    wide, right = size * across, -0.3 * across
    show(ax, unit(maps.image), IMAGES, 0, 1, extent=(right - wide, right, room + wide - 0.5, room - 0.5))
    ax.set(xlim=(right - wide, pixels.shape[1] - 0.5), ylim=(max(pixels.shape[0], room + wide) - 0.5, -0.5))
    bare(ax)
    number_tiles(ax, count, columns, (down, across), room)
    maps_of = "feature map" if count == 1 else f"{count} feature maps"
    title(ax, f"Bank {maps.bank}: {maps_of} of an image read as {brief(maps.prediction, 20)} ({maps.confidence:.1%})")
    text = f"activations, {side}×{side} positions per map"
    above = " and above" if high < tiles.max() else ""
    own = f"{text}: each map has its own color scale, from its lowest to its highest value"
    note(ax, shared_scale(low, high, text) + above if shared else own)
    if shared:
        color_bar(ax, image)
    return figure


def draw_filter_similarity(similarity: FilterSimilarity, ax: Axes | None = None, *, kind: str | None = None) -> Figure:
    """Draw the similarity of the filters of a bank: of their weights, of their feature maps, or both.

    Parameters
    ----------
    similarity : FilterSimilarity
    ax : Axes, optional
        Gets the similarity of the feature maps, or of the weights if there are no maps, unless `kind` is given.
    kind : {"weights", "maps"}, optional
    """
    check(kind in (None, "weights", "maps"), "kind", kind, "weights or maps")
    check(kind != "maps" or similarity.maps is not None, "kind", kind, "weights if no images were given")
    both = ax is None and kind is None and similarity.maps is not None
    # Each row has room for its number. Two matrices of many rows are too wide for a page beside each other.
    count = min(len(similarity.order), MOST_NUMBERED)
    side = max(3.2, (SMALL + 0.5) * count / 72)  # inches
    if both:
        wide = count > 28
        figure = blank(side + 1.2, 2 * (side + 0.9)) if wide else blank(WIDTH + 1.2, side + 0.9)
        first, second = figure.subplots(*((2, 1) if wide else (1, 2)))
        _similarity(similarity, first, "weights")
        _similarity(similarity, second, "maps")
        return figure
    room = side if ax is None else 2.6  # inches that a matrix has at least in axes of a usual size
    figure, ax = canvas(ax, side + 1.4, side + 1.2)
    _similarity(similarity, ax, kind or ("weights" if similarity.maps is None else "maps"), room)
    return figure


def _similarity(similarity: FilterSimilarity, ax: Axes, kind: str, room: float = np.inf) -> None:
    canvas(ax, 0, 0)
    matrix = similarity.weights if kind == "weights" else similarity.maps
    assert matrix is not None
    order = similarity.order
    image = show(ax, matrix[np.ix_(order, order)], WEIGHTS, -1, 1)
    bare(ax)
    if len(order) <= MOST_NUMBERED:
        size = min(SMALL, 72 * room / len(order))
        ax.set_xticks(range(len(order)), [str(i) for i in order], fontsize=size, rotation=90)
        ax.set_yticks(range(len(order)), [str(i) for i in order], fontsize=size)
    if kind == "weights":
        title(ax, f"Bank {similarity.bank}: similarity of the weights")
        note(ax, "cosine similarity, one color scale for all, −1 to 1", axis="filter")
    else:
        title(ax, f"Bank {similarity.bank}: similarity of the feature maps")
        note(ax, f"correlation over {similarity.images:,} images, one color scale for all, −1 to 1", axis="filter")
    color_bar(ax, image)


def _enlarged(tiles: NDArray[Any], pixels: int) -> NDArray[Any]:
    """Repeat each pixel of tiles (n, side, side) so that a side has at most about `pixels` pixels."""
    scale = max(1, pixels // tiles.shape[1])
    return tiles.repeat(scale, axis=1).repeat(scale, axis=2)


def _numbered(count: int) -> NDArray[np.int64]:
    """Return which of `count` rows get a number, so that the numbers do not overlap."""
    return np.arange(0, count, 1 if count <= 12 else 2 if count <= 24 else 5 if count <= 60 else 10)
