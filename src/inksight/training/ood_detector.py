"""Fitting the out-of-distribution detector of a trained model."""

from dataclasses import replace

import numpy as np

from inksight.augmentation.negatives import synthetic_negatives
from inksight.augmentation.pen_style import restyle
from inksight.config import DIGITS
from inksight.data.dataset import Dataset
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.nn.model import Model
from inksight.nn.ood import ood_features, ood_score

ACCEPTED = 0.995  # share of held-out digits that the threshold accepts
MAX_IMAGES = 10_000  # training images that the Gaussians are fitted to


def with_ood_detector(model: Model, train: Dataset, threshold: Dataset | float) -> Model:
    """Return the model with an out-of-distribution detector fitted to its training images.

    Parameters
    ----------
    model : Model
    train : Dataset
        Labeled images that the model was trained on. Half of those used are redrawn in other pen styles
        (`inksight.augmentation.pen_style`), so that unfamiliar handwriting is not rejected.
    threshold : Dataset or float
        The threshold of the score, or digits that the model was not trained on: the threshold then accepts 99.5% of
        them.

    Returns
    -------
    Model
    """
    labels = train.require_labels("the out-of-distribution detector")
    rows = np.linspace(0, len(train), min(len(train), MAX_IMAGES), endpoint=False).astype(np.int64)
    images, labels = train.images[rows], labels[rows]
    redrawn = np.arange(len(rows)) % 2 == 1
    digits = labels[redrawn] if model.class_names == DIGITS else None
    images[redrawn] = restyle(images[redrawn], digits, 1.0, seed=0, pass_number=0)
    features = ood_features(model, images)
    negatives = ood_features(model, synthetic_negatives(images, np.random.default_rng(0)))
    detector = MahalanobisDetector.fit(features[0], labels, model.network.classes).with_negatives(features, negatives)
    detector = replace(detector, temperature=model.temperature)
    model = replace(model, ood_detector=detector)
    if isinstance(threshold, Dataset):
        threshold = float(np.quantile(ood_score(model, threshold.images), ACCEPTED))
    return replace(model, ood_detector=replace(detector, threshold=threshold))
