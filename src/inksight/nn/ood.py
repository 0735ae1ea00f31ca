"""Out-of-distribution scores: how much an image differs from the training digits, as the network sees it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model
from inksight.nn.rejection_output import RejectionOutput

ODDS_WEIGHT = 0.12  # score per unit of the log-odds that the predicted class is wrong; a typical digit's distance is 1
MIN_ODDS = 1e-6  # lower odds count as these
REJECTION_WEIGHT = 0.25  # score per unit of a rejection output's log-odds; they spread as much as the other scores then
CHUNK_SIZE = 1000  # images with feature maps in memory at once


def ood_score(model: ModelLike, images: ArrayLike) -> NDArray[np.float64]:
    """Return out-of-distribution scores: the distance to the nearest class plus weighted log-odds of misclassification.

    The score of a model with a `RejectionOutput`, such as the shipped `reader`, is that output's log-odds.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads. With an `ood_detector`; `inksight.train` fits one if there are
        validation images.
    images : (28, 28) to (n, 28, 28, 1) uint8, or float 0..1
        High = ink.

    Returns
    -------
    (n,) float64
        An image that scores above ``model.ood_detector.threshold`` is rejected as not a digit.

    Raises
    ------
    InputError
        If the model has no detector.

    Examples
    --------
    >>> import inksight
    >>> digits = inksight.load("mnist").split().test
    >>> model = inksight.load_model("best")
    >>> noise = np.random.default_rng(0).integers(0, 255, (1, 28, 28), np.uint8)
    >>> threshold = model.ood_detector.threshold
    >>> ood_score(model, digits.images[:3]) > threshold, ood_score(model, noise) > threshold
    (array([False, False, False]), array([ True]))
    """
    model = as_model(model)
    check(model.ood_detector is not None, "model", model, "one with a detector", "train it with validation images")
    return ood_score_of_features(model, *ood_features(model, images))


def ood_score_of_features(
    model: Model, features: NDArray[np.float32], probabilities: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the `ood_score` of images from their `ood_features`."""
    assert model.ood_detector is not None
    if isinstance(model.ood_detector, RejectionOutput):
        return REJECTION_WEIGHT * negative_log_odds_of_features(model, features, probabilities)
    ordered = np.sort(_at_temperature_of_detector(model, probabilities).astype(np.float64), axis=1)
    log_odds = np.log(np.maximum(ordered[:, :-1].sum(axis=1) / ordered[:, -1], MIN_ODDS))
    score: NDArray[np.float64] = model.ood_detector.distances(features) + ODDS_WEIGHT * log_odds
    return score


def negative_log_odds_of_features(
    model: Model, features: NDArray[np.float32], probabilities: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the `MahalanobisDetector.negative_log_odds` of images from their `ood_features`."""
    assert model.ood_detector is not None
    if isinstance(model.ood_detector, RejectionOutput):
        logits = features @ model.params["output.kernel"] + model.params["output.bias"]
        return model.ood_detector.log_odds(features, logits * (model.temperature / model.ood_detector.temperature))
    return model.ood_detector.negative_log_odds(features, _at_temperature_of_detector(model, probabilities))


def _at_temperature_of_detector(model: Model, probabilities: NDArray[np.float32]) -> NDArray[np.floating]:
    """Return the class probabilities that the model had at the temperature that its detector was fitted at."""
    assert model.ood_detector is not None
    exponent = model.temperature / model.ood_detector.temperature
    if exponent == 1:
        return probabilities
    # The largest becomes 1 first, so that not all powers can underflow.
    powers: NDArray[np.float64] = (
        probabilities.astype(np.float64) / probabilities.max(axis=1, keepdims=True)
    ) ** exponent
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


def ood_features(model: Model, images: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the features of images, (n, filters of all banks), and their class probabilities, (n, classes).

    For a model with a `RejectionOutput`, the features are the values of the layer before the output.

    The features are the averages of all feature maps, not only of the last bank's (the barcode), because the lower
    banks respond most clearly to unusual strokes. The signed square root reduces the skew of the averages.
    """
    batch = np.asarray(images)
    batch = batch[None] if batch.ndim == 2 else batch
    if isinstance(model.ood_detector, RejectionOutput):
        units = "dense" if model.network.dense else "barcode"
        stages = model.activations(batch, only=[units, "probabilities"])
        return stages[units], stages["probabilities"]
    banks = [f"bank{number}" for number in range(1, len(model.network.banks) + 1)]
    features, probabilities = [], []
    for start in range(0, max(len(batch), 1), CHUNK_SIZE):
        stages = model.activations(batch[start : start + CHUNK_SIZE], only=[*banks, "probabilities"])
        averages = np.concatenate([stages[bank].mean(axis=(1, 2)) for bank in banks], axis=1)
        features.append(np.copysign(np.sqrt(np.abs(averages)), averages))
        probabilities.append(stages["probabilities"])
    return np.concatenate(features), np.concatenate(probabilities)
