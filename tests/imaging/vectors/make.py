"""Write ``prepare.json``: test pictures and the result of each step of `inksight.imaging.preprocessing`.

Run ``python tests/imaging/vectors/make.py`` after an intended change of the steps. The file specifies them for other
implementations. Arrays are bytes, row by row, in base64.
"""

import base64
import json
from pathlib import Path

import numpy as np

from inksight.imaging.foreground import extract_foreground
from inksight.imaging.illumination import flatten_illumination, polarity_score
from inksight.imaging.preprocessing import ILLUMINATION_GRID, WORKING_SIZE, prepare_grayscale
from inksight.imaging.resampling import downscale

PATH = Path(__file__).with_name("prepare.json")


def pictures() -> dict[str, np.ndarray]:
    """Return pictures defined by formulas: a ring, a slanted stroke in uneven light, light ink on dark and others."""
    rows, columns = np.mgrid[:60, :50].astype(np.float64)
    ring = np.abs(np.hypot((rows - 28) / 1.3, columns - 24) - 14) < 2.2
    stroke = np.abs((columns - 15) - 0.4 * (rows - 8)) < 2.5 + rows / 40
    stroke &= (rows > 8) & (rows < 52)
    light = 0.95 - 0.5 * (rows + columns) / 108
    large = np.kron(ring, np.ones((5, 5), bool))
    return {
        "ring": np.where(ring, 40, 250),
        "stroke in failing light": np.round(255 * light * np.where(stroke, 0.3, 1)),
        "light on dark": np.where(stroke, 230, 12),
        "large, with dirt": np.where(large, 60, np.where((np.indices(large.shape).sum(axis=0) % 97) == 0, 215, 240)),
        "small": np.where(np.pad(np.ones((7, 2), bool), 3), 0, 255),
        "blank": np.full((20, 31), 200),
    }


def steps(picture: np.ndarray) -> dict[str, object]:
    """Return the result of each step for a picture."""
    grayscale, _ = downscale(picture / 255, WORKING_SIZE)
    coarse, _ = downscale(grayscale, ILLUMINATION_GRID)
    dark = polarity_score(coarse) <= 0
    contrast = flatten_illumination(grayscale, coarse) if dark else flatten_illumination(1 - grayscale, 1 - coarse)
    prepared = prepare_grayscale(picture / 255)
    return {
        "grayscale": _bytes(grayscale),
        "dark": dark,
        "contrast": _bytes(contrast),
        "ink": _bytes(extract_foreground(contrast)) if not prepared.problem else None,
        "box": list(prepared.box),
        "problem": prepared.problem,
        "image": base64.b64encode(prepared.image.tobytes()).decode(),
    }


def vectors() -> list[dict[str, object]]:
    """Return all pictures with the results of their steps as JSON values."""
    return [
        {"name": name, "height": len(p), "width": len(p[0]), "picture": _bytes(p / 255)} | steps(p)
        for name, p in pictures().items()
    ]


def _bytes(grayscale: np.ndarray) -> str:
    return base64.b64encode(np.floor(grayscale * 255 + 0.5).astype(np.uint8).tobytes()).decode()


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=1) + "\n")
