"""The native engine on every instruction set of this machine, compared with XLA and NumPy."""

import os
import subprocess
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
from hypothesis import example, given, note, settings, strategies as st
from trials import QUICK, SMALL

from inksight import Model
from inksight.config import Bank, Network, get_network
from inksight.engine import library as native
from inksight.engine.ops import lanes, xla
from inksight.engine.predictor import Predictor
from inksight.nn.forward import predict
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import flatten_weights, stage_names
from inksight.training.fitting import fit
from inksight.training.optimizer import NEWTON_SCHULZ_COEFFICIENTS, NEWTON_SCHULZ_STEPS

pytestmark = pytest.mark.skipif(not lanes.register(), reason="the native engine is not built here")

EXAMPLES = int(os.environ.get("INKSIGHT_EXAMPLES", "25"))  # fewer under sanitizers, which make each ten times slower
ROUNDING = 2**-24
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


def rounding_bounds(case, x, w, b, dz):
    """Return how far from exact the outputs of a block and its gradients for x, w and b can be.

    A rounding changes a result by at most 2**-24 of the sum of its absolute terms, so the bound is that sum times the
    number of roundings on the longest way to the result. It holds for any data, with or without fused multiply-adds.
    """
    k, pool = case["kernel"], case["pool"]
    channels, filters = w.shape[2:]
    height, width = dz.shape[1] // pool, dz.shape[2] // pool
    tiles = -(-width * pool // (9 - k))
    groups = -(-len(x) // 16)
    # Three transforms of at most eight terms and a rounded coefficient, the bias or the overlap of tiles, and the leak.
    transforms = 3 * 9 + 2
    per_lane = 16 // 4  # images of a lane group that are added up in one lane, on the narrowest vectors
    across = 2 + groups  # the sum of four lanes, and that of the groups
    y, *gradients = reference.winograd_terms(x, w, dz)
    y += np.abs(b)
    roundings = (
        channels * k + transforms,
        filters * k + transforms,
        height * pool * tiles * per_lane + across + transforms,
        height * width * per_lane + across + 1,
    )
    terms = (reference.max_pool(y) if pool == 2 else y, *gradients)
    return [ROUNDING * count * sums for count, sums in zip(roundings, terms, strict=True)]


def within(result, expected, bounds):
    """Check that no element of the result is farther from `expected` than its bound."""
    excess = np.abs(np.asarray(result, np.float64) - expected) - bounds
    assert (excess <= 0).all(), f"{(excess > 0).sum()} of {excess.size} elements exceed their bound, by {excess.max()}"


def to_lanes(x):
    """Convert (n, height, width, channels) to the engine's layout, in NumPy."""
    images = np.pad(x, ((0, -len(x) % 16), (0, 0), (0, 0), (0, 0)))
    return images.reshape(-1, 16, *x.shape[1:]).transpose(0, 4, 2, 3, 1)


def from_lanes(x, n):
    """Convert the engine's layout to (n, height, width, channels), in NumPy."""
    images = np.asarray(x).transpose(0, 4, 2, 3, 1)
    return images.reshape(-1, *images.shape[2:])[:n]


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_the_bounds_of_rounding_are_smaller_than_one_term(kernel):
    largest = {"kernel": kernel, "pool": 1, "channels": 9, "filters": 12, "n": 1, "down": 14, "across": 27, "seed": 0}
    rng, x, w, b = draw(largest)
    dz = rng.normal(size=(1, 14, 27, 12))
    y, dx, dw, db = rounding_bounds(largest, x, w, b, dz)
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
    """Rounding cannot fail this test, and a wrong term does: see `rounding_bounds`.

    In 2311 random shapes on all three instruction sets, the errors came to at most 0.12 of the bounds for outputs and
    gradients of images, 0.05 for those of weights, and 0.16 for those of biases.
    """
    rng, x, w, b = draw(case)
    pool, leak, n = case["pool"], case["leak"], case["n"]
    y = reference.conv_block(x.astype(np.float64), w, b, pool, leak)
    dy = rng.normal(size=y.shape).astype(np.float32)
    z_shape = (n, *(side - case["kernel"] + 1 for side in x.shape[1:3]), case["filters"])
    # Where rounding decides the maximum of a pooling window or the sign of a value, gradients may differ.
    dy[reference.margin(x, w, b, pool) <= rounding_bounds(case, x, w, b, np.zeros(z_shape))[0]] = 0
    expected, dz = reference.gradients(x, w, b, pool, leak, dy)
    y_bounds, *bounds = rounding_bounds(case, x, w, b, dz)

    def block(x, w, b):
        return lanes.conv_block(x, w, b, pool, leak)

    @jax.jit
    def block_and_gradients(x, w, b, dy):
        result, pullback = jax.vjp(block, x, w, b)
        return result, pullback(dy)

    @jax.jit
    def gradients_of_weights(x, w, b, dy):
        return jax.vjp(lambda w, b: block(x, w, b), w, b)[1](dy)

    @jax.jit
    def forward(x, w, b):
        return lanes.leave(block(lanes.enter(x), w, b), n)

    # All instruction sets on each example: XLA compiles it only once, and nothing for a change of layout in NumPy.
    x_lanes, dy_lanes = to_lanes(x), to_lanes(dy)
    for name in native.available():
        note(f"instruction set: {name}")
        native.use(name)
        try:
            within(forward(x, w, b), y, y_bounds)
            result, (dx, *others) = block_and_gradients(x_lanes, w, b, dy_lanes)
            within(from_lanes(result, n), y, y_bounds)
            for gradient in zip((from_lanes(dx, n), *others), expected, bounds, strict=True):
                within(*gradient)
            # Leaving out the gradient of the images changes nothing else.
            for gradient in zip(gradients_of_weights(x_lanes, w, b, dy_lanes), expected[1:], bounds[1:], strict=True):
                within(*gradient)
        finally:
            native.use(BEST)


def test_gradients_agree_with_xla_at_the_shapes_of_the_post_network(isa, rng):
    for side, channels, filters, kernel, pool in ((28, 1, 20, 5, 2), (12, 20, 20, 5, 1), (8, 20, 40, 3, 1)):
        x = jnp.asarray(rng.normal(size=(37, side, side, channels)), jnp.float32)
        w = jnp.asarray(rng.normal(size=(kernel, kernel, channels, filters)), jnp.float32)
        b = jnp.asarray(rng.normal(size=filters), jnp.float32)

        def ours(x, w, b, pool=pool):
            return (lanes.leave(lanes.conv_block(lanes.enter(x), w, b, pool, 0.1), 37) ** 2).sum()

        def theirs(x, w, b, pool=pool):
            return (xla.conv_block(x, w, b, pool, 0.1) ** 2).sum()

        for a, e in zip(jax.grad(ours, (0, 1, 2))(x, w, b), jax.grad(theirs, (0, 1, 2))(x, w, b), strict=True):
            close(a, e)


@pytest.mark.parametrize("with_maps", [False, True])
@pytest.mark.parametrize("pool", [1, 2])
def test_means_and_their_gradients_agree_with_xla(isa, rng, pool, with_maps):
    x = jnp.asarray(rng.normal(size=(21, 12, 11, 3)), jnp.float32)
    w, b = (jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in ((3, 3, 3, 7), 7))

    def loss(maps, means):
        return (means**3).sum() + ((maps**2).sum() if with_maps else 0)

    def ours(x, w, b):
        maps, means = lanes.averaged_conv_block(lanes.enter(x), w, b, pool, 0.1, 21)
        return loss(lanes.leave(maps, 21), means)

    def theirs(x, w, b):
        return loss(*xla.averaged_conv_block(x, w, b, pool, 0.1, 21))

    close(ours(x, w, b), theirs(x, w, b))
    for a, e in zip(jax.grad(ours, (0, 1, 2))(x, w, b), jax.grad(theirs, (0, 1, 2))(x, w, b), strict=True):
        close(a, e)


def test_warp_agrees_with_xla(isa, rng):
    images = jnp.asarray(rng.integers(0, 256, size=(9, 28, 28)), jnp.uint8)
    rows = jnp.asarray(rng.integers(0, 9, size=21), jnp.int32)
    lattice = jnp.asarray(reference.IDENTITY_LATTICE + rng.normal(size=(21, 2, 5, 5)) * 3, jnp.float32)
    lattice = lattice.at[3, 0].add(1e9).at[4, 0, 2, 2].set(jnp.nan)
    mean, variance = jnp.float32(0.13), jnp.float32(0.09)
    ours = lanes.leave(lanes.warp(images, rows, lattice, mean, variance), 21)
    theirs = xla.warp(images, rows, lattice, mean, variance)
    keep = np.arange(21) != 4  # a lattice with NaN may give any pixels, but must not crash
    # Within rounding of a pixel's edge the two may read different neighbours, whose weight is near 0.
    np.testing.assert_allclose(np.asarray(ours)[keep], np.asarray(theirs)[keep], atol=3e-3)


NETS = [
    Network((Bank(3, 1), Bank(2, 7, 2), Bank(5, 5)), dense=4, classes=3, leak=0.3),
    Network((Bank(4, 3, 2), Bank(6, 3, 2)), classes=2, leak=0.0),
    Network((Bank(17, 5, 2), Bank(33, 3)), dense=7, leak=0.1),
    Network((Bank(5, 3, 2), Bank(9, 5, separable=True), Bank(7, 3, 2, separable=True)), classes=3),
]


@pytest.mark.parametrize("network", NETS)
@pytest.mark.parametrize("n", [0, 1, 8, 9, 16, 25, 33])
def test_prediction_agrees_with_xla_at_every_stage(isa, network, n, rng):
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


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 5), (25, 20), (20, 25), (180, 40), (33, 30), (500, 17)])
def test_orthogonalized_agrees_with_xla_on_every_instruction_set(isa, shape, rng):
    matrix = rng.normal(size=shape).astype(np.float32)
    expected = xla.orthogonalized(matrix, NEWTON_SCHULZ_STEPS, NEWTON_SCHULZ_COEFFICIENTS)
    found = lanes.orthogonalized(matrix, NEWTON_SCHULZ_STEPS, NEWTON_SCHULZ_COEFFICIENTS)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_number_of_threads_and_cores_does_not_change_the_weights():
    code = (
        "import numpy as np; from inksight import Splits, load, train; "
        "from inksight.config import Recipe, Augmentation; d = load('mnist')[:700];"
        "r = Recipe(epochs=1, batch_size=96, muon_scale=0.3, augmentation=Augmentation(10, 2, 0.1, 0.1));"
        "print(train(Splits(d, None, None), 'post', r, progress=False).digest)"
    )
    # XLA takes NPROC for the number of cores.
    env = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    digests = set()
    for threads, cores in (("1", "1"), ("2", "1"), ("3", "1"), ("1", "8")):
        env |= {"INKSIGHT_THREADS": threads, "NPROC": cores}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_training_works_on_every_instruction_set(isa, digits):
    result = fit(digits, SMALL, replace(QUICK, muon_scale=0.3), epochs=2, progress=False)
    assert result.model.history["val_accuracy"][-1] > 0.5


def test_prediction_does_not_import_jax(tmp_path, model):
    path = tmp_path / "m.safetensors"
    model.save(path)
    code = (
        "import sys, inksight, numpy as np; m = inksight.load_model(sys.argv[1]);"
        "m.predict(np.zeros((28, 28), np.uint8)); print('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_peak_is_measured(isa):
    assert native.peak() > 1  # GFLOP/s
    assert native.threads() >= 1
