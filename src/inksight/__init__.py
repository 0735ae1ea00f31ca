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
    "Dataset": "data.dataset",
    "Evaluation": "inspection.evaluation",
    "History": "nn.history",
    "InksightError": "errors",
    "InputError": "errors",
    "Lesson": "nn.lesson",
    "Model": "nn.model",
    "Network": "config",
    "Recipe": "config",
    "Splits": "data.splits",
    "Strokes": "imaging.strokes",
    "card": "inspection.model_card",
    "doubtful_labels": "inspection.label_errors",
    "evaluate": "inspection.evaluation",
    "load": "data.loading",
    "load_model": "nn.model_file",
    "prepare": "imaging.preprocessing",
    "prune": "experiments.pruning",
    "read": "reading.reader",
    "summary": "nn.summary",
    "teach": "training.fine_tuning",
    "train": "training.fit",
}
# What needs an extra: `from inksight import *` must not fail without it.
_OPTIONAL = {"DigitClassifier": "training.estimator"}
_MODULES = (
    "augmentation",
    "config",
    "data",
    "engine",
    "experiments",
    "imaging",
    "inspection",
    "nn",
    "plot",
    "reading",
    "report",
    "training",
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
