"""Plots: `draw` turns any result of the package into a matplotlib figure.

`save` writes a figure to a file, `to_svg` returns it as an element for an HTML page.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
