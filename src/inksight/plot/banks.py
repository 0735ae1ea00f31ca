"""Pictures of filters: their weights, the feature maps they make, how alike they are."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.inspection.banks import FeatureMaps, Filters, FilterSimilarity
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
    colour_bar,
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


def draw_filters(filters: Filters, ax: Axes | None = None, *, shared: bool = True, most: int = 64) -> Figure:
    """Draw the filters of a bank; where it reads several maps, a row a filter and a column an input channel.

    Parameters
    ----------
    filters : Filters
    ax : Axes, optional
    shared : bool
        One colour scale for all, so that a weak filter looks weak; otherwise each tile its own.
    most : int
        Filters, and channels, drawn at most.
    """
    check(is_count(most), "most", most, "a whole number of at least 1")
    kernels = filters.kernels[:most, :most]
    count, channels, side, _ = kernels.shape
    tiles: NDArray[Any] = kernels.reshape(-1, side, side)
    top = reach(tiles) if shared else 1.0
    tiles = tiles if shared else own_scale(tiles, centred=True)
    deep = channels > 1
    columns = channels if deep else columns_for(count)
    rows = len(tiles) // columns + bool(len(tiles) % columns)
    # Finer pixels make for a finer gap, and for room to write in.
    tiles = _enlarged(tiles, 6 if deep else 30)
    pixels = tiles.shape[1]
    gap, room = (1, 0) if deep else (3, 6)
    tile = min(WIDTH / columns, 8 / rows, 0.28 if deep else 0.7)  # inches
    figure, ax = canvas(ax, tile * columns + 1.3, tile * (1 + room / pixels) * rows + 1.0)
    wall = montage(np.pad(tiles, ((0, 0), (room, 0), (0, 0)), constant_values=np.nan), columns, (gap, gap))
    image = show(ax, wall, WEIGHTS, -top, top)
    bare(ax)
    if deep:
        middle = (pixels - 1) / 2
        across, down = _some(channels), _some(count)
        ax.set_xticks(across * (pixels + gap) + middle, [str(i) for i in across], fontsize=SMALL)
        ax.set_yticks(down * (pixels + gap) + middle, [str(i) for i in down], fontsize=SMALL)
        ax.set_ylabel("filter", fontsize=NORMAL, color=TEXT)
    else:
        number_tiles(ax, count, columns, (pixels + room + gap, pixels + gap), room)
    whole = filters.kernels.shape
    cut = " (the first of them)" if whole[:2] != (count, channels) else ""
    over = f", {whole[1]} input channels" if deep else ""
    title(ax, f"Bank {filters.bank}: {whole[0]} filter{'s' * (whole[0] > 1)} of {side}×{side}{over}{cut}")
    own = "weights: each tile its own colour scale, centred on 0"
    note(ax, shared_scale(-top, top, "weights") if shared else own, axis="input channel" if deep else "")
    if shared:
        colour_bar(ax, image)
    return figure


def draw_feature_maps(maps: FeatureMaps, ax: Axes | None = None, *, shared: bool = True) -> Figure:
    """Draw an image and the feature maps it leaves in a bank.

    Parameters
    ----------
    maps : FeatureMaps
    ax : Axes, optional
    shared : bool
        One colour scale for all, so that a map that hardly responds looks dark; it ends where one pixel in a
        hundred is brighter, or a few of those would darken all the rest. Otherwise each map its own.
    """
    count, side, _ = maps.maps.shape
    columns = columns_for(count)
    rows = -(-count // columns)
    tiles = _enlarged(maps.maps if shared else own_scale(maps.maps), 24)
    pixels = tiles.shape[1]
    size = min(rows, 2)  # of the image, in tiles
    tile = min((WIDTH - 0.8) / (columns + size), 0.7)  # inches
    room, gap = -(-pixels // 4), -(-pixels // 12)
    down, across = pixels + room + gap, pixels + gap
    figure, ax = canvas(ax, tile * (columns + size + 0.3) + 0.9, tile * 1.25 * rows + 0.8)
    low, high = (float(tiles.min()), float(np.quantile(tiles, 0.99))) if shared else (0.0, 1.0)
    wall = montage(np.pad(tiles, ((0, 0), (room, 0), (0, 0)), constant_values=np.nan), columns, (gap, gap))
    image = show(ax, wall, ACTIVATIONS, low, high)
    wide, right = size * across, -0.3 * across
    show(ax, unit(maps.image), IMAGES, 0, 1, extent=(right - wide, right, room + wide - 0.5, room - 0.5))
    ax.set(xlim=(right - wide, wall.shape[1] - 0.5), ylim=(max(wall.shape[0], room + wide) - 0.5, -0.5))
    bare(ax)
    number_tiles(ax, count, columns, (down, across), room)
    filters = "its filter sees" if count == 1 else f"its {count} filters see"
    title(ax, f"Bank {maps.bank}: what {filters}; read as {brief(maps.prediction, 20)} ({maps.confidence:.1%})")
    text = f"feature maps of {side}×{side} pixels"
    brighter = " and above" if high < tiles.max() else ""
    own = f"{text}: each its own colour scale, lowest to highest"
    note(ax, shared_scale(low, high, text) + brighter if shared else own)
    if shared:
        colour_bar(ax, image)
    return figure


def draw_filter_similarity(similarity: FilterSimilarity, ax: Axes | None = None, *, kind: str | None = None) -> Figure:
    """Draw how alike the filters of a bank are: their weights, their feature maps, or both side by side.

    Parameters
    ----------
    similarity : FilterSimilarity
    ax : Axes, optional
        Takes the feature maps, or the weights where there are no maps, unless `kind` says otherwise.
    kind : {"weights", "maps"}, optional
    """
    check(kind in (None, "weights", "maps"), "kind", kind, "weights or maps")
    check(kind != "maps" or similarity.maps is not None, "kind", kind, "weights where no images were given")
    both = ax is None and kind is None and similarity.maps is not None
    if both:
        figure = blank(WIDTH + 1.2, 4.1)
        first, second = figure.subplots(1, 2)
        _similarity(similarity, first, "weights")
        _similarity(similarity, second, "maps")
        return figure
    figure, ax = canvas(ax, 4.6, 4.4)
    _similarity(similarity, ax, kind or ("weights" if similarity.maps is None else "maps"))
    return figure


def _similarity(similarity: FilterSimilarity, ax: Axes, kind: str) -> None:
    canvas(ax, 0, 0)
    matrix = similarity.weights if kind == "weights" else similarity.maps
    assert matrix is not None
    order = similarity.order
    image = show(ax, matrix[np.ix_(order, order)], WEIGHTS, -1, 1)
    bare(ax)
    if len(order) <= 64:
        size = min(SMALL, 185 / len(order))  # points: a row's height, a little less
        ax.set_xticks(range(len(order)), [str(i) for i in order], fontsize=size, rotation=90)
        ax.set_yticks(range(len(order)), [str(i) for i in order], fontsize=size)
    if kind == "weights":
        title(ax, f"Bank {similarity.bank}: how alike filters are")
        note(ax, "cosine of their weights, −1 to 1 for all", axis="filter")
    else:
        title(ax, f"Bank {similarity.bank}: how alike their maps are")
        note(ax, f"correlation over {similarity.images:,} images, −1 to 1 for all", axis="filter")
    colour_bar(ax, image)


def _enlarged(tiles: NDArray[Any], pixels: int) -> NDArray[Any]:
    """Repeat the pixels of tiles (n, side, side) until a side has about so many."""
    scale = max(1, pixels // tiles.shape[1])
    return tiles.repeat(scale, axis=1).repeat(scale, axis=2)


def _some(count: int) -> NDArray[np.int64]:
    """Choose which of `count` rows to number, so that the numbers don't touch."""
    return np.arange(0, count, 1 if count <= 12 else 2 if count <= 24 else 5 if count <= 60 else 10)
