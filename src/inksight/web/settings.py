"""What the page takes from Python, so that it is defined once: constants, limits, colors, and average barcodes."""

import base64
import json
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from inksight.config import DIGITS
from inksight.data.loading import load
from inksight.engine.interface import ABI
from inksight.imaging.preprocessing import engine_constants
from inksight.imaging.transparency import LUMA
from inksight.inspection.barcodes import average_barcodes
from inksight.nn.model import Model
from inksight.nn.ood import MIN_ODDS, ODDS_WEIGHT
from inksight.plot.grammar import ACTIVATIONS, CLASSES, SCORES, WEIGHTS
from inksight.reading.detection import MIN_CONFIDENCE

IMAGES_PER_CLASS = 500  # training images whose barcodes are averaged


def settings(model: Model, name: str) -> bytes:
    """Return the settings of the page for a model, which is shown by a name, as JSON."""
    constants = engine_constants()
    values = {
        "abi": ABI,
        "constants": {field: getattr(constants, field) for field, _ in constants._fields_},
        "luma": LUMA,
        "min_confidence": MIN_CONFIDENCE,
        "odds_weight": ODDS_WEIGHT,
        "min_odds": MIN_ODDS,
        "colors": {"activations": _colors(ACTIVATIONS), "weights": _colors(WEIGHTS)},
        "means": _average_barcodes(model),
        "model": {"name": name or repr(model), "digest": model.digest[:12]},
    }
    return json.dumps(values).encode()


def palette() -> bytes:
    """Return the colors of scores and classes, for the views that show them, as JSON."""
    return json.dumps({"scores": _colors(SCORES), "classes": CLASSES}).encode()


def _colors(name: str) -> str:
    """Return the 256 colors of a color map, red, green and blue of each, in base64."""
    rgba: Any = colormaps[name](np.arange(256), bytes=True)
    return _encoded(rgba[:, :3])


def _encoded(array: NDArray[Any]) -> str:
    """Return the bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _average_barcodes(model: Model) -> str | None:
    """Return the average barcode of each class, float32 in base64; None if the classes are not those of MNIST."""
    if model.class_names != DIGITS:
        return None
    means = average_barcodes(model, load("mnist").split().train, IMAGES_PER_CLASS).means
    return _encoded(means.astype("<f4"))
