"""Plot of doubtful labels."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inksight._shared.validation import check, is_count
from inksight.inspection.label_errors import DoubtfulLabels
from inksight.plot.evaluation import draw_tiles, verdict
from inksight.plot.grammar import brief, note, title


def draw_doubtful_labels(result: DoubtfulLabels, ax: Axes | None = None, *, count: int = 24) -> Figure:
    """Draw the images with the most doubtful labels.

    Parameters
    ----------
    result : DoubtfulLabels
    ax : Axes, optional
    count : int
        Number of images, the most doubtful label first.
    """
    check(is_count(count), "count", count, "a whole number of at least 1")
    rows, names = result.top(count), result.class_names
    texts = [
        f"{verdict(names[given], names[given if doubt <= 0 else other])}\n{p[given]:.1%} · #{row}"
        for row, given, other, doubt, p in zip(
            rows,
            result.labels[rows],
            result.suggested[rows],
            result.doubt[rows],
            result.probabilities[rows],
            strict=True,
        )
    ]
    figure, ax = draw_tiles(ax, result.images[rows], texts)
    title(ax, f"The most doubtful labels of {brief(result.name, 40)}")
    note(
        ax,
        "above each image: probability of its label (networks not trained on it) · row\ngray = ink, one scale for all",
    )
    return figure
