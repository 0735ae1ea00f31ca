"""`Display`: the base class of results that can be plotted."""

from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from inksight.plot.grammar import NotebookFigure


class Display:
    """A result that is computed first and plotted later.

    Subclasses are small dataclasses of arrays. The drawing function of each is registered in :mod:`inksight.plot`.
    It is looked up only when a result is plotted, so that computing a result never imports matplotlib.
    """

    @overload
    def plot(self, ax: None = None, **options: Any) -> "NotebookFigure": ...
    @overload
    def plot(self, ax: "Axes", **options: Any) -> "Figure": ...
    def plot(self, ax: "Axes | None" = None, **options: Any) -> "Figure":
        """Plot this result and return the figure.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            The axes to draw on; by default a new figure of a suitable size.
        **options
            Passed to the drawing function of this type of result in :mod:`inksight.plot`.

        Raises
        ------
        InputError
            If an option is unknown or has a value that is not allowed. The message lists what is allowed.
        """
        from inksight import plot

        return plot.draw(self, ax, **options)

    def _repr_html_(self) -> str:
        """Return the plot as HTML for notebooks, with the text form as its description."""
        from inksight.plot import html

        return html(self.plot(), str(self))
