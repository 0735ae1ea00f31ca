"""Datasets of digits: readers of all formats, splits, folds for cross-validation, Kaggle submissions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
