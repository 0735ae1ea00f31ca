"""`DigitClassifier`: a network as scikit-learn has its estimators."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check, is_count
from inksight.config import IMAGE_SIZE, Network, Recipe
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InputError, MissingDependencyError
from inksight.training.fit import fit

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingDependencyError("DigitClassifier needs scikit-learn: pip install 'inksight[sklearn]'") from error

PIXELS = IMAGE_SIZE * IMAGE_SIZE


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A convolutional network, trained by `fit`: for pipelines, grid searches and cross-validation.

    Images are (n, 784) or (n, 28, 28), high = ink. If no value that `fit` sees is above 1, values are from 0 to 1, else
    from 0 to 255; `predict` goes by what `fit` saw. Classes are any labels that scikit-learn takes.

    Parameters
    ----------
    network : str or Network
        As `inksight.config.get_network` takes it.
    recipe : str or Recipe
        As `inksight.config.get_recipe` takes it.
    epochs : int, optional
        The recipe's if not given.
    random_state : int, RandomState or None
        Of starting weights, order and augmentation.
    verbose : bool
        Show the course of a training on standard error.

    Attributes
    ----------
    classes_ : (classes,) array
        Labels, sorted.
    model_ : Model
        The trained network: `inksight.Model`, to look inside or to save. Trained on all images that `fit` was given,
        so not calibrated: that takes images that were not trained on.
    scale_ : int
        1 or 255: the value of full ink.
    n_features_in_ : int
        784.

    Raises
    ------
    InputError
        By `fit` and the others: if the images have another shape or values out of range, or there is a single class.

    Notes
    -----
    It passes ``check_estimator`` but for those of its checks that make up data of a few features, which are no images
    (with images put in their place it passes those, too), and for one that asks for the same probabilities to 1e-9
    whatever the order of the images: they are float32. ``tests/test_classifier.py`` names them. There are no sample
    weights.

    Examples
    --------
    >>> import inksight
    >>> from sklearn.model_selection import cross_val_score
    >>> digits = inksight.load("mnist")[:600]
    >>> classifier = DigitClassifier("8x5p,12x3", epochs=4, random_state=0)
    >>> scores = cross_val_score(classifier, digits.images, digits.labels, cv=2)
    >>> scores.shape
    (2,)
    """

    classes_: NDArray[Any]

    def __init__(
        self,
        network: str | Network = "post",
        recipe: str | Recipe = "seconds",
        *,
        epochs: int | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self.epochs = epochs
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.positive_only = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a network on images (n, 784) or (n, 28, 28) with their labels (n,), from new starting weights."""
        check(self.epochs is None or is_count(self.epochs), "epochs", self.epochs, "1 or more, or None")
        flat, y = validate_data(self, _flat(X), y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y must have 2 classes or more, got 1 class: {str(self.classes_[0])!r}")
        self.scale_ = 255 if flat.max() > 1 else 1
        names = tuple(str(name) for name in self.classes_)
        data = Dataset(self._images(self._in_range(flat)), labels.astype(np.int64), "X", names)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        result = fit(
            Splits(data), self.network, self.recipe, seed=seed, epochs=self.epochs, progress=bool(self.verbose)
        )  # fmt: skip
        if result.stopped == "interrupted":
            raise KeyboardInterrupt
        self.model_ = result.model
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of each class, in the order of ``classes_``, (n, classes), rows summing to 1."""
        check_is_fitted(self)
        return self.model_.probabilities(self._images(self._in_range(validate_data(self, _flat(X), reset=False))))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of each image, (n,)."""
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def _in_range(self, values: NDArray[Any]) -> NDArray[np.floating]:
        """Return values as shares of full ink, 0..1."""
        low, high = float(values.min()), float(values.max())
        check(low >= 0, "Negative values in data: X", low, "0 or more")  # the words scikit-learn asks for
        check(high <= self.scale_, "values of X", high, f"at most {self.scale_}, full ink as fit saw it")
        shares: NDArray[np.floating] = values / self.scale_
        return shares

    def _images(self, rows: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return rows of pixels 0..1 as uint8, shape (n, 28, 28)."""
        if rows.shape[1] != PIXELS:
            raise InputError(
                f"X must have {PIXELS} features, images of {IMAGE_SIZE}x{IMAGE_SIZE}, got {rows.shape[1]} feature(s)"
            )
        return np.round(255 * rows).astype(np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _flat(X: Any) -> Any:
    """Return images (n, height, width) as rows of pixels, and anything else as it is."""
    images = np.asarray(X) if isinstance(X, (list, tuple)) else X
    return images.reshape(len(images), -1) if getattr(images, "ndim", 2) == 3 else images
