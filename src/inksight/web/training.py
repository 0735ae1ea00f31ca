"""What the page needs to train: networks, recipes and limits, in a file that it loads when it trains."""

import json
from functools import cache
from typing import Any

from inksight import __version__
from inksight.config import DIGITS, NETWORKS, RECIPES
from inksight.data.loading import load
from inksight.nn.model_file import FORMAT
from inksight.web.settings import IMAGES_PER_CLASS

# The least and the most of each value, or all that are allowed. Python allows more; a browser would take too long.
LIMITS: dict[str, list[float]] = {
    "banks": [1, 8], "filters": [1, 64], "kernel": [1, 3, 5, 7], "dense": [0, 256], "million": [0, 20],
    "images": [100, 50_000], "epochs": [1, 200], "batch_size": [1, 1024], "learning_rate": [1e-6, 1],
    "label_smoothing": [0, 0.5], "rotation": [0, 180], "shift": [0, 10], "scale": [0, 0.9], "shear": [0, 2],
    "elastic": [0, 10], "aspect": [0, 2], "seed": [0, 2**32 - 1],
}  # fmt: skip


@cache
def training_settings() -> bytes:
    """Return the settings of training, as JSON.

    Recipes with pen-style augmentation are left out, because NumPy draws it.
    """
    values: dict[str, Any] = {
        "format": FORMAT,
        "version": __version__,
        "trained_on": load("mnist").split().train.digest,  # of all training images
        "networks": {name: network.to_dict() for name, network in NETWORKS.items()},
        "recipes": {name: recipe.to_dict() for name, recipe in RECIPES.items() if not recipe.augmentation.pen_style},
        "limits": LIMITS,
        "class_names": DIGITS,
        "images_per_class": IMAGES_PER_CLASS,
    }
    return json.dumps(values).encode()
