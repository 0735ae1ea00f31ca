"""The output that rejects what is not a digit: its log-odds, its file, and what reading makes of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import inksight
from benchmarks.synthetic.non_digits import printed_letter
from inksight.config import get_network
from inksight.errors import InputError
from inksight.imaging.preprocessing import prepare_grayscale
from inksight.nn.model import Model
from inksight.nn.ood import REJECTION_WEIGHT, ood_score
from inksight.nn.rejection_output import RejectionOutput
from inksight.reading.detection import assess
from inksight.training.calibration import with_temperature


@pytest.fixture(params=["4x5p,6x3", "4x5p,6x3,d5"])
def eleven(request) -> Model:
    """A network with eleven classes, untrained."""
    return Model.untrained(get_network(request.param, 11), 0, (*"0123456789", "not a digit"))


@pytest.fixture
def ten(eleven) -> Model:
    """The same with the eleventh as its detector."""
    kernel, bias = eleven.params["output.kernel"], eleven.params["output.bias"]
    params = eleven.params | {"output.kernel": kernel[:, :10].copy(), "output.bias": bias[:10]}
    detector = RejectionOutput(np.append(kernel[:, 10], bias[10]).astype(np.float32), 0.0)
    network = replace(eleven.network, classes=10)
    return Model(network, params, eleven.normalization, ood_detector=detector)


def test_ten_classes_and_the_detector_are_the_network_with_eleven(eleven, ten, mnist):
    images = mnist.images[:50]
    p = eleven.probabilities(images).astype(np.float64)
    log_odds = np.log(p[:, 10]) - np.log(p[:, :10].sum(axis=1))
    assessment = assess(ten, images)
    np.testing.assert_allclose(assessment.negative_log_odds, log_odds, atol=1e-4)
    np.testing.assert_allclose(assessment.margin, REJECTION_WEIGHT * log_odds, atol=1e-4)
    np.testing.assert_allclose(assessment.probabilities, p[:, :10] / (1 - p[:, 10:]), rtol=1e-3)


def test_a_new_temperature_changes_no_score(ten, mnist):
    images = mnist.images[:50]
    np.testing.assert_allclose(ood_score(with_temperature(ten, 3.0), images), ood_score(ten, images), atol=1e-4)


def test_the_file_keeps_the_detector(ten, mnist, tmp_path):
    ten = replace(ten, ood_detector=replace(ten.ood_detector, threshold=0.25))
    ten.save(tmp_path / "m.safetensors")
    loaded = Model.load(tmp_path / "m.safetensors")
    assert isinstance(loaded.ood_detector, RejectionOutput)
    assert loaded.ood_detector.threshold == 0.25
    np.testing.assert_array_equal(ood_score(loaded, mnist.images[:9]), ood_score(ten, mnist.images[:9]))


def test_a_detector_that_does_not_fit_is_an_error(ten):
    with pytest.raises(InputError, match=r"shape of the detector's weights must be \(\d,\), got \(3,\)"):
        replace(ten, ood_detector=RejectionOutput(np.zeros(3, np.float32), 0.0))
    wrongs: list[Any] = [np.zeros((2, 2), np.float32), np.zeros(4), np.full(4, np.nan, np.float32)]
    for wrong in wrongs:
        with pytest.raises(InputError, match="the detector's weights"):
            RejectionOutput(wrong, 0.0)
    with pytest.raises(InputError, match="threshold"):
        RejectionOutput(np.zeros(4, np.float32), np.inf)


def test_the_reader_tells_digits_from_letters(mnist):
    reader = inksight.load_model("reader")
    assert isinstance(reader.ood_detector, RejectionOutput)
    digits, labels = mnist.images[50_000:51_000], mnist.labels[50_000:51_000]
    assert (ood_score(reader, digits) > reader.ood_detector.threshold).mean() <= 0.005
    assert (reader.predict(digits) == labels).mean() > 0.99
    rng = np.random.default_rng(0)
    letters = [prepare_grayscale(printed_letter(rng)).image for _ in range(100)]
    rejected = {name: _share_rejected(inksight.load_model(name), letters) for name in ("reader", "best")}
    assert rejected["reader"] > 0.8 > rejected["best"]


def _share_rejected(model: Model, images: list[np.ndarray]) -> float:
    assert model.ood_detector is not None
    return float((ood_score(model, np.stack(images)) > model.ood_detector.threshold).mean())
