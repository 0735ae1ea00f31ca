"""Calibration by temperature scaling, fitted on validation images."""

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check
from inksight.data.dataset import Dataset
from inksight.nn.ensemble import Ensemble
from inksight.nn.model import Model

Classifier = TypeVar("Classifier", Model, Ensemble)

# Limits of the temperature. Beyond them there are too few images, none is misclassified, or the model is not trained.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.2, 5.0


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the temperature that minimizes the cross-entropy of the logits divided by it.

    Parameters
    ----------
    logits : (n, classes) float
    labels : (n,) int

    Returns
    -------
    float
        From 0.2 to 5: above 1 for an overconfident network, 1 without images.

    Raises
    ------
    InputError
        If the numbers of logits and labels differ.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    The logits claim odds of 20 to 1, but only three of four predictions are correct:

    >>> logits = np.array([[3.0, 0.0], [3.0, 0.0], [0.0, 3.0], [0.0, 3.0]])
    >>> temperature = fit_temperature(logits, np.array([0, 0, 1, 0]))
    >>> round(float(np.exp(3 / temperature)), 6)  # odds of 3 to 1
    3.0
    """
    check(len(logits) == len(labels), "number of labels", len(labels), f"{len(logits)}, that of the logits")
    if len(logits) == 0:
        return 1.0
    z = np.asarray(logits, np.float64)
    label_logits = np.take_along_axis(z, np.asarray(labels)[:, None], axis=1)[:, 0]
    inverse = 1.0  # of the temperature
    for _ in range(50):  # Newton's method; the cross-entropy is convex in the inverse temperature
        p = np.exp(inverse * z - np.logaddexp.reduce(inverse * z, axis=1, keepdims=True))
        expected = (p * z).sum(axis=1)
        slope = (expected - label_logits).mean()
        curvature = (p * (z - expected[:, None]) ** 2).sum(axis=1).mean()
        step = slope / max(curvature, 1e-12)
        # Each step is limited, because the curvature far from the minimum may be almost 0.
        low, high = max(1 / MAX_TEMPERATURE, inverse / 2), min(1 / MIN_TEMPERATURE, inverse * 2)
        updated = float(np.clip(inverse - step, low, high))
        if abs(updated - inverse) < 1e-9:
            break
        inverse = updated
    return 1 / inverse


def calibrated(model: Classifier, validation: Dataset) -> Classifier:
    """Return a model or an ensemble with its temperature fitted again; its predictions do not change.

    Parameters
    ----------
    model : Model or Ensemble
    validation : Dataset
        Labeled images that the model was not trained on.

    Returns
    -------
    Model or Ensemble
        The weights of a model's output layer are divided by the temperature; `Model.temperature` is that number. The
        detector and the models of an ensemble do not change.
    """
    labels = validation.require_labels("calibration")
    if isinstance(model, Ensemble):
        raw_ensemble = replace(model, temperature=1.0)
        return replace(model, temperature=fit_temperature(raw_ensemble.log_probabilities(validation.images), labels))
    raw = with_temperature(model, 1.0)
    return with_temperature(raw, fit_temperature(raw.activations(validation.images, only=["logits"])["logits"], labels))


def with_temperature(model: Model, temperature: float) -> Model:
    """Return the model with another temperature; 1 restores the weights as they were trained, up to rounding."""
    factor = np.float32(model.temperature / temperature)
    params = {name: x * factor if name.startswith("output.") else x for name, x in model.params.items()}
    return replace(model, params=params, temperature=temperature)
