"""Reading: find the digits on a picture, from one digit to a page of lines, and recognize them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
