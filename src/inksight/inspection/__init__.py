"""Evaluation of a trained model, and a look at its filters, feature maps and barcodes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
