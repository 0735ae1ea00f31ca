"""Out-of-distribution scores: of digits and other images, and the detector in model files."""

from dataclasses import replace

import numpy as np
import pytest

import inksight
from inksight.augmentation.negatives import synthetic_negatives
from inksight.errors import InputError
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.nn.model import Model
from inksight.nn.ood import ood_features, ood_score
from inksight.reading.detection import assess
from inksight.training.calibration import calibrated, with_temperature
from inksight.training.ood_detector import with_ood_detector


@pytest.fixture(scope="module")
def model(mnist):
    return inksight.train(
        mnist[:6000].split(), "8x5p,8x3,12x3", inksight.Recipe(epochs=3, learning_rate=1e-2), progress=False
    )


@pytest.fixture(scope="module")
def validation(mnist):
    return mnist[:6000].split().validation


def test_threshold_accepts_the_given_share_of_validation_digits(model, validation):
    accepted = ood_score(model, validation.images) <= model.ood_detector.threshold
    assert accepted.mean() == pytest.approx(0.995, abs=1.5 / len(validation))


def test_noise_and_stripes_score_higher_than_digits(model, validation):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (50, 28, 28), np.uint8)
    stripes = np.zeros((1, 28, 28), np.uint8)
    stripes[:, ::3] = 255
    median = np.median(ood_score(model, validation.images))
    assert (ood_score(model, noise) > model.ood_detector.threshold).all()
    assert (ood_score(model, stripes) > max(model.ood_detector.threshold, 2 * median)).all()


def test_features_are_signed_square_roots_of_averages(model, validation):
    features, probabilities = ood_features(model, validation.images[:3])
    maps = model.activations(validation.images[:3], only=["bank1", "bank2", "bank3"])
    averages = np.concatenate([maps[f"bank{i}"].mean(axis=(1, 2)) for i in (1, 2, 3)], axis=1)
    np.testing.assert_allclose(features * np.abs(features), averages, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(probabilities, model.probabilities(validation.images[:3]))


def test_score_does_not_depend_on_other_images(model, validation):
    together = ood_score(model, validation.images[:20])
    alone = np.concatenate([ood_score(model, image) for image in validation.images[:20]])
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)


def test_model_file_stores_the_detector(model, validation, tmp_path):
    model.save(tmp_path / "m.safetensors")
    loaded = Model.load(tmp_path / "m.safetensors")
    assert isinstance(loaded.ood_detector, MahalanobisDetector)
    assert loaded.ood_detector.threshold == model.ood_detector.threshold
    np.testing.assert_array_equal(loaded.ood_detector.negative_weights, model.ood_detector.negative_weights)
    np.testing.assert_array_equal(ood_score(loaded, validation.images[:50]), ood_score(model, validation.images[:50]))


def test_log_odds_separate_negatives_from_digits(model, validation):
    negatives = synthetic_negatives(validation.images, np.random.default_rng(5))
    detector = model.ood_detector
    assert (detector.negative_log_odds(*ood_features(model, validation.images)) < 0).mean() > 0.8
    assert (detector.negative_log_odds(*ood_features(model, negatives)) > 0).mean() > 0.8


def test_model_file_without_negative_weights_can_be_read(model, tmp_path):
    replace(model, ood_detector=replace(model.ood_detector, negative_weights=None)).save(tmp_path / "m.safetensors")
    detector = Model.load(tmp_path / "m.safetensors").ood_detector
    assert isinstance(detector, MahalanobisDetector)
    assert detector.negative_weights is None


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_changes_nothing_for_the_detector(model, validation, temperature, tmp_path):
    images = np.concatenate([validation.images[:50], synthetic_negatives(validation.images, np.random.default_rng(5))])
    other = with_temperature(model, temperature)
    before, after = assess(model, images), assess(other, images)
    assert abs(after.probabilities - before.probabilities).max() > 0.01
    np.testing.assert_allclose(after.margin, before.margin, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(after.negative_log_odds, before.negative_log_odds, rtol=1e-3, atol=1e-2)
    other.save(tmp_path / "m.safetensors")
    loaded = Model.load(tmp_path / "m.safetensors")
    np.testing.assert_allclose(ood_score(loaded, images), ood_score(other, images), rtol=1e-9)


def test_calibrated_model_keeps_its_detector(model, validation):
    before = with_temperature(model, model.temperature / 3)
    again = calibrated(before, validation)
    assert again.temperature == pytest.approx(model.temperature, rel=1e-3)
    np.testing.assert_allclose(
        ood_score(again, validation.images), ood_score(model, validation.images), rtol=1e-4, atol=1e-4
    )


def test_training_without_validation_images_drops_the_detector(model, mnist):
    more = inksight.train(inksight.Splits(mnist[:500]), start=model, recipe=inksight.Recipe(epochs=1), progress=False)
    assert more.ood_detector is None
    with pytest.raises(InputError, match="one with a detector"):
        ood_score(more, np.zeros((28, 28), np.uint8))


def test_detector_must_fit_the_network(model):
    detector = replace(model.ood_detector, means=model.ood_detector.means[:5], negative_weights=None)
    with pytest.raises(InputError, match="shape of the detector's means"):
        replace(model, ood_detector=detector)


def test_threshold_can_be_given(model, mnist):
    detector = with_ood_detector(model, mnist[:2000], 3.5).ood_detector
    assert detector is not None
    assert detector.threshold == 3.5
