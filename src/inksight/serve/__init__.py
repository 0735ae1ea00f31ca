"""The HTTP service: predictions by the Open Inference Protocol, reading of pictures, and the page."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
