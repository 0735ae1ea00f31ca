"""Plots of a dataset: examples of every class, or one image of each."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inksight._shared.validation import check, is_count
from inksight.config import IMAGE_SIZE
from inksight.data.dataset import Dataset
from inksight.errors import InputError
from inksight.plot.grammar import IMAGES, NORMAL, bare, brief, canvas, montage, note, show, ticks_of, title, unit

GAP = 2  # pixels between images
STEP = IMAGE_SIZE + GAP


def draw_dataset(
    dataset: Dataset,
    ax: Axes | None = None,
    *,
    kind: str = "examples",
    columns: int = 10,
    seed: int | None = None,
) -> Figure:
    """Draw examples in one row per class (``kind="examples"``), or one image per class (``kind="one_of_each"``).

    Parameters
    ----------
    dataset : Dataset
        Without labels, up to ten rows of images are drawn.
    ax : Axes, optional
    kind : {"examples", "one_of_each"}
    columns : int
        Examples per row.
    seed : int, optional
        Choose the examples at random; by default the first ones are drawn.
    """
    check(kind in ("examples", "one_of_each"), "kind", kind, "examples or one_of_each")
    check(is_count(columns), "columns", columns, "a whole number of at least 1")
    order = np.arange(len(dataset.images))
    if seed is not None:
        order = np.random.default_rng(seed).permutation(order)
    if dataset.labels is None:
        if kind == "one_of_each":
            raise InputError(f"one_of_each needs labels, and {dataset.name!r} has none: use kind='examples'")
        rows = [order[start : start + columns] for start in range(0, min(len(order), 10 * columns), columns)]
        names = [""] * len(rows)
    else:
        each = 1 if kind == "one_of_each" else columns
        of_class = [order[dataset.labels[order] == label] for label in range(len(dataset.class_names))]
        rows, names = [ids[:each] for ids in of_class], ticks_of(dataset.class_names)

    tiles = np.full((max(len(rows), 1), max(map(len, rows), default=1) or 1, IMAGE_SIZE, IMAGE_SIZE), np.nan)
    for row, ids in zip(tiles, rows, strict=False):
        row[: len(ids)] = unit(dataset.images[ids])
    tall, wide = tiles.shape[:2]
    if kind == "one_of_each":
        tall, wide = wide, tall
    figure, ax = canvas(ax, 0.58 * wide + 0.6, 0.58 * tall + 0.7)
    show(ax, montage(tiles.reshape(-1, IMAGE_SIZE, IMAGE_SIZE), wide, (GAP, GAP)), IMAGES, 0, 1)
    bare(ax)
    middles = np.arange(len(names)) * STEP + (IMAGE_SIZE - 1) / 2
    if kind == "one_of_each":
        ax.set_xticks(middles, names, fontsize=NORMAL, parse_math=False)
        title(ax, f"One image of each class of {brief(dataset.name, 40)}")
    else:
        ax.set_yticks(middles, names, fontsize=NORMAL, parse_math=False)
        title(ax, f"Examples from {brief(dataset.name, 40)}")
    note(ax, "gray = ink, from 0 (paper) to 255 for all images")
    return figure
