"""Calibration: one number, fitted on validation images, that makes a network's confidence honest."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.data.dataset import Dataset
from inksight.nn.model import Model

COLDEST, HOTTEST = 0.2, 5.0  # beyond these the images are too few, or all right, or the model is not trained


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the temperature by which logits must be divided for the least cross-entropy.

    Parameters
    ----------
    logits : (n, classes) float
    labels : (n,) int

    Returns
    -------
    float
        0.2 to 5; above 1 where the network is surer than it is right, 1 without images.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    Odds of 20 to 1 (a lead of 3), but only three of four right:

    >>> logits = np.array([[3.0, 0.0], [3.0, 0.0], [0.0, 3.0], [0.0, 3.0]])
    >>> temperature = fit_temperature(logits, np.array([0, 0, 1, 0]))
    >>> round(float(np.exp(3 / temperature)), 6)  # three to one
    3.0
    """
    check(len(logits) == len(labels), "number of labels", len(labels), f"{len(logits)}, that of the logits")
    if len(logits) == 0:
        return 1.0
    z = np.asarray(logits, np.float64)
    own = np.take_along_axis(z, np.asarray(labels)[:, None], axis=1)[:, 0]
    inverse = 1.0
    for _ in range(50):  # Newton's method: the cross-entropy is convex in the inverse temperature
        p = np.exp(inverse * z - np.logaddexp.reduce(inverse * z, axis=1, keepdims=True))
        expected = (p * z).sum(axis=1)
        slope = (expected - own).mean()
        curvature = (p * (z - expected[:, None]) ** 2).sum(axis=1).mean()
        # A step is bounded: far from the end the curvature may be next to nothing.
        step = slope / max(curvature, 1e-12)
        following = float(np.clip(inverse - step, max(1 / HOTTEST, inverse / 2), min(1 / COLDEST, inverse * 2)))
        if abs(following - inverse) < 1e-9:
            break
        inverse = following
    return 1 / inverse


def calibrated(model: Model, validation: Dataset) -> Model:
    """Return the model with its temperature fitted anew: the same digits, said with honest confidence.

    Parameters
    ----------
    model : Model
    validation : Dataset
        Labelled images it was not trained on.

    Returns
    -------
    Model
        Its output layer is divided by the temperature, so that whoever uses the weights has it;
        `Model.temperature` says what they were divided by.
    """
    labels = validation.require_labels("calibration")
    raw = with_temperature(model, 1.0)
    return with_temperature(raw, fit_temperature(raw.activations(validation.images, only=["logits"])["logits"], labels))


def with_temperature(model: Model, temperature: float) -> Model:
    """Return the model with another temperature; 1 gives back the weights as they were trained, to rounding."""
    factor = np.float32(model.temperature / temperature)
    params = {name: x * factor if name.startswith("output.") else x for name, x in model.params.items()}
    # Clouds (`inksight.nn.ood`) go by probabilities, too: they are to be made anew.
    return replace(model, params=params, temperature=temperature, ood_detector=None)
