"""HTML pages: the report on a network, the transcript of pictures, the review of labels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
