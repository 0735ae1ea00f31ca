"""Plots: `draw` turns any result of the package into a matplotlib figure.

The drawing function of each type of result is registered here. `save` writes a figure to a file, `to_svg` returns it
as an element for an HTML page.
"""

from functools import singledispatch
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inksight.data.dataset import Dataset
from inksight.errors import InputError
from inksight.experiments.pruning_result import Pruning
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
from inksight.plot.banks import draw_feature_maps, draw_filter_similarity, draw_filters
from inksight.plot.barcodes import draw_average_barcodes, draw_barcode, draw_detrended_barcodes, draw_evidence
from inksight.plot.dataset import draw_dataset
from inksight.plot.evaluation import draw_calibration, draw_evaluation
from inksight.plot.geometry import draw_embedding, draw_neighbours, draw_separation
from inksight.plot.grammar import html
from inksight.plot.history import draw_history
from inksight.plot.label_errors import draw_doubtful_labels
from inksight.plot.output import check_suffix, save, to_svg
from inksight.plot.preprocessing import draw_prepared
from inksight.plot.pruning import draw_pruning, draw_tradeoff
from inksight.plot.robustness import draw_robustness

__all__ = ["check_suffix", "draw", "html", "save", "to_svg"]


@singledispatch
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
        If `result` is not a result that can be drawn, or an option has a value that is not allowed.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("post"))
    >>> figure = draw(inksight.filters(model, bank=1))
    >>> len(figure.axes)
    1
    """
    names = ", ".join(sorted(kind.__name__ for kind in draw.registry if kind is not object))
    raise InputError(f"only results can be drawn ({names}), got {type(result).__name__}")


draw.register(AverageBarcodes, draw_average_barcodes)
draw.register(Barcode, draw_barcode)
draw.register(Calibration, draw_calibration)
draw.register(Dataset, draw_dataset)
draw.register(DetrendedBarcodes, draw_detrended_barcodes)
draw.register(DoubtfulLabels, draw_doubtful_labels)
draw.register(Embedding, draw_embedding)
draw.register(Evaluation, draw_evaluation)
draw.register(Evidence, draw_evidence)
draw.register(FeatureMaps, draw_feature_maps)
draw.register(Filters, draw_filters)
draw.register(FilterSimilarity, draw_filter_similarity)
draw.register(History, draw_history)
draw.register(Neighbours, draw_neighbours)
draw.register(Prepared, draw_prepared)
draw.register(Pruning, draw_pruning)
draw.register(Separation, draw_separation)
draw.register(Robustness, draw_robustness)
draw.register(Tradeoff, draw_tradeoff)
