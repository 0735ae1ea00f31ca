"""Plots of the geometry of barcodes: class distances, nearest neighbours, two-dimensional embedding."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.config import IMAGE_SIZE
from inksight.inspection.geometry import Embedding, Separation
from inksight.inspection.nearest import Neighbours
from inksight.plot.grammar import (
    CLASSES,
    DARK,
    IMAGES,
    NORMAL,
    SCORES,
    SMALL,
    TEXT,
    WIDTH,
    bare,
    brief,
    canvas,
    montage,
    note,
    read_as,
    shared_scale,
    show,
    text_on,
    ticks_of,
    title,
    unit,
    write,
)  # fmt: skip

ROOM, GAP = 8, 6  # pixels above each tile for its text, and between tiles


def draw_separation(separation: Separation, ax: Axes | None = None) -> Figure:
    """Draw the matrix of distances between class means, with a frame around the closest pair."""
    names, distances = ticks_of(separation.class_names), separation.distances
    classes = len(names)
    side = min(max(0.42 * classes, 2.0), WIDTH)
    figure, ax = canvas(ax, side + 1.0, side + 1.0)
    pixels = distances + np.diag(np.full(classes, np.nan))
    low, high = float(np.nanmin(pixels)), float(np.nanmax(pixels))
    image = show(ax, pixels, SCORES, low, high)
    if classes <= 30:
        for row, column in zip(*np.nonzero(~np.eye(classes, dtype=bool)), strict=True):
            value = distances[row, column]
            write(
                ax, column, row, f"{value:.1f}",
                color=text_on(image.to_rgba(value), inverts=True), fontsize=SMALL if classes <= 12 else 4.5,
            )  # fmt: skip
    bare(ax)
    first, second = separation.closest
    for x, y in ((first, second), (second, first)):
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=CLASSES[0], linewidth=2))
    rotation = 90 if max(map(len, names)) > 3 else 0
    ax.set_xticks(range(classes), names, fontsize=NORMAL, parse_math=False, rotation=rotation)
    ax.set_yticks(range(classes), names, fontsize=NORMAL, parse_math=False)
    title(ax, f"Distances between classes; closest: {names[first]} and {names[second]}")
    note(ax, shared_scale(low, high, "in standard deviations within a class"))
    return figure


def draw_neighbours(neighbours: Neighbours, ax: Axes | None = None) -> Figure:
    """Draw each query image on the left and its nearest neighbours to the right, with class and distance above them."""
    n, k = neighbours.ids.shape
    names = neighbours.class_names
    columns = k + 1
    tile = min(WIDTH / columns, 0.85)
    figure, ax = canvas(ax, tile * (columns + 0.4) + 0.2, (tile * 1.25) * max(n, 1) + 0.7)
    tiles = np.full((max(n, 1), columns, IMAGE_SIZE + ROOM, IMAGE_SIZE), np.nan)
    tiles[:n, 0, ROOM:] = unit(neighbours.queries)
    tiles[:n, 1:, ROOM:] = unit(neighbours.images)
    pixels = montage(tiles.reshape(-1, IMAGE_SIZE + ROOM, IMAGE_SIZE), columns, (GAP // 2, GAP))
    step = IMAGE_SIZE + GAP
    pixels = np.insert(pixels, [step] * GAP, np.nan, axis=1)  # a wider gap after the query
    show(ax, pixels, IMAGES, 0, 1)
    bare(ax)
    for row in range(n):
        y = row * (IMAGE_SIZE + ROOM + GAP // 2) + ROOM - 1.2
        prediction = names[neighbours.predictions[row]]
        if neighbours.query_labels is None:
            text = f"read as {brief(prediction)}"
        else:
            text = read_as(names[neighbours.query_labels[row]], prediction)
        write(ax, IMAGE_SIZE / 2 - 0.5, y, text, va="bottom", fontsize=SMALL - 0.5)
        for column in range(k):
            text = f"{neighbours.distances[row, column]:.1f}"
            if neighbours.labels is not None:
                text = f"{brief(names[neighbours.labels[row, column]])} · {text}"
            x = (column + 1) * step + GAP + IMAGE_SIZE / 2 - 0.5
            write(ax, x, y, text, va="bottom", fontsize=SMALL - 0.5)
    x = step - 0.5
    ax.plot([x, x], [0, max(len(pixels) - 1, 1)], color=TEXT, linewidth=0.8, alpha=0.4)
    title(ax, "Images and their nearest neighbours by barcode")
    caption = "class · distance" if neighbours.labels is not None else "distance"
    note(ax, f"above each neighbour: {caption} · nearest first · gray = ink, one scale for all")
    return figure


def draw_embedding(embedding: Embedding, ax: Axes | None = None, *, most: int = 2000) -> Figure:
    """Draw barcodes as points in two dimensions, colored by class, with the name of each class at its mean.

    Parameters
    ----------
    embedding : Embedding
    ax : Axes, optional
    most : int
        Maximum number of points to draw, evenly spaced over all rows.
    """
    check(is_count(most), "most", most, "a whole number of at least 1")
    figure, ax = canvas(ax, 6.2, 5.8)
    ax.spines[["top", "right"]].set_visible(False)
    shown = np.unique(np.linspace(0, len(embedding.points) - 1, most).astype(int))
    labels = embedding.labels
    colors = np.array([to_rgb(color) for color in CLASSES])
    point_colors = colors[[8] * len(shown)] if labels is None else colors[labels[shown] % len(colors)]
    # Rasterized, because thousands of SVG elements would make a page slow.
    x, y = embedding.points[shown].T
    ax.scatter(x, y, c=point_colors, s=7, alpha=0.75, linewidths=0, rasterized=True)
    if labels is not None:
        present = np.unique(labels)
        means = np.array([embedding.points[labels == label].mean(axis=0) for label in present])
        size = np.ptp(embedding.points[shown], axis=0).max() or 1.0
        for label, (x, y) in zip(present, _spread_apart(means, 0.045 * size), strict=True):
            name, color = brief(embedding.class_names[label], 20), CLASSES[label % len(CLASSES)]
            box = {"boxstyle": "round,pad=0.25", "facecolor": color, "edgecolor": DARK, "linewidth": 0.6}
            write(ax, x, y, name, color=text_on(color), fontsize=NORMAL + 1.5, bbox=box)
    if embedding.method == "pca":
        title(ax, "Barcodes along their principal components")
        names, unit_of = ("first component", "second component"), "barcode units"
        kept = "of the variance"
    else:
        title(ax, "Barcodes along the axes that separate the classes best")
        names, unit_of = ("first discriminant", "second discriminant"), "standard deviations within a class"
        kept = "of the spread between classes"
    ax.set_ylabel(names[1], fontsize=NORMAL, color=TEXT)
    subset = f"{len(shown):,} of {len(embedding.points):,} images · " if len(shown) < len(embedding.points) else ""
    share = f"{embedding.share[0]:.0%} and {embedding.share[1]:.0%} {kept}"
    note(ax, f"{subset}{share}\naxes in {unit_of}", axis=names[0])
    ax.set_aspect("equal", adjustable="datalim")
    return figure


def _spread_apart(points: NDArray[np.float64], minimum: float) -> NDArray[np.float64]:
    """Move points (n, 2) that are closer than `minimum` a little apart, so that names at them do not overlap."""
    points = points.copy()
    for _ in range(100):
        difference = points[:, None] - points[None]
        distance = np.hypot(difference[..., 0], difference[..., 1])
        difference[distance == 0] = (0.0, 1e-9)
        push = np.where((distance < minimum) & ~np.eye(len(points), dtype=bool), minimum - distance, 0.0)
        if not push.any():
            break
        # Of two equal points, one moves up and the other down, by their order.
        direction = difference / np.maximum(distance, 1e-9)[..., None]
        direction[np.triu(distance == 0)] *= -1
        points += (direction * push[..., None]).sum(axis=1) / 2
    return points
