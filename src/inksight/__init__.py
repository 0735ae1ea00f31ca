"""inksight: train a small convolutional network on handwritten digits in seconds, then look inside it."""

import importlib
from typing import Any

__version__ = "0.1.0"

# Each public name and the module that holds it. A name is imported when first used, so that
# `import inksight` and `inksight --help` cost nothing. (The modules are `training`, `evaluation`, `pruning` and
# `teaching` because a submodule called `train` would, once imported, hide the function of that name.)
_HOMES = {
    "Augmentation": "config",
    "Bank": "config",
    "Dataset": "data",
    "Evaluation": "evaluation",
    "History": "history",
    "InksightError": "errors",
    "InputError": "errors",
    "Lesson": "lesson",
    "Model": "model",
    "Network": "config",
    "Recipe": "config",
    "Splits": "data",
    "Strokes": "strokes",
    "card": "cards",
    "doubtful_labels": "labels",
    "evaluate": "evaluation",
    "load": "data",
    "load_model": "model",
    "prepare": "preparation",
    "prune": "pruning",
    "read": "reading",
    "summary": "structure",
    "teach": "teaching",
    "train": "training",
}
# What needs an extra: `from inksight import *` must not fail without it.
_OPTIONAL = {"DigitClassifier": "classifier"}
_MODULES = (
    "barcode",
    "cards",
    "changes",
    "config",
    "data",
    "evidence",
    "filters",
    "gallery",
    "geometry",
    "labels",
    "neighbours",
    "plot",
    "preparation",
    "pruning",
    "reading",
    "report",
    "review",
    "saliency",
    "stress",
    "sweep",
    "teaching",
    "tradeoff",
    "transcript",
)

__all__ = ["__version__", *sorted(_HOMES), *_MODULES]


def __getattr__(name: str) -> Any:
    if home := (_HOMES | _OPTIONAL).get(name):
        return getattr(importlib.import_module(f"inksight.{home}"), name)
    if name in _MODULES:
        return importlib.import_module(f"inksight.{name}")
    raise AttributeError(f"module 'inksight' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_OPTIONAL]
