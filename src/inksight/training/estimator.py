"""`DigitClassifier`: a scikit-learn estimator."""

from dataclasses import KW_ONLY, dataclass, fields, replace
from typing import Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.validation import check
from inksight.augmentation.user_function import ImageFunction
from inksight.config import IMAGE_SIZE, Augmentation, Network, Recipe, get_recipe
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.errors import InputError, MissingDependencyError
from inksight.training.fitting import fit, long_enough

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingDependencyError("DigitClassifier needs scikit-learn: pip install 'inksight[sklearn]'") from error

Settings = TypeVar("Settings", Recipe, Augmentation)
PIXELS = IMAGE_SIZE * IMAGE_SIZE


@dataclass(eq=False, repr=False)
class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A convolutional network for scikit-learn's pipelines, grid searches and cross-validation.

    Images are (n, 784) or (n, 28, 28), high = ink. Their range is 0..1 if `fit` sees no value above 1, else 0..255;
    `predict` uses the range of `fit`. Classes may be any labels that scikit-learn accepts.

    Parameters
    ----------
    network : str or Network
        See `inksight.config.get_network`.
    recipe : str or Recipe
        See `inksight.config.get_recipe`.
    random_state : int, RandomState or None
        Seed of starting weights, order and augmentation.
    verbose : bool
        Show the progress of the training on standard error.
    augmentation : Augmentation or callable, optional
        An `Augmentation` instead of that of the recipe, or a function of images and `rng` before it; see
        `inksight.train`.
    epochs, passes, batch_size, learning_rate, schedule, warmup, taper : optional
        These replace the values of the recipe; see `Recipe`.
    beta1, beta2, epsilon, label_smoothing, muon_scale, momentum : float, optional
        So do these.
    rotation, shift, scale, shear, elastic, aspect, pen_style : float, optional
        These replace the values of the augmentation; see `Augmentation`.

    Attributes
    ----------
    classes_ : (classes,) array
        Labels, sorted.
    model_ : Model
        The trained network. It is not calibrated, because it is trained on all images passed to `fit`, and calibration
        needs other images.
    scale_ : int
        1 or 255: the value of full ink.
    n_features_in_ : int
        784.

    Raises
    ------
    InputError
        By `fit` and `predict`: if the images have another shape, a value or a parameter is out of range, or there is
        only one class.

    Notes
    -----
    A grid search sets any field of the recipe and of its augmentation by its plain name. As in `inksight.train`, a
    recipe that is given by name has at least 500 steps unless `epochs` is given.

    It passes ``check_estimator`` with three exceptions, listed in ``tests/training/test_estimator.py``: the checks that
    use data of a few features, which are not images (it passes them with images instead); the check for equal
    probabilities to 1e-9 in any order of the images, because the probabilities are float32; and the check that a weight
    of 2 is the same as an image given twice, because an image given twice may fall into two batches.

    Examples
    --------
    >>> import inksight
    >>> from sklearn.model_selection import cross_val_score
    >>> digits = inksight.load("mnist")[:600]
    >>> classifier = DigitClassifier("8x5p,12x3", epochs=4, random_state=0)
    >>> scores = cross_val_score(classifier, digits.images, digits.labels, cv=2)
    >>> scores.shape
    (2,)
    >>> from sklearn.model_selection import GridSearchCV
    >>> search = GridSearchCV(classifier, {"learning_rate": [0.005, 0.01], "rotation": [0, 10]})  # 4 candidates
    >>> classifier.set_params(rotation=10)
    DigitClassifier(epochs=4, network='8x5p,12x3', random_state=0, rotation=10)
    """

    network: str | Network = "post"
    recipe: str | Recipe = "seconds"
    _: KW_ONLY
    random_state: Any = None
    verbose: bool = False
    augmentation: Augmentation | ImageFunction | None = None
    # The other fields of `Recipe`
    epochs: int | None = None
    passes: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    schedule: Literal["triangle", "constant"] | None = None
    warmup: float | None = None
    taper: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    epsilon: float | None = None
    label_smoothing: float | None = None
    muon_scale: float | None = None
    momentum: float | None = None
    # The fields of `Augmentation`
    rotation: float | None = None
    shift: float | None = None
    scale: float | None = None
    shear: float | None = None
    elastic: float | None = None
    aspect: float | None = None
    pen_style: float | None = None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.positive_only = True
        return tags

    def set_params(self, **params: Any) -> Self:
        """Set parameters by their names, as scikit-learn's searches do."""
        for name in params:
            field = name.rpartition("__")[2]
            check(field == name, "parameter", name, "a plain name, because the recipe is not nested", f"give {field!r}")
        super().set_params(**params)
        return self

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train a network on images (n, 784) or (n, 28, 28) and labels (n,), from random starting weights.

        `sample_weight`, (n,) of 0 or more, multiplies the loss of each image; see `inksight.train`.
        """
        recipe = self._recipe()
        flat, y = validate_data(self, _flat(X), y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y must have 2 classes or more, got 1 class: {str(self.classes_[0])!r}")
        self.scale_ = 255 if flat.max() > 1 else 1
        names = tuple(str(name) for name in self.classes_)
        data = Dataset(self._images(self._in_range(flat)), labels.astype(np.int64), "X", names)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if self.epochs is None and not isinstance(self.recipe, Recipe):
            used = len(data) if sample_weight is None else np.count_nonzero(sample_weight)
            recipe = long_enough(recipe, int(used))
        function = None if isinstance(self.augmentation, Augmentation) else self.augmentation
        result = fit(
            Splits(data), self.network, recipe, seed=seed, augmentation=function, sample_weight=sample_weight,
            progress=bool(self.verbose),
        )  # fmt: skip
        if result.stopped == "interrupted":
            raise KeyboardInterrupt
        self.model_ = result.model
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the probabilities (n, classes), in the order of ``classes_``; each row sums to 1."""
        check_is_fitted(self)
        return self.model_.probabilities(self._images(self._in_range(validate_data(self, _flat(X), reset=False))))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of each image, (n,)."""
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def _recipe(self) -> Recipe:
        """Return the recipe with the values that replace its own."""
        recipe = get_recipe(self.recipe)
        augmentation = self.augmentation if isinstance(self.augmentation, Augmentation) else recipe.augmentation
        values = {name: value for name, value in self.get_params(deep=False).items() if value is not None}
        return _replaced(replace(recipe, augmentation=_replaced(augmentation, values)), values)

    def _in_range(self, values: NDArray[Any]) -> NDArray[np.floating]:
        """Return values divided by full ink, 0..1."""
        low, high = float(values.min()), float(values.max())
        check(low >= 0, "Negative values in data: X", low, "0 or more")  # the wording that scikit-learn checks for
        check(high <= self.scale_, "values of X", high, f"at most {self.scale_}, the value of full ink in fit")
        shares: NDArray[np.floating] = values / self.scale_
        return shares

    def _images(self, rows: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return rows of pixels 0..1 as images (n, 28, 28) uint8."""
        if rows.shape[1] != PIXELS:
            raise InputError(
                f"X must have {PIXELS} features, images of {IMAGE_SIZE}x{IMAGE_SIZE}, got {rows.shape[1]} feature(s)"
            )
        return np.round(255 * rows).astype(np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _flat(X: Any) -> Any:
    """Return images (n, height, width) as rows of pixels, and anything else unchanged."""
    images = np.asarray(X) if isinstance(X, (list, tuple)) else X
    return images.reshape(len(images), -1) if getattr(images, "ndim", 2) == 3 else images


def _replaced(settings: Settings, values: dict[str, Any]) -> Settings:
    """Return a recipe or an augmentation with some values, which may be NumPy's numbers, as in a grid of them."""
    names = [field.name for field in fields(settings) if field.name in values and field.name != "augmentation"]
    plain = {name: values[name].item() if isinstance(values[name], np.generic) else values[name] for name in names}
    return replace(settings, **plain)
