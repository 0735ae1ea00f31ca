"""Images whose labels are doubtful, and what they are taken for."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inksight._shared.validation import check, is_count
from inksight.inspection.label_errors import DoubtfulLabels
from inksight.plot.evaluation import draw_tiles, verdict
from inksight.plot.grammar import brief, note, title


def draw_doubtful_labels(found: DoubtfulLabels, ax: Axes | None = None, *, count: int = 24) -> Figure:
    """Draw the images whose labels are the most doubtful.

    Parameters
    ----------
    found : DoubtfulLabels
    ax : Axes, optional
    count : int
        How many, the most doubtful first.
    """
    check(is_count(count), "count", count, "a whole number of at least 1")
    rows, names = found.top(count), found.class_names
    texts = [
        f"{verdict(names[given], names[given if doubt <= 0 else other])}\n{p[given]:.1%} · #{row}"
        for row, given, other, doubt, p in zip(
            rows, found.labels[rows], found.suggested[rows], found.doubt[rows], found.probabilities[rows], strict=True
        )
    ]
    figure, ax = draw_tiles(ax, found.images[rows], texts)
    title(ax, f"The most doubtful labels of {brief(found.name, 40)}")
    note(
        ax,
        "over each: probability given to its label by networks that never saw it · row\ngrey = ink, one scale for all",
    )
    return figure
