"""How little an image is like the digits that a network was trained on: what is no digit shall not be read as one."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check
from inksight.nn.model import Model

DOUBT = 0.12  # what odds e times as high, that the digit read is another, count; the distance of a usual digit is 1
CERTAIN = 1e-6  # odds below which nothing is doubted less
CHUNK = 1000  # images whose feature maps are held at once


def strangeness(model: Model, images: ArrayLike) -> NDArray[np.float64]:
    """Return how strange images are to a model: how far from all classes, and how hard to tell which is the nearest.

    Parameters
    ----------
    model : Model
        With clouds: `inksight.train` gives them to models that have validation images.
    images : (28, 28) to (n, 28, 28, 1) uint8, or float 0..1
        High = ink.

    Returns
    -------
    (n,) float64
        Above ``model.clouds.limit``, it is no digit.

    Raises
    ------
    InputError
        If the model has no clouds.

    Examples
    --------
    >>> import inksight
    >>> digits = inksight.load("mnist").split().test
    >>> model = inksight.load_model("best")
    >>> noise = np.random.default_rng(0).integers(0, 255, (1, 28, 28), np.uint8)
    >>> strangeness(model, digits.images[:3]) > model.clouds.limit, strangeness(model, noise) > model.clouds.limit
    (array([False, False, False]), array([ True]))
    """
    check(model.clouds is not None, "model", model, "one with clouds: train it with validation images")
    points, probabilities = features(model, images)
    return from_features(model, points, probabilities)


def from_features(model: Model, points: NDArray[np.float32], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """`strangeness` of images whose `features` are known."""
    assert model.clouds is not None
    ordered = np.sort(probabilities.astype(np.float64), axis=1)
    doubt = np.log(np.maximum(ordered[:, :-1].sum(axis=1) / ordered[:, -1], CERTAIN))
    result: NDArray[np.float64] = model.clouds.distances(points) + DOUBT * doubt
    return result


def features(model: Model, images: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what clouds are made of, (n, filters of all banks), and the probabilities, (n, classes).

    The averages of all feature maps, not of the last bank's alone, the barcode: what is strange about a scribble shows
    best in its strokes. Of each the square root, with its sign: averages are skewed.
    """
    batch = np.asarray(images)
    batch = batch[None] if batch.ndim == 2 else batch
    banks = [f"bank{number}" for number in range(1, len(model.network.banks) + 1)]
    points, probabilities = [], []
    for start in range(0, max(len(batch), 1), CHUNK):
        found = model.activations(batch[start : start + CHUNK], only=[*banks, "probabilities"])
        averages = np.concatenate([found[bank].mean(axis=(1, 2)) for bank in banks], axis=1)
        points.append(np.copysign(np.sqrt(np.abs(averages)), averages))
        probabilities.append(found["probabilities"])
    return np.concatenate(points), np.concatenate(probabilities)
