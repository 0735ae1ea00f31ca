"""Fits the out-of-distribution detector of a trained model."""

from dataclasses import replace

import numpy as np

from inksight.config import DIGITS
from inksight.data.dataset import Dataset
from inksight.nn.mahalanobis import Clouds
from inksight.nn.model import Model
from inksight.nn.ood import features, strangeness

KEPT = 0.995  # of the digits that it was not trained on
MOST = 10_000  # training images that clouds are fitted to


def with_clouds(model: Model, train: Dataset, limit: Dataset | float) -> Model:
    """Return the model with its clouds, so that it knows what is no digit.

    Parameters
    ----------
    model : Model
    train : Dataset
        The labelled images it was trained on. Half of those used are drawn again with other pens (`inksight.augmentation.pen_style`),
        because a digit from another hand is one, too.
    limit : Dataset or float
        Images that it was not trained on, of which 99.5 % shall be taken for digits; or the limit itself.

    Returns
    -------
    Model
    """
    from inksight.augmentation.pen_style import redraw  # these bring NumPy's random numbers, which reading does without
    from inksight.augmentation.synthetic_negatives import scraps

    labels = train.require_labels("clouds")
    rows = np.linspace(0, len(train), min(len(train), MOST), endpoint=False).astype(np.int64)
    images, labels = train.images[rows], labels[rows]
    half = np.arange(len(rows)) % 2 == 1
    digits = labels[half] if model.class_names == DIGITS else None
    images[half] = redraw(images[half], digits, 1.0, seed=0, number=0)
    seen = features(model, images)
    clouds = Clouds.fit(seen[0], labels, model.network.classes)
    clouds = clouds.with_scraps(seen, features(model, scraps(images, np.random.default_rng(0))))
    model = replace(model, clouds=clouds)
    if isinstance(limit, Dataset):
        limit = float(np.quantile(strangeness(model, limit.images), KEPT))
    return replace(model, clouds=replace(clouds, limit=limit))
