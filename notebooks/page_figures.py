"""Executed by the kernel when a notebook is exported: figures are SVG, which the page shows in light and in dark."""

from itertools import count

from IPython import get_ipython
from matplotlib.figure import Figure

from inksight import plot
from inksight._shared.display import Display
from inksight.plot.grammar import titles

_numbers = count(1)


def _to_html(shown: Figure | Display) -> str:
    figure, label = (shown, titles(shown)) if isinstance(shown, Figure) else (shown.plot(), str(shown))
    svg = plot.to_svg(figure, prefix=f"figure-{next(_numbers)}-", label=label)
    return f'<div class="picture scroll">{svg}</div>'


for _type in (Figure, Display):
    get_ipython().display_formatter.formatters["text/html"].for_type(_type, _to_html)
