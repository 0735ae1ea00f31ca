from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from inksight import InputError
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.training.calibration import COLDEST, HOTTEST, calibrated, fit_temperature, with_temperature


def cross_entropy(logits, labels):
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return -log_p[np.arange(len(labels)), labels].mean()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.4, 2.5), st.integers(2, 12))
def test_it_finds_the_temperature_that_labels_were_drawn_by(seed, temperature, classes):
    rng = np.random.default_rng(seed)
    honest = rng.normal(size=(4000, classes)) * 2
    labels = (honest + rng.gumbel(size=honest.shape)).argmax(axis=1)  # drawn by softmax(honest)
    found = fit_temperature(honest * temperature, labels)
    assert found == pytest.approx(temperature, rel=0.25)
    best = cross_entropy(honest * temperature / found, labels)
    for other in (found * 0.98, found * 1.02):
        assert best <= cross_entropy(honest * temperature / other, labels)


def test_it_ends_at_its_limits():
    logits = np.array([[3.0, 0.0], [0.0, 3.0]])
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(COLDEST)  # all right: never sure enough
    assert fit_temperature(logits, np.array([1, 0])) == pytest.approx(HOTTEST)
    assert fit_temperature(np.zeros((5, 3)), np.array([0, 1, 2, 0, 1])) > 0  # nothing to be sure of
    assert fit_temperature(np.zeros((0, 10)), np.zeros(0, int)) == 1
    with pytest.raises(InputError, match=r"number of labels must be 2, .*got 1"):
        fit_temperature(logits, np.array([0]))


def test_a_calibrated_model_predicts_the_same_and_loses_less(model, digits):
    overconfident = with_temperature(model, model.temperature / 4)
    fixed = calibrated(overconfident, digits.validation)
    images = digits.validation.images
    np.testing.assert_array_equal(fixed.predict(images), overconfident.predict(images))
    before, after = (evaluate(each, digits.validation).log_loss for each in (overconfident, fixed))
    assert after < before
    # What had been trained comes back, and what the file says is what was divided by.
    assert fixed.temperature == pytest.approx(calibrated(model, digits.validation).temperature, rel=1e-4)
    raw = with_temperature(fixed, 1.0)
    expected = raw.activations(images[:50], only=["logits"])["logits"] / fixed.temperature
    np.testing.assert_allclose(
        fixed.activations(images[:50], only=["logits"])["logits"], expected, rtol=1e-4, atol=1e-5
    )


def test_the_temperature_travels_with_the_file(model, tmp_path):
    with_temperature(model, 1.7).save(tmp_path / "warm.safetensors")
    assert Model.load(tmp_path / "warm.safetensors").temperature == 1.7
    for wrong in (0.0, -1.0, float("nan"), "1"):
        with pytest.raises(InputError, match="temperature must be above 0"):
            replace(model, temperature=wrong)


def test_training_calibrates_on_validation_and_goes_on_from_raw_weights(small_run, digits):
    model = small_run.model
    assert model.temperature != 1
    again = calibrated(model, digits.validation)
    assert again.temperature == pytest.approx(model.temperature, rel=1e-4)
