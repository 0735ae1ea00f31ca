"""Plots of images: examples of every class, one image of each, and how many images each class has."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from inksight._shared.validation import check, check_seed, is_count
from inksight.config import IMAGE_SIZE
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InputError
from inksight.plot.grammar import (
    CLASSES,
    IMAGES,
    NORMAL,
    TEXT,
    WIDTH,
    bare,
    brief,
    canvas,
    montage,
    note,
    show,
    ticks_of,
    title,
    unit,
    write,
)  # fmt: skip

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
    """Draw examples of each class, one image of each class, or the number of images of each class.

    Parameters
    ----------
    dataset : Dataset
        Without labels, up to ten rows of images are drawn.
    ax : Axes, optional
    kind : {"examples", "one_of_each", "counts"}
        One row of examples per class; one image per class; or one bar per class, as high as its number of images.
    columns : int
        Examples per row.
    seed : int, optional
        Choose the examples at random; by default the first ones are drawn.
    """
    check(kind in ("examples", "one_of_each", "counts"), "kind", kind, "examples, one_of_each or counts")
    check(is_count(columns), "columns", columns, "a whole number of at least 1")
    if kind != "examples" and dataset.labels is None:
        raise InputError(f"kind={kind!r} needs labels, and {dataset.name!r} has none: use kind='examples'")
    if kind == "counts":
        return _counts({brief(dataset.name, 40): dataset}, ax)
    order = np.arange(len(dataset.images))
    if seed is not None:
        check_seed(seed)
        order = np.random.default_rng(seed).permutation(order)
    if dataset.labels is None:
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


def draw_splits(splits: Splits, ax: Axes | None = None) -> Figure:
    """Draw the number of images of each class in each part, as bars side by side."""
    return _counts(splits.parts, ax)


COLORS = {"train": CLASSES[0], "validation": CLASSES[6], "test": CLASSES[8]}
UNLABELED = "no label"  # the bar of a part without labels
NUMBERED = 12  # bars that have room for their number above them
CHARACTER = 0.06  # inches: width of a character of a tick


def _counts(parts: Mapping[str, Dataset], ax: Axes | None) -> Figure:
    """Draw the number of images of each class of one or several datasets."""
    by_class = {
        name: {UNLABELED: len(part)} if part.labels is None else dict(zip(part.class_names, part.counts, strict=True))
        for name, part in parts.items()
    }
    names = list(dict.fromkeys(name for counts in by_class.values() for name in counts))
    figure, ax = canvas(ax, WIDTH, 2.9)
    width = 0.8 / len(parts)
    for i, (part, counts) in enumerate(by_class.items()):
        heights = [counts.get(name, 0) for name in names]
        places = np.arange(len(names)) + (i - (len(parts) - 1) / 2) * width
        label = f"{part}: {len(parts[part]):,}"
        ax.bar(places, heights, width=0.9 * width, color=COLORS.get(part, CLASSES[0]), label=label)
        if len(names) * len(parts) <= NUMBERED:
            for place, height in zip(places, heights, strict=True):
                write(ax, place, height + 0.02 * max(heights), f"{height:,}", va="bottom")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color=TEXT, alpha=0.15, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    highest = max(count for counts in by_class.values() for count in counts.values())
    ax.set_ylim(0, (1.2 if len(parts) > 1 else 1.1) * max(highest, 1))  # room for the legend, or for the numbers
    step = -(-len(names) // 50)  # more names would overlap
    ticks = ticks_of(names[::step])
    fit = max(map(len, ticks)) * CHARACTER < 0.8 * WIDTH / len(ticks)
    ax.set_xticks(
        range(0, len(names), step), ticks, fontsize=NORMAL, parse_math=False, rotation=0 if fit else 90
    )  # fmt: skip
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("images", fontsize=NORMAL, color=TEXT)
    if len(parts) > 1:
        ax.legend(frameon=False, fontsize=NORMAL, labelcolor=TEXT, ncols=len(parts), loc="upper right")
        title(ax, "Images of each class")
    else:
        (name,) = parts
        title(ax, f"Images of each class of {name}: {len(parts[name]):,}")
    note(ax, "", axis="class")
    return figure
