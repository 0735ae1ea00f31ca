"""Numbers with punctuation: MNIST's digits, redrawn with a pen, and signs drawn with the same pen."""

import numpy as np

from benchmarks.synthetic.ink import DIGIT_SIDE, pen_strokes
from benchmarks.synthetic.noise import Array
from inksight.data.dataset import Dataset

GAP = (0.06, 0.3)  # heights of a digit between neighbouring boxes
MARGIN = 0.6  # heights of a digit around the line
PEN = (0.09, 0.14)  # heights of a digit: diameter of the pen that draws signs


def write_text(digits: Dataset, text: str, height: float, rng: np.random.Generator) -> Array:
    """Write a line of digits and of the signs ``. , - / :``.

    Parameters
    ----------
    digits : Dataset
        What to choose the digits from, by their labels.
    text : str
    height : float
        Height of the digits, in pixels.
    rng : Generator

    Returns
    -------
    (height, width) float64, 0..1
        Ink coverage, with margins.
    """
    labels = digits.require_labels("writing numbers")
    pen = rng.uniform(*PEN) * height
    canvas = np.zeros((int((1 + 2 * MARGIN) * height), int((len(text) + 1) * 1.6 * height)))
    baseline, x = (1 + MARGIN) * height, MARGIN * height
    for symbol in text:
        bottom = baseline + rng.normal(0, 0.03) * height
        if symbol.isdigit():
            image = digits.images[rng.choice(np.flatnonzero(labels == int(symbol)))]
            ink = pen_strokes(image, height * rng.normal(1, 0.05) / DIGIT_SIDE, rng.uniform(0, 0.5), rng)
            top, left = int(bottom - ink.shape[0]), int(x)
            window = canvas[top : top + ink.shape[0], left : left + ink.shape[1]]
            np.maximum(window, ink, out=window)
            x += ink.shape[1]
        else:
            strokes = _strokes(symbol, rng) * height
            strokes[..., 0] += x - strokes[..., 0].min() + pen / 2
            strokes[..., 1] = bottom - strokes[..., 1]
            for stroke in strokes:
                np.maximum(canvas, _line(canvas.shape, stroke, pen), out=canvas)
            x = float(strokes[..., 0].max()) + pen / 2
        x += rng.uniform(*GAP) * height
    return canvas[:, : int(x + MARGIN * height)]


def _strokes(symbol: str, rng: np.random.Generator) -> Array:
    """Return the straight strokes of a sign, (strokes, 2 ends, x and y), in heights of a digit above the baseline."""
    level, length = rng.uniform(0.4, 0.58), rng.uniform(0.25, 0.55)
    if symbol == ".":
        return np.array([[(0.0, 0.07), (rng.uniform(0, 0.05), 0.07)]])
    if symbol == ":":
        return np.array([[(0.0, 0.07), (0.02, 0.07)], [(0.0, 0.02 + level), (0.02, 0.02 + level)]])
    if symbol == ",":
        return np.array([[(0.1, 0.06), (rng.uniform(0, 0.08), -rng.uniform(0.14, 0.24))]])
    if symbol == "-":
        return np.array([[(0.0, level), (length, level + rng.normal(0, 0.02))]])
    return np.array([[(0.0, -rng.uniform(0.1, 0.25)), (rng.uniform(0.3, 0.6), 1 + rng.uniform(0.1, 0.25))]])


def _line(shape: tuple[int, ...], ends: Array, pen: float) -> Array:
    """Draw a straight stroke with a round pen."""
    rows, columns = np.indices(shape)
    (x, y), (dx, dy) = ends[0], ends[1] - ends[0]
    along = np.clip(((columns - x) * dx + (rows - y) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
    distance = np.hypot(columns - x - along * dx, rows - y - along * dy)
    ink: Array = np.clip(pen / 2 - distance + 0.5, 0, 1)
    return ink
