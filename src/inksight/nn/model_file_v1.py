"""Model files of format 1, which has other field names than format 2."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.nn.model import digest

FORMAT_1 = "inksight model 1"

HEADER_NAMES = {"clouds": "ood_detector"}
RECIPE_NAMES = {"rate": "learning_rate", "batch": "batch_size", "smoothing": "label_smoothing", "muon": "muon_scale"}
AUGMENTATION_NAMES = {"pens": "pen_style"}
HISTORY_NAMES = {"rate": "learning_rate"}
DETECTOR_HEADER_NAMES = {"limit": "threshold"}
DETECTOR_NAMES = {"centres": "means", "scraps": "negative_weights"}

Arrays = dict[str, NDArray[np.float32]]


def upgrade(header: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
    """Return the header and the arrays of a format-1 file under the names of format 2.

    Raises
    ------
    InputError
        If the digest of the out-of-distribution detector is not that of its arrays, or a name is one of format 2.
    """
    header = _renamed(header, HEADER_NAMES)
    if isinstance(header.get("history"), list):
        header["history"] = [_renamed(row, HISTORY_NAMES) for row in header["history"]]
    if isinstance(header.get("recipe"), dict):
        recipe = header["recipe"] = _renamed(header["recipe"], RECIPE_NAMES)
        if "augmentation" in recipe:
            recipe["augmentation"] = _renamed(recipe["augmentation"], AUGMENTATION_NAMES)
    detector = header["ood_detector"] = _renamed(header.get("ood_detector"), DETECTOR_HEADER_NAMES)
    old = {name.removeprefix("clouds."): array for name, array in arrays.items() if name.startswith("clouds.")}
    new = _renamed(old, DETECTOR_NAMES)
    if isinstance(detector, dict):
        found = detector.get("digest")
        check(found == digest(old), "digest of the detector", found, "that of the content")
        detector["digest"] = digest(new)  # which covers the names
    weights = {name: array for name, array in arrays.items() if not name.startswith("clouds.")}
    return header, weights | {f"ood_detector.{name}": array for name, array in new.items()}


def _renamed(values: Any, names: Mapping[str, str]) -> Any:
    """Return a dict with some keys renamed; return anything else unchanged, for later checks to report."""
    if not isinstance(values, dict):
        return values
    for new in names.values():  # otherwise one value would silently replace another
        check(new not in values, "name in a file of format 1", new, "one of that format")
    return {names.get(key, key): value for key, value in values.items()}
