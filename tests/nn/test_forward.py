import numpy as np
import pytest
import reference

from inksight.config import NETWORKS, Bank, Network
from inksight.nn.forward import activations
from inksight.nn.parameters import init, kernel, parameter_count, shapes, stages
from inksight.nn.summary import layers, summary


def test_the_posts_network_has_the_posts_18813_parameters():
    assert parameter_count(NETWORKS["post"]) == 18_813
    assert parameter_count(NETWORKS["post"], trained=True) == 18_810
    arrays = init(NETWORKS["post"], seed=0)
    assert sum(np.size(value) for value in arrays.values()) == 18_813


def test_every_row_of_the_posts_table():
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


def test_the_printed_table_adds_up():
    text = summary(NETWORKS["post"])
    assert "Total params: 18,813" in text
    assert "Trainable params: 18,810" in text
    assert "Non-trainable params: 3" in text
    assert "(None, 24, 24, 20)" in text
    assert len({len(line) for line in text.splitlines()[:12]}) == 1  # the columns stand straight


NETS = [
    Network((Bank(3, 1), Bank(2, 7, 2), Bank(5, 5)), dense=4, classes=3, leak=0.3),
    Network((Bank(4, 3, 2), Bank(6, 3, 2)), classes=2, leak=0.0),
    Network((Bank(1, 5, 2),), dense=7, leak=1.0),
    Network((Bank(4, 5, 2, separable=True), Bank(6, 3, separable=True), Bank(3, 3)), classes=4),
]


@pytest.mark.parametrize("network", NETS)
def test_stages_have_the_shapes_promised(network, rng):
    images = rng.integers(0, 256, size=(3, 28, 28), dtype=np.uint8)
    result = activations(network, init(network, 1), images)
    assert tuple(result) == stages(network)
    for number, (bank, side) in enumerate(zip(network.banks, network.sides, strict=True), start=1):
        assert result[f"bank{number}"].shape == (3, side, side, bank.filters)
    last = result[f"bank{len(network.banks)}"]
    np.testing.assert_allclose(result["barcode"], last.mean(axis=(1, 2)), rtol=1e-6)
    assert result["probabilities"].shape == (3, network.classes)
    np.testing.assert_allclose(result["probabilities"].sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("network", NETS)
def test_floats_and_bytes_are_the_same_image(network, rng):
    images = rng.integers(0, 256, size=(2, 28, 28), dtype=np.uint8)
    params = init(network, 1)
    floats = activations(network, params, (images / 255).astype(np.float32))
    np.testing.assert_allclose(floats["logits"], activations(network, params, images)["logits"], rtol=1e-5, atol=1e-6)


def test_a_numpy_forward_pass_agrees_on_a_thousand_images(post_model, mnist):
    images = mnist.images[-1000:]
    np.testing.assert_allclose(
        post_model.probabilities(images), reference.probabilities(post_model, images), rtol=0, atol=1e-5
    )


def test_starting_weights_are_glorots(rng):
    params = init(NETWORKS["post"], seed=3)
    assert set(params) == set(shapes(NETWORKS["post"]))
    weights = np.asarray(params["bank2.kernel"])
    limit = np.sqrt(6 / (25 * 20 + 25 * 20))
    assert np.abs(weights).max() <= limit
    assert weights.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert all(not np.asarray(params[name]).any() for name in params if name.endswith(".bias"))


def test_separable_kernels_start_as_spread_out_as_whole_ones():
    separable, whole = (Network((Bank(40), Bank(60, separable=separable))) for separable in (True, False))
    spreads = [np.mean([kernel(init(network, seed), 2).std() for seed in range(20)]) for network in (separable, whole)]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.05)
