"""Data augmentation for training, and corruptions to test robustness with."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
