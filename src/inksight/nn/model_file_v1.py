"""Model files of format 1, which has other field names than format 2."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.nn.model import digest

FORMAT_1 = "inksight model 1"

RECIPE_NAMES = {"rate": "learning_rate", "batch": "batch_size", "smoothing": "label_smoothing", "muon": "muon_scale"}
AUGMENTATION_NAMES = {"pens": "pen_style"}
HISTORY_NAMES = {"rate": "learning_rate"}
DETECTOR_NAMES = {"centres": "means", "scraps": "negative_weights"}

Arrays = dict[str, NDArray[np.float32]]


def upgrade(header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
    """Return the header and the arrays of a format-1 file under the names of format 2.

    Raises
    ------
    InputError
        If the digest of the out-of-distribution detector is not that of its arrays.
    """
    header, detector = dict(header), header.get("clouds")
    header.pop("clouds", None)
    header["history"] = [_renamed(row, HISTORY_NAMES) for row in header["history"]]
    if header["recipe"]:
        recipe = _renamed(header["recipe"], RECIPE_NAMES)
        if "augmentation" in recipe:
            recipe["augmentation"] = _renamed(recipe["augmentation"], AUGMENTATION_NAMES)
        header["recipe"] = recipe
    weights = {name: array for name, array in arrays.items() if not name.startswith("clouds.")}
    if detector is not None:
        old = {name.removeprefix("clouds."): array for name, array in arrays.items() if name.startswith("clouds.")}
        check(detector["digest"] == digest(old), "digest of the detector", detector["digest"], "that of the content")
        new = _renamed(old, DETECTOR_NAMES)
        header["ood_detector"] = {"threshold": detector["limit"], "digest": digest(new)}
        weights |= {f"ood_detector.{name}": array for name, array in new.items()}
    return header, weights


def _renamed(values: Any, names: Mapping[str, str]) -> Any:
    """Return a dict with some keys renamed; return anything else unchanged, for later checks to report."""
    return {names.get(key, key): value for key, value in values.items()} if isinstance(values, dict) else values
