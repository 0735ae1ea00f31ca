"""Calibration by temperature scaling."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from inksight import InputError
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.training.calibration import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    calibrated,
    fit_temperature,
    with_temperature,
)


def cross_entropy(logits, labels):
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return -log_p[np.arange(len(labels)), labels].mean()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.4, 2.5), st.integers(2, 12))
def test_fit_finds_the_temperature_of_the_labels_distribution(seed, temperature, classes):
    rng = np.random.default_rng(seed)
    calibrated_logits = rng.normal(size=(4000, classes)) * 2
    labels = (calibrated_logits + rng.gumbel(size=calibrated_logits.shape)).argmax(axis=1)  # drawn from their softmax
    logits = calibrated_logits * temperature
    fitted = fit_temperature(logits, labels)
    assert fitted == pytest.approx(temperature, rel=0.25)
    best = cross_entropy(logits / fitted, labels)
    for other in (fitted * 0.98, fitted * 1.02):
        assert best <= cross_entropy(logits / other, labels)


def test_temperature_has_limits():
    logits = np.array([[3.0, 0.0], [0.0, 3.0]])
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(MIN_TEMPERATURE)  # all correct
    assert fit_temperature(logits, np.array([1, 0])) == pytest.approx(MAX_TEMPERATURE)  # none correct
    assert fit_temperature(np.zeros((5, 3)), np.array([0, 1, 2, 0, 1])) > 0  # no information
    assert fit_temperature(np.zeros((0, 10)), np.zeros(0, int)) == 1
    with pytest.raises(InputError, match=r"number of labels must be 2, .*got 1"):
        fit_temperature(logits, np.array([0]))


def test_calibration_keeps_predictions_and_lowers_the_log_loss(model, digits):
    overconfident = with_temperature(model, model.temperature / 4)
    recalibrated = calibrated(overconfident, digits.validation)
    images = digits.validation.images
    np.testing.assert_array_equal(recalibrated.predict(images), overconfident.predict(images))
    assert evaluate(recalibrated, digits.validation).log_loss < evaluate(overconfident, digits.validation).log_loss
    # Temperature 1 restores the trained weights, and `temperature` is the divisor.
    assert recalibrated.temperature == pytest.approx(calibrated(model, digits.validation).temperature, rel=1e-4)
    raw = with_temperature(recalibrated, 1.0)
    expected = raw.activations(images[:50], only=["logits"])["logits"] / recalibrated.temperature
    np.testing.assert_allclose(
        recalibrated.activations(images[:50], only=["logits"])["logits"], expected, rtol=1e-4, atol=1e-5
    )


def test_model_file_stores_the_temperature(model, tmp_path):
    with_temperature(model, 1.7).save(tmp_path / "m.safetensors")
    assert Model.load(tmp_path / "m.safetensors").temperature == 1.7
    for wrong in (0.0, -1.0, float("nan"), "1"):
        with pytest.raises(InputError, match=r"temperature must be 0\.001 to 1000"):
            replace(model, temperature=wrong)


def test_training_calibrates_on_the_validation_images(small_run, digits):
    model = small_run.model
    assert model.temperature != 1
    again = calibrated(model, digits.validation)
    assert again.temperature == pytest.approx(model.temperature, rel=1e-4)
