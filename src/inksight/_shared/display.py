"""`Display`: results that can be drawn, in a notebook by themselves and elsewhere with ``plot``."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Display:
    """A result computed first and drawn later.

    Subclasses are small dataclasses of arrays. How each is drawn is registered in :mod:`inksight.plot`;
    this lazy look-up is the one place where the core reaches for a skin, so that a result drawn nowhere
    never costs an import of matplotlib.
    """

    def plot(self, ax: Any = None, **options: Any) -> "Figure":
        """Draw this result and return its figure.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure of fitting size if omitted.
        **options
            Passed to the drawing function of this result's type in :mod:`inksight.plot`.
        """
        from inksight import plot

        return plot.draw(self, ax, **options)

    def _repr_html_(self) -> str:
        """Show the picture in a notebook, with the text form as its description."""
        from inksight.plot import html

        return html(self.plot(), str(self))
