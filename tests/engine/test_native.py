"""The native engine on every instruction set of this machine, compared with NumPy."""

import os
import subprocess
import sys
from dataclasses import replace

import kernels
import numpy as np
import pytest
import reference
from hypothesis import example, given, note, settings, strategies as st
from trials import QUICK, SMALL

from inksight import Model
from inksight.config import Bank, Network, get_network
from inksight.engine import library as native
from inksight.engine.predictor import Predictor
from inksight.nn.forward import predict
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import flatten_weights, stage_names
from inksight.training.fitting import fit

pytestmark = pytest.mark.skipif(not native.computes(), reason="the native engine is not built here")

EXAMPLES = int(os.environ.get("INKSIGHT_EXAMPLES", "25"))  # fewer under sanitizers, which make each ten times slower
ROUNDING = 2**-24
# Three transforms of at most eight terms and a rounded coefficient, the bias or the overlap of tiles, and the leak.
TRANSFORMS = 3 * 9 + 2
BEST = native.isa() or ""


shapes = st.fixed_dictionaries(
    {
        "kernel": st.sampled_from((1, 3, 5, 7)), "pool": st.sampled_from((1, 2)), "channels": st.integers(1, 9),
        "filters": st.integers(1, 12), "n": st.integers(1, 35),
        "down": st.integers(2, 14), "across": st.integers(2, 27),
        "leak": st.sampled_from((0.0, 0.1, 1.0)), "seed": st.integers(0, 2**31),
    }
)  # fmt: skip


def draw(case):
    rng = np.random.default_rng(case["seed"])
    k = case["kernel"]
    sides = (k - 1 + case["down"], k - 1 + case["across"])
    x = rng.normal(size=(case["n"], *sides, case["channels"])).astype(np.float32)
    w = rng.normal(size=(k, k, case["channels"], case["filters"])).astype(np.float32)
    b = rng.normal(size=case["filters"]).astype(np.float32)
    return rng, x, w, b


def close(result, expected):
    """Compare to 1e-5 of the largest value."""
    tolerance = 1e-5 * np.abs(expected).max(initial=1e-30)
    np.testing.assert_allclose(np.asarray(result), np.asarray(expected), rtol=0, atol=tolerance)


def rounding_bound(case, x, w, b):
    """Return how far from exact the outputs of a block can be; see `gradient_rounding_bounds`."""
    y = reference.winograd_terms(x, w) + np.abs(b)
    roundings = case["channels"] * case["kernel"] + TRANSFORMS
    return ROUNDING * roundings * (reference.max_pool(y) if case["pool"] == 2 else y)


def gradient_rounding_bounds(case, x, w, dz):
    """Return how far from exact the gradients of a block for x, w and b can be.

    A rounding changes a result by at most 2**-24 of the sum of its absolute terms, so the bound is that sum times the
    number of roundings on the longest way to the result. It holds for any data, with or without fused multiply-adds.
    """
    k, pool = case["kernel"], case["pool"]
    height, width = dz.shape[1] // pool, dz.shape[2] // pool
    tiles = -(-width * pool // (9 - k))
    groups = -(-len(x) // 16)
    per_lane = 16 // 4  # images of a lane group that are added up in one lane, on the narrowest vectors
    across = 2 + groups  # the sum of four lanes, and that of the groups
    roundings = (
        case["filters"] * k + TRANSFORMS,
        height * pool * tiles * per_lane + across + TRANSFORMS,
        height * width * per_lane + across + 1,
    )
    terms = reference.winograd_gradient_terms(x, w, dz)
    return [ROUNDING * count * sums for count, sums in zip(roundings, terms, strict=True)]


def within(result, expected, bounds):
    """Check that no element of the result is farther from `expected` than its bound."""
    excess = np.abs(np.asarray(result, np.float64) - expected) - bounds
    assert (excess <= 0).all(), f"{(excess > 0).sum()} of {excess.size} elements exceed their bound, by {excess.max()}"


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_the_bounds_of_rounding_are_smaller_than_one_term(kernel):
    largest = {"kernel": kernel, "pool": 1, "channels": 9, "filters": 12, "n": 1, "down": 14, "across": 27, "seed": 0}
    rng, x, w, b = draw(largest)
    dz = rng.normal(size=(1, 14, 27, 12))
    y, (dx, dw, db) = rounding_bound(largest, x, w, b), gradient_rounding_bounds(largest, x, w, dz)
    image, weight, gradient = (np.median(np.abs(values)) for values in (x, w, dz))
    assert y.max() < image * weight / 5
    assert dx.max() < gradient * weight / 5
    assert dw.max() < image * gradient
    assert db.max() < gradient / 5


# Sums that cancel: the largest output is a 300th of the absolute terms.
CANCELING = {
    "kernel": 7, "pool": 1, "channels": 8, "filters": 1, "n": 1, "down": 2, "across": 2, "leak": 0.0, "seed": 0
}  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None)
@example(case=CANCELING)
@given(case=shapes)
def test_forward_and_gradients_agree_with_float64(case):
    """Rounding cannot fail this test, and a wrong term does: see `gradient_rounding_bounds`.

    In 2311 random shapes on all three instruction sets, the errors came to at most 0.12 of the bounds for outputs and
    gradients of images, 0.05 for those of weights, and 0.16 for those of biases.
    """
    rng, x, w, b = draw(case)
    pool, leak = case["pool"], case["leak"]
    y = reference.conv_block(x.astype(np.float64), w, b, pool, leak)
    dy = rng.normal(size=y.shape).astype(np.float32)
    y_bounds = rounding_bound(case, x, w, b)
    # Where rounding decides the maximum of a pooling window or the sign of a value, gradients may differ.
    dy[reference.margin(x, w, b, pool) <= y_bounds] = 0
    expected, dz = reference.gradients(x, w, b, pool, leak, dy)
    bounds = gradient_rounding_bounds(case, x, w, dz)

    for name in native.available():
        note(f"instruction set: {name}")
        native.use(name)
        try:
            within(kernels.apply(x, w, b, pool, leak), y, y_bounds)
            result, gradients = kernels.apply(x, w, b, pool, leak, dy)
            within(result, y, y_bounds)
            for gradient in zip(gradients, expected, bounds, strict=True):
                within(*gradient)
            # Leaving out the gradient of the images changes nothing else.
            _, (_, *others) = kernels.apply(x, w, b, pool, leak, dy, needs_dx=False)
            for gradient in zip(others, expected[1:], bounds[1:], strict=True):
                within(*gradient)
        finally:
            native.use(BEST)


@pytest.mark.parametrize("pool", [1, 2])
def test_one_gradient_for_a_whole_feature_map_equals_the_same_at_every_position(isa, rng, pool):
    x = rng.normal(size=(21, 12, 11, 3)).astype(np.float32)
    w, b = (rng.normal(size=shape).astype(np.float32) for shape in ((3, 3, 3, 7), 7))
    dy = rng.normal(size=(21, 1, 1, 7)).astype(np.float32)
    y, by_map = kernels.apply(x, w, b, pool, 0.1, dy)
    _, by_position = kernels.apply(x, w, b, pool, 0.1, np.broadcast_to(dy, y.shape))
    for found, expected in zip(by_map, by_position, strict=True):
        np.testing.assert_array_equal(found, expected)


NETS = [
    Network((Bank(3, 1), Bank(2, 7, 2), Bank(5, 5)), dense=4, classes=3, leak=0.3),
    Network((Bank(4, 3, 2), Bank(6, 3, 2)), classes=2, leak=0.0),
    Network((Bank(17, 5, 2), Bank(33, 3)), dense=7, leak=0.1),
    Network((Bank(5, 3, 2), Bank(9, 5, separable=True), Bank(7, 3, 2, separable=True)), classes=3),
]


@pytest.mark.parametrize("network", NETS)
@pytest.mark.parametrize("n", [0, 1, 8, 9, 16, 25, 33])
def test_prediction_agrees_with_numpy_at_every_stage(isa, network, n, rng):
    names = tuple(str(i) for i in range(network.classes))
    untrained = Model.untrained(network, 3, names)
    normalization = Normalization(0.13, 0.09)
    params = {k: np.asarray(v + (0.1 if k.endswith("bias") else 0), np.float32) for k, v in untrained.params.items()}
    images = rng.integers(0, 256, size=(n, 28, 28), dtype=np.uint8)
    expected = predict(network, params, normalization, images, stage_names(network))
    weights = flatten_weights(network, params)
    predictor = Predictor(network, weights, normalization.mean, normalization.variance)
    for pixels in (images, (images / 255).astype(np.float32)):
        result = predictor(pixels, stage_names(network))
        for name in stage_names(network):
            assert result[name].shape == expected[name].shape
            close(result[name], expected[name]) if n else None
    assert set(predictor(images, ["barcode"])) == {"barcode"}


def test_probabilities_agree_with_numpy_on_every_instruction_set(isa, post_model, post_probabilities):
    images, expected = post_probabilities
    fresh = replace(post_model)  # packs its weights for the instruction set in use
    np.testing.assert_allclose(fresh.probabilities(images), expected, atol=1e-5)


@pytest.mark.parametrize("spec", ["4x5p,8x3s,6x3s", "3x3s,5x5sp,d4"])
def test_separable_banks_convolve_each_channel_and_then_mix_them(isa, spec, mnist, rng):
    model = Model.untrained(get_network(spec), seed=2)
    biases = {k: rng.normal(size=x.shape).astype(np.float32) for k, x in model.params.items() if k.endswith("bias")}
    model = replace(model, params=model.params | biases)
    images = mnist.images[:40]
    np.testing.assert_allclose(model.probabilities(images), reference.probabilities(model, images), atol=1e-5)


def test_training_works_on_every_instruction_set(isa, digits):
    result = fit(digits, SMALL, replace(QUICK, muon_scale=0.3), epochs=2, progress=False)
    assert result.model.history["val_accuracy"][-1] > 0.5


def test_training_prediction_and_evaluation_import_neither_jax_nor_scipy():
    code = (
        "import sys, inksight; data = inksight.load('mnist')[:200];"
        "model = inksight.train(data, '4x5p,8x3', inksight.Recipe(epochs=1), progress=False);"
        "model.predict(data.images); inksight.evaluate(model, data); print({'jax', 'scipy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_peak_is_measured(isa):
    assert native.peak() > 1  # GFLOP/s
    assert native.threads() >= 1
