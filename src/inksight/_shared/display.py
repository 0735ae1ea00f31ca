"""`Display`: the base class of results that can be plotted."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Display:
    """A result that is computed first and plotted later.

    Subclasses are small dataclasses of arrays. The drawing function of each is registered in :mod:`inksight.plot`.
    It is looked up only when a result is plotted, so that computing a result never imports matplotlib.
    """

    def plot(self, ax: Any = None, **options: Any) -> "Figure":
        """Plot this result and return the figure.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            The axes to draw on; by default a new figure of a suitable size.
        **options
            Passed to the drawing function of this type of result in :mod:`inksight.plot`.
        """
        from inksight import plot

        return plot.draw(self, ax, **options)

    def _repr_html_(self) -> str:
        """Return the plot as HTML for notebooks, with the text form as its description."""
        from inksight.plot import html

        return html(self.plot(), str(self))
