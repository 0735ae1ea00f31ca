"""Evaluation: accuracy, calibration and confusions, against scikit-learn and by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn import metrics

from inksight import InputError, evaluate
from inksight.inspection.evaluation import wilson_interval
from inksight.inspection.reliability import calibration_curve


@pytest.fixture(scope="module")
def result(model, digits):
    return evaluate(model, digits.test, hardest=20)


def test_figures_against_scikit_learn(result, model, digits):
    labels, p = digits.test.labels, model.probabilities(digits.test.images).astype(np.float64)
    p /= p.sum(axis=1, keepdims=True)  # scikit-learn requires sums of 1 in double precision
    predictions = p.argmax(axis=1)
    np.testing.assert_array_equal(result.confusion, metrics.confusion_matrix(labels, predictions))
    assert result.accuracy == pytest.approx(metrics.accuracy_score(labels, predictions))
    assert result.log_loss == pytest.approx(metrics.log_loss(labels, p), rel=1e-4)
    kwargs = {"average": None, "zero_division": np.nan}
    np.testing.assert_allclose(result.precision, metrics.precision_score(labels, predictions, **kwargs))
    np.testing.assert_allclose(result.recall, metrics.recall_score(labels, predictions, **kwargs))


def test_the_hardest_images_have_the_lowest_probability_of_their_class(result, model, digits):
    own = np.take_along_axis(model.probabilities(digits.test.images), digits.test.labels[:, None], axis=1)[:, 0]
    assert np.sort(own)[:20] == pytest.approx(result.hardest_label_probability, abs=1e-6)
    np.testing.assert_array_equal(result.hardest_images, digits.test.images[result.hardest])
    np.testing.assert_array_equal(result.hardest_labels, digits.test.labels[result.hardest])


def test_json(result):
    parsed = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert {"accuracy", "interval", "n", "confusion", "calibration_error"} <= set(parsed)
    assert parsed["n"] == 500
    assert parsed["interval"][0] < parsed["accuracy"] < parsed["interval"][1]


def test_what_is_undefined_is_a_dash(digits):
    """Of a class without images there is no recall; of one that is never predicted, no precision."""
    ones = digits.test.of_digit(1)
    text = str(evaluate("tiny", ones[:1]))
    assert "nan" not in text
    assert [line.split() for line in text.splitlines()[4:6]] == [["0", "0", "-", "-"], ["1", "1", "100.00%", "100.00%"]]


def test_calibration_by_hand():
    confidence = np.array([0.95, 0.85, 0.9, 0.55, 1.0])
    right = np.array([True, False, True, False, True])
    result = calibration_curve(confidence, right, bins=2)
    assert result.bin_count.tolist() == [0, 5]
    assert result.error == pytest.approx(abs(0.6 - confidence.mean()))
    fine = calibration_curve(confidence, right, bins=10)
    assert fine.bin_count.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 1, 3]
    assert fine.error == pytest.approx((0.55 + 0.85 + 3 * (1 - 2.85 / 3)) / 5)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_contains_the_proportion_and_stays_within_0_and_1(case):
    right, n = case
    low, high = wilson_interval(right, n)
    assert 0 <= low <= right / n <= high <= 1
    assert high - low < 2 * 1.96 / np.sqrt(n)


def test_the_interval_is_the_wilson_interval():
    # Agresti and Coull's example: 0 successes in 10 trials have the upper end 0.278.
    assert wilson_interval(0, 10)[1] == pytest.approx(0.2775, abs=1e-4)
    assert wilson_interval(9_900, 10_000) == pytest.approx((0.98785, 0.99177), abs=1e-5)


def test_bad_data_is_an_error(model, digits):
    with pytest.raises(InputError, match="evaluation needs at least one image"):
        evaluate(model, digits.test[:0])
    with pytest.raises(InputError, match="label"):
        evaluate(model, replace(digits.test, labels=None))
    with pytest.raises(InputError, match="classes of the data"):
        evaluate(model, replace(digits.test, class_names=tuple("abcdefghij")))
    with pytest.raises(InputError, match="hardest must be 0 or more, got -1"):
        evaluate(model, digits.test, hardest=-1)
