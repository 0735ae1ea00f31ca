"""The page: draw a digit and look inside the network, in any browser; served, as a folder, or as one file."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
