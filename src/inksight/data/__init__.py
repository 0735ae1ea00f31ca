"""Digits from any source: datasets, splits, folds, readers."""
