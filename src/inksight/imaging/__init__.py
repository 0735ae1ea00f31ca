"""Conversion of any picture of a digit to a 28x28 image like those of MNIST."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
