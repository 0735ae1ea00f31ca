"""`draw`: any result of the package to a matplotlib figure, by the drawing function of its type."""

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inksight._shared.validation import check
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InputError
from inksight.experiments.pruning_result import Pruning
from inksight.experiments.ranking import Sweep
from inksight.experiments.tradeoff import Tradeoff
from inksight.imaging.preprocessing import Prepared
from inksight.inspection.attribution import Evidence
from inksight.inspection.banks import FeatureMaps, Filters, FilterSimilarity
from inksight.inspection.barcodes import AverageBarcodes, Barcode, DetrendedBarcodes
from inksight.inspection.corruption_robustness import Robustness
from inksight.inspection.evaluation import Evaluation
from inksight.inspection.geometry import Embedding, Separation
from inksight.inspection.label_errors import DoubtfulLabels
from inksight.inspection.nearest import Neighbours
from inksight.inspection.reliability import Calibration
from inksight.nn.history import History
from inksight.nn.model import Model
from inksight.plot.banks import draw_feature_maps, draw_filter_similarity, draw_filters, draw_model
from inksight.plot.barcodes import draw_average_barcodes, draw_barcode, draw_detrended_barcodes, draw_evidence
from inksight.plot.dataset import draw_dataset, draw_splits
from inksight.plot.evaluation import draw_calibration, draw_evaluation
from inksight.plot.geometry import draw_embedding, draw_neighbours, draw_separation
from inksight.plot.history import draw_history
from inksight.plot.label_errors import draw_doubtful_labels
from inksight.plot.preprocessing import draw_prepared
from inksight.plot.pruning import draw_pruning, draw_tradeoff
from inksight.plot.reading import draw_grid, draw_page, draw_reading
from inksight.plot.robustness import draw_robustness
from inksight.plot.sweep import draw_sweep
from inksight.reading.grid import Grid
from inksight.reading.page import Page, Reading

DRAWING: dict[type, Callable[..., Figure]] = {
    AverageBarcodes: draw_average_barcodes,
    Barcode: draw_barcode,
    Calibration: draw_calibration,
    Dataset: draw_dataset,
    DetrendedBarcodes: draw_detrended_barcodes,
    DoubtfulLabels: draw_doubtful_labels,
    Embedding: draw_embedding,
    Evaluation: draw_evaluation,
    Evidence: draw_evidence,
    FeatureMaps: draw_feature_maps,
    Filters: draw_filters,
    FilterSimilarity: draw_filter_similarity,
    Grid: draw_grid,
    History: draw_history,
    Model: draw_model,
    Neighbours: draw_neighbours,
    Page: draw_page,
    Prepared: draw_prepared,
    Pruning: draw_pruning,
    Reading: draw_reading,
    Robustness: draw_robustness,
    Separation: draw_separation,
    Splits: draw_splits,
    Sweep: draw_sweep,
    Tradeoff: draw_tradeoff,
}
"""The drawing function of each type of result. Its keyword-only parameters are the options of the plot."""


def draw(result: object, ax: Axes | None = None, **options: Any) -> Figure:
    """Draw a result of this package.

    Parameters
    ----------
    result : Display
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default a new figure of suitable size. If a result has several plots, `ax` gets the first
        of them, or the one that the option ``kind`` names.
    **options
        Passed to the drawing function of the result's type.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot, so it need not be closed.

    Raises
    ------
    InputError
        If `result` is not a result that can be drawn, `ax` is not axes, or an option is unknown or has a value that is
        not allowed.

    Examples
    --------
    >>> import inksight
    >>> figure = draw(inksight.filters("post", bank=1), shared=False)
    >>> len(figure.axes)
    1
    """
    function = next((DRAWING[kind] for kind in type(result).__mro__ if kind in DRAWING), None)
    if function is None:
        names = ", ".join(sorted(kind.__name__ for kind in DRAWING))
        raise InputError(f"only results can be drawn ({names}), got {type(result).__name__}")
    check(ax is None or isinstance(ax, Axes), "ax", ax, "matplotlib axes")
    parameters = signature(function).parameters.values()
    allowed = [parameter.name for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY]
    for name in options:
        where = f"option of the plot of {type(result).__name__}"
        check(name in allowed, where, name, " or ".join(allowed) or "left out: it has none")
    return function(result, ax, **options)
