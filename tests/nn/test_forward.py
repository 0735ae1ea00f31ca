"""Parameters, layers and the forward pass, against the post's table and a reference in NumPy."""

import numpy as np
import pytest

from inksight.config import NETWORKS, Bank, Network
from inksight.nn.forward import activations
from inksight.nn.layer_table import layers, summary
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import effective_kernel, init_params, param_shapes, parameter_count, stage_names


def test_post_network_has_18813_parameters():
    assert parameter_count(NETWORKS["post"]) == 18_813
    assert parameter_count(NETWORKS["post"], trained=True) == 18_810
    arrays = init_params(NETWORKS["post"], seed=0)
    assert sum(np.size(value) for value in arrays.values()) == 18_810


def test_layers_of_the_post_network():
    assert [(row.kind, row.shape, row.parameters) for row in layers(NETWORKS["post"])] == [
        ("Normalization", (28, 28, 1), 3),
        ("Conv2D", (24, 24, 20), 520),
        ("MaxPooling2D", (12, 12, 20), 0),
        ("Conv2D", (8, 8, 20), 10_020),
        ("Conv2D", (6, 6, 40), 7_240),
        ("GlobalAveragePooling2D", (40,), 0),
        ("Dense", (20,), 820),
        ("Dense", (10,), 210),
    ]


def test_summary_has_totals_and_aligned_columns():
    text = summary(NETWORKS["post"])
    assert "Total params: 18,813" in text
    assert "Trainable params: 18,810" in text
    assert "Non-trainable params: 3" in text
    assert "(None, 24, 24, 20)" in text
    assert len({len(line) for line in text.splitlines()[:12]}) == 1  # aligned columns


NETS = [
    Network((Bank(3, 1), Bank(2, 7, 2), Bank(5, 5)), dense=4, classes=3, leak=0.3),
    Network((Bank(4, 3, 2), Bank(6, 3, 2)), classes=2, leak=0.0),
    Network((Bank(1, 5, 2),), dense=7, leak=1.0),
    Network((Bank(4, 5, 2, separable=True), Bank(6, 3, separable=True), Bank(3, 3)), classes=4),
]


@pytest.fixture(scope="module", params=NETS, ids=lambda network: network.spec)
def network_and_stages(request):
    """A network, and its activations for three random images as uint8 and as float."""
    network, params = request.param, init_params(request.param, 1)

    def compute(images):
        result = activations(network, params, Normalization(0.13, 0.09), images)
        assert tuple(result) == stage_names(network)
        return result

    images = np.random.default_rng(0).integers(0, 256, size=(3, 28, 28), dtype=np.uint8)
    return network, compute(images), compute((images / 255).astype(np.float32))


def test_stages_have_the_documented_shapes(network_and_stages):
    network, result, _ = network_and_stages
    for number, (bank, side) in enumerate(zip(network.banks, network.sides, strict=True), start=1):
        assert result[f"bank{number}"].shape == (3, side, side, bank.filters)
    last = result[f"bank{len(network.banks)}"]
    np.testing.assert_allclose(result["barcode"], last.mean(axis=(1, 2)), rtol=1e-6)
    assert result["probabilities"].shape == (3, network.classes)
    np.testing.assert_allclose(result["probabilities"].sum(axis=1), 1, rtol=1e-6)


def test_float_and_uint8_images_give_the_same_logits(network_and_stages):
    _, from_uint8, from_float = network_and_stages
    np.testing.assert_allclose(from_float["logits"], from_uint8["logits"], rtol=1e-5, atol=1e-6)


def test_probabilities_agree_on_a_thousand_images(post_model, post_probabilities):
    images, expected = post_probabilities
    np.testing.assert_allclose(post_model.probabilities(images), expected, rtol=0, atol=1e-5)


def test_without_the_engine_numpy_predicts_the_same(post_model, post_probabilities, monkeypatch):
    images, expected = post_probabilities
    monkeypatch.setenv("INKSIGHT_ENGINE", "numpy")
    np.testing.assert_allclose(post_model.probabilities(images), expected, rtol=0, atol=1e-5)
    assert post_model.probabilities(images[:0]).shape == (0, 10)


def test_starting_weights_are_glorot_uniform():
    params = init_params(NETWORKS["post"], seed=3)
    assert set(params) == set(param_shapes(NETWORKS["post"]))
    weights = np.asarray(params["bank2.kernel"])
    limit = np.sqrt(6 / (25 * 20 + 25 * 20))
    assert np.abs(weights).max() <= limit
    assert weights.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert all(not np.asarray(params[name]).any() for name in params if name.endswith(".bias"))


def test_separable_kernels_start_with_the_standard_deviation_of_full_ones():
    separable, full = (
        np.mean([effective_kernel(init_params(network, seed), 2).std() for seed in range(20)])
        for network in (Network((Bank(40), Bank(60, separable=separable))) for separable in (True, False))
    )
    assert separable == pytest.approx(full, rel=0.05)
