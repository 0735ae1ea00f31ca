"""`DigitClassifier`: scikit-learn's own checks, and images, labels and parameters it accepts."""

import json
import pickle
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import inksight
from inksight import Augmentation, DigitClassifier, InputError, Recipe, get_recipe
from inksight.engine import library as native

QUICK = Recipe(epochs=20, batch_size=32, learning_rate=3e-2)
TINY = "6x5p"
ROWS, COLUMNS = np.mgrid[:28, :28]

# These checks use data of 1 to 10 features, which are not images.
CHECKS_OF_FEW_FEATURES = dict.fromkeys(
    [
        "check_fit_score_takes_y", "check_estimators_overwrite_params", "check_dont_overwrite_parameters",
        "check_estimators_fit_returns_self", "check_readonly_memmap_input", "check_n_features_in_after_fitting",
        "check_estimators_dtypes", "check_dtype_object", "check_pipeline_consistency", "check_estimators_nan_inf",
        "check_estimators_pickle", "check_f_contiguous_array_estimator", "check_classifier_data_not_an_array",
        "check_classifiers_classes", "check_classifiers_train", "check_supervised_y_2d",
        "check_methods_sample_order_invariance", "check_methods_subset_invariance", "check_dict_unchanged",
        "check_fit_idempotent", "check_fit_check_is_fitted", "check_n_features_in", "check_fit2d_predict1d",
        "check_sample_weights_not_an_array", "check_sample_weights_list", "check_sample_weights_shape",
        "check_all_zero_sample_weights_error", "check_sample_weights_not_overwritten",
        "check_sample_weight_equivalence_on_dense_data", "check_classifiers_one_label_sample_weights",
    ],
    "it uses a few features, and an image has 784",
)  # fmt: skip
CHECKS_OF_ORDER = {
    "check_sample_weight_equivalence_on_dense_data": "it requires that an image of weight 2 is the same as an image "
    "given twice, which may fall into two batches"
} | (
    # NumPy sums all images in the same order.
    {
        "check_methods_sample_order_invariance": "it requires equal probabilities to 1e-9, and the order of the "
        "engine's float32 sums depends on the position of an image in its group of sixteen",
    }
    if native.computes()
    else {}
)


class FewFeaturesClassifier(DigitClassifier):
    """A classifier that turns a few features into an image, each into a band of stripes with its brightness.

    This allows the checks that need few features.
    """

    def _images(self, rows):
        count = rows.shape[1]
        values = rows * self.scale_  # in most checks from 0 to 20
        images = np.zeros((len(rows), 28, 28))
        for i in range(count):
            angle = np.pi * i / count
            stripes = np.sin(1.3 * (np.cos(angle) * ROWS + np.sin(angle) * COLUMNS)) > 0
            images += (values[:, i] / (2 + values[:, i]))[:, None, None] * (stripes & (ROWS * count // 28 == i))
        return np.round(255 * images).astype(np.uint8)


@parametrize_with_checks(
    [DigitClassifier(TINY, QUICK), FewFeaturesClassifier(TINY, QUICK)],
    expected_failed_checks=lambda estimator: (
        CHECKS_OF_ORDER if isinstance(estimator, FewFeaturesClassifier) else CHECKS_OF_FEW_FEATURES
    ),
    xfail_strict=True,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def part(digits):
    return digits.train[:600]


@pytest.fixture(scope="module")
def fitted(part):
    return DigitClassifier("8x5p,12x3", QUICK, epochs=12, random_state=0).fit(part.images, part.labels)


@pytest.fixture(scope="module")
def briefly_fitted(part):
    """A classifier for tests that fit it again."""
    return DigitClassifier(TINY, QUICK, epochs=2, random_state=0).fit(part.images, part.labels)


def test_classifier_learns_and_has_the_attributes_of_one(fitted, digits):
    test = digits.validation
    assert fitted.score(test.images, test.labels) > 0.6
    probabilities = fitted.predict_proba(test.images)
    assert probabilities.shape == (len(test), 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(fitted.predict(test.images), probabilities.argmax(axis=1))
    assert fitted.n_features_in_ == 784
    assert fitted.classes_.tolist() == list(range(10))
    np.testing.assert_array_equal(fitted.model_.predict(test.images), fitted.predict(test.images))


def test_all_forms_of_images_give_the_same_model(part, briefly_fitted):
    forms = [
        (part.images, 255), (part.images.reshape(-1, 784), 255), (part.images.astype(float), 255),
        (part.images / 255, 1), (part.images.reshape(-1, 784).astype(np.int64), 255), (part.images.tolist(), 255),
    ]  # fmt: skip
    for images, scale in forms:
        other = clone(briefly_fitted).fit(images, part.labels)
        assert other.scale_ == scale
        assert other.model_.digest == briefly_fitted.model_.digest
        np.testing.assert_array_equal(other.predict(images), briefly_fitted.predict(part.images))


def test_labels_can_be_strings(part):
    words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    rows = part.labels < 3
    classifier = DigitClassifier(TINY, QUICK, epochs=1).fit(part.images[rows], words[part.labels[rows]])
    assert classifier.classes_.tolist() == ["one", "two", "zero"]
    assert classifier.model_.class_names == ("one", "two", "zero")
    assert set(classifier.predict(part.images)) <= set(classifier.classes_)


def test_random_state_decides_the_weights(part, briefly_fitted):
    same, other = (
        clone(briefly_fitted).set_params(random_state=seed).fit(part.images, part.labels).model_.digest
        for seed in (0, 1)
    )
    assert same == briefly_fitted.model_.digest != other


def invert(images, rng):
    """Invert the images of random rows."""
    return np.where(rng.random(len(images))[:, None, None] < 0.5, images, 255 - images)


def test_every_field_of_the_recipe_and_its_augmentation_is_a_parameter(part, monkeypatch):
    given = {
        "passes": 2, "batch_size": np.int64(50), "learning_rate": np.float64(0.01), "schedule": "constant",
        "warmup": 0.1, "taper": 0.5, "beta1": 0.7, "beta2": 0.9, "epsilon": 1e-6, "label_smoothing": 0.2,
        "muon_scale": 0.5, "momentum": 0.8, "rotation": 7, "shift": 1, "scale": 0.1, "shear": 0.2, "elastic": 0.5,
        "aspect": 0.1, "pen_style": 0.3, "epochs": np.int64(2),
    }  # fmt: skip
    names = [field.name for cls in (Recipe, Augmentation) for field in fields(cls)]
    assert sorted(given) == sorted({*names} - {"augmentation"})
    classifier = clone(DigitClassifier(TINY, QUICK).set_params(**given))
    assert {name: classifier.get_params()[name] for name in given} == given
    recipe = classifier.fit(part.images, part.labels).model_.recipe
    assert recipe is not None
    values = recipe.to_dict()
    augmentation = values.pop("augmentation")
    assert values | augmentation == given
    assert json.loads(json.dumps(values)) == values  # no numbers of NumPy are left

    # Those left out are those of the recipe, and the recipe keeps its number of steps.
    some = DigitClassifier(TINY, "seconds", rotation=20, batch_size=60)
    monkeypatch.setattr("inksight.training.fitting.MIN_STEPS", 25)
    recipe = some.fit(part.images, part.labels).model_.recipe
    named = get_recipe("seconds")
    assert recipe == replace(named, epochs=3, batch_size=60, augmentation=replace(named.augmentation, rotation=20))


@pytest.mark.parametrize("name", ["recipe__learning_rate", "recipe__augmentation__learning_rate"])
def test_nested_names_are_refused_with_the_plain_one(name):
    with pytest.raises(InputError, match=f"parameter must be a plain name.*got '{name}': give 'learning_rate'"):
        DigitClassifier(TINY).set_params(**{name: 0.1})


def test_augmentation_is_one_of_the_package_or_a_function(part):
    own = Augmentation(rotation=3, shear=0.1)
    classifier = DigitClassifier(TINY, QUICK, augmentation=own, epochs=1, random_state=0)

    def fitted_recipe():
        return classifier.fit(part.images, part.labels).model_.recipe

    once = replace(QUICK, epochs=1)
    assert fitted_recipe() == replace(once, augmentation=own)
    classifier.set_params(shift=2)
    assert fitted_recipe() == replace(once, augmentation=replace(own, shift=2))
    classifier.set_params(augmentation=invert)
    assert fitted_recipe() == replace(once, augmentation=replace(QUICK.augmentation, shift=2))
    assert classifier.model_.augmentation_function == f"{__name__}.invert"
    again = clone(classifier).fit(part.images, part.labels)
    assert again.model_.digest == classifier.model_.digest
    with pytest.raises(InputError, match="augmentation must be an Augmentation or a function of images, got 'rotation"):
        classifier.set_params(augmentation="rotation").fit(part.images, part.labels)


def test_sample_weights_choose_between_contradictory_labels(part):
    """Two copies of each image with different labels: the one that counts more is learned."""
    rows = np.isin(part.labels, (0, 1))
    images, labels = np.tile(part.images[rows], (2, 1, 1)), np.r_[part.labels[rows], 1 - part.labels[rows]]
    first = np.arange(len(labels)) < len(labels) / 2
    classifier = DigitClassifier(TINY, QUICK, epochs=6, random_state=0)
    for right in (first, ~first):
        classifier.fit(images, labels, sample_weight=np.where(right, 9, 1))
        assert classifier.score(images, labels, sample_weight=right) > 0.9
        assert classifier.score(images, labels) == pytest.approx(0.5)
        history = classifier.model_.history
        assert history["accuracy"][-1] == pytest.approx(0.5, abs=0.05)  # counts images, not weights


def test_classifier_can_be_pickled_after_predicting(fitted, part):
    expected = fitted.predict_proba(part.images)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(part.images), expected)


def test_pipeline_grid_search_and_cross_validation(part):
    classifier = DigitClassifier(TINY, QUICK, epochs=2, random_state=0)
    search = GridSearchCV(classifier, {"epochs": [1, 4], "rotation": np.arange(2)}, cv=2).fit(part.images, part.labels)
    assert search.best_params_["epochs"] == 4
    assert len(search.cv_results_["params"]) == 4
    flat = part.images.reshape(-1, 784)
    pipeline = make_pipeline(FunctionTransformer(lambda X: X / 255), classifier)
    np.testing.assert_array_equal(cross_val_score(pipeline, flat, part.labels, cv=2),
                                  cross_val_score(classifier, flat, part.labels, cv=2))  # fmt: skip


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros((2, 783)), [0, 1], "X must have 784 features, images of 28x28, got 783 feature"),
        (np.zeros((2, 28, 27)), [0, 1], "got 756 feature"),
        (np.full((2, 784), 256.0), [0, 1], "values of X must be at most 255, the value of full ink in fit, got 256.0"),
        (np.full((2, 784), -1.0), [0, 1], "must be 0 or more, got -1.0"),
        (np.zeros((2, 784)), [7, 7], "y must have 2 classes or more, got 1 class: '7'"),
        (np.full((2, 784), np.nan), [0, 1], "NaN"),
    ],
)
def test_invalid_images_and_labels_raise_errors(X, y, words):
    with pytest.raises(ValueError, match=words):
        DigitClassifier(TINY, QUICK).fit(X, y)


def test_predict_uses_the_range_of_fit(part, briefly_fitted):
    classifier = clone(briefly_fitted).fit(part.images / 255, part.labels)
    with pytest.raises(InputError, match="values of X must be at most 1, the value of full ink in fit, got 255"):
        classifier.predict(part.images)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epochs": 0}, "epochs must be 1 to 100000, got 0"),
        ({"network": "x"}, "network must be"),
        ({"recipe": "x"}, "recipe"),
    ],
)
def test_fit_raises_errors_for_invalid_parameters(changes, words, part):
    with pytest.raises(InputError, match=words):
        DigitClassifier(**{"network": TINY, "recipe": QUICK} | changes).fit(part.images, part.labels)


def test_error_without_scikit_learn_says_what_to_install():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import inksight; from inksight import *\n"
        "try:\n    inksight.DigitClassifier\n"
        "except inksight.errors.MissingDependencyError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "DigitClassifier needs scikit-learn: pip install 'inksight[sklearn]'"
    assert "DigitClassifier" in dir(inksight)
