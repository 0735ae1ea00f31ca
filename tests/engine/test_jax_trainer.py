"""Training in JAX: its operations and its optimizers, compared with NumPy, SciPy and the formulas of Keras."""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
from hypothesis import given, settings, strategies as st
from scipy import interpolate, ndimage

from inksight.augmentation.geometric import draw_lattices
from inksight.config import Augmentation, Recipe
from inksight.engine.jax_trainer import (
    NEWTON_SCHULZ_COEFFICIENTS,
    NEWTON_SCHULZ_STEPS,
    OptimizerState,
    conv_block,
    orthogonalized,
    update,
    warp,
)  # fmt: skip

# One compilation of a function takes a fraction of the time of one for each of its operations.
compiled_conv_block = jax.jit(conv_block, static_argnums=(3, 4))
compiled_update, compiled_warp = jax.jit(update, static_argnums=2), jax.jit(warp)


@settings(max_examples=25, deadline=None)
@given(
    kernel=st.sampled_from((1, 3, 5, 7)), channels=st.integers(1, 4), filters=st.integers(1, 5),
    n=st.integers(1, 3), extra=st.integers(1, 6), pool=st.sampled_from((1, 2)), leak=st.sampled_from((0.0, 0.1, 1.0)),
    seed=st.integers(0, 2**31),
)  # fmt: skip
def test_conv_block_agrees_with_numpy(kernel, channels, filters, n, extra, pool, leak, seed):
    rng = np.random.default_rng(seed)
    side = kernel + extra
    x = rng.normal(size=(n, side, side, channels)).astype(np.float32)
    w = rng.normal(size=(kernel, kernel, channels, filters)).astype(np.float32)
    b = rng.normal(size=filters).astype(np.float32)
    expected = reference.conv_block(x.astype(np.float64), w, b, pool, leak)
    result = np.asarray(compiled_conv_block(x, w, b, pool, leak))
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max(initial=1))


@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("channels", [1, 2])
def test_gradients_agree_with_finite_differences(rng, pool, channels):
    x = rng.normal(size=(2, 7, 8, channels))
    w, b = rng.normal(size=(3, 3, channels, 2)), rng.normal(size=2)
    weights = rng.normal(size=(2, 5 // pool, 6 // pool, 2))

    def loss(x, w, b):
        return float((reference.conv_block(x, w, b, pool, 0.1) * weights).sum())

    def ours(x, w, b):
        return (conv_block(x, w, b, pool, 0.1) * weights).sum()

    gradients = jax.jit(jax.grad(ours, argnums=(0, 1, 2)))(*(a.astype(np.float32) for a in (x, w, b)))
    for position, gradient in enumerate(gradients):
        values = [x, w, b]
        for _ in range(12):
            at = tuple(rng.integers(0, length) for length in values[position].shape)
            step = np.zeros_like(values[position])
            step[at] = 1e-6
            up, down = ([*values[:position], values[position] + s, *values[position + 1 :]] for s in (step, -step))
            expected = (loss(*up) - loss(*down)) / 2e-6
            assert float(gradient[at]) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def _warp_one(image, lattice, mean=0.2, variance=0.3):
    """Warp an image with SciPy, which interpolates the lattice and then the pixels."""
    side, knots = image.shape[0], np.linspace(0, image.shape[0] - 1, lattice.shape[-1])
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1)
    sources = [interpolate.RegularGridInterpolator((knots, knots), plane.astype(np.float64))(grid) for plane in lattice]
    padded = np.pad(image / 255.0, 1)  # SciPy interpolates towards 0 only between pixels, so it needs a border
    moved = ndimage.map_coordinates(padded, np.stack(sources) + (side - 1) / 2 + 1, order=1)
    return (moved - mean) / np.sqrt(variance)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**31), st.floats(0, 180), st.floats(0, 28), st.floats(0, 0.5), st.floats(0, 1),
    st.sampled_from((0.0, 1.5, 8.0)),
)  # fmt: skip
def test_warp_agrees_with_scipy(seed, rotation, shift, scale, shear, elastic):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, size=(5, 28, 28), dtype=np.uint8)
    index = np.array([4, 0, 4])
    augmentation = Augmentation(rotation, shift, scale, shear, elastic)
    lattices = draw_lattices(seed, 3, len(images), augmentation)[index]
    result = compiled_warp(
        jnp.asarray(images), jnp.asarray(index), jnp.asarray(lattices), jnp.float32(0.2), jnp.float32(0.3)
    )
    assert result.shape == (3, 28, 28, 1)
    for i, image in enumerate(images[index]):
        expected = _warp_one(image, lattices[i])
        # Where a source lies within rounding of a pixel's edge, float32 and float64 may differ a little.
        np.testing.assert_allclose(result[i, ..., 0], expected, atol=2e-3)


def test_an_identity_lattice_changes_no_pixel(rng):
    images = rng.integers(0, 256, size=(2, 28, 28), dtype=np.uint8)
    identity = jnp.asarray(np.stack([reference.IDENTITY_LATTICE] * 2))
    result = compiled_warp(jnp.asarray(images), jnp.arange(2), identity, jnp.float32(0), jnp.float32(1))
    np.testing.assert_allclose(result[..., 0], images / 255, atol=1e-6)


def test_a_lattice_far_outside_the_image_reads_only_zeros(rng):
    images = rng.integers(1, 256, size=(1, 28, 28), dtype=np.uint8)
    outside = jnp.asarray(reference.IDENTITY_LATTICE[None] + 1e6)
    result = compiled_warp(jnp.asarray(images), jnp.zeros(1, int), outside, jnp.float32(0), jnp.float32(1))
    assert float(jnp.abs(result).max()) == 0


@pytest.mark.parametrize("shape", [(25, 20), (20, 25), (500, 20), (7, 1), (1, 7), (12, 12), (180, 40), (30, 33)])
def test_orthogonalized_keeps_singular_vectors_and_evens_out_the_values(shape, rng):
    matrix = rng.normal(size=shape).astype(np.float32)
    u, values, v = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    a, b, c = NEWTON_SCHULZ_COEFFICIENTS
    expected = values / np.linalg.norm(values)
    for _ in range(NEWTON_SCHULZ_STEPS):
        expected = a * expected + b * expected**3 + c * expected**5
    result = np.asarray(orthogonalized(jnp.asarray(matrix)))
    np.testing.assert_allclose(result, (u * expected) @ v, atol=2e-4)
    assert expected[values > 0.02 * np.linalg.norm(values)].min() > 0.65
    assert expected.max() < 1.25
    zeros = np.zeros(shape, np.float32)
    np.testing.assert_array_equal(orthogonalized(jnp.asarray(zeros)), zeros)


def start(weights):
    zeros = {name: np.zeros_like(array) for name, array in weights.items()}
    return OptimizerState(weights, zeros, zeros, jnp.float32(0))


def test_two_adam_steps_agree_with_keras():
    state = start({"w": np.asarray(1, np.float32)})
    recipe = Recipe(1, beta1=0.9, beta2=0.99, epsilon=1e-2)
    w, m, v = 1.0, 0.0, 0.0
    for step, gradient in enumerate((0.5, -0.2), start=1):
        state = compiled_update(state, {"w": jnp.float32(gradient)}, recipe, 0.1)
        m, v = m + (gradient - m) * 0.1, v + (gradient**2 - v) * 0.01
        w -= 0.1 * math.sqrt(1 - 0.99**step) / (1 - 0.9**step) * m / (math.sqrt(v) + 1e-2)
        assert float(state.params["w"]) == pytest.approx(w, rel=1e-5)


def test_muon_updates_kernels_and_adam_the_rest(rng):
    shapes = {"bank1.bias": (3,), "bank1.kernel": (5, 5, 1, 3), "bank2.depthwise": (3, 3, 3), "bank2.pointwise": (3, 4),
              "output.kernel": (4, 2)}  # fmt: skip
    weights, gradient = (
        {name: np.asarray(rng.normal(size=shape), np.float32) for name, shape in shapes.items()} for _ in "wg"
    )
    plain = Recipe(1, beta1=0.8, beta2=0.9, epsilon=1e-3)
    muon = replace(plain, muon_scale=0.5, momentum=0.9)
    by_adam, by_muon = (compiled_update(start(weights), gradient, recipe, 0.1).params for recipe in (plain, muon))
    for name in ("bank1.bias", "bank2.depthwise", "output.kernel"):
        np.testing.assert_allclose(by_muon[name], by_adam[name], rtol=1e-6)
    for name, rows in (("bank1.kernel", 25), ("bank2.pointwise", 4)):
        # All directions move equally: 0.1 (learning rate) x 0.5 (muon_scale) x 0.2 x root of the longer side.
        direction = (weights[name] - by_muon[name]).reshape(-1, shapes[name][-1]) / (0.1 * 0.5 * 0.2 * rows**0.5)
        matrix = gradient[name].reshape(-1, shapes[name][-1])
        expected = orthogonalized(jnp.asarray(matrix))
        np.testing.assert_allclose(direction, expected, atol=1e-4)


def test_muon_uses_nesterov_momentum(rng):
    recipe = Recipe(1, muon_scale=1, momentum=0.9)
    weights, first, second = (rng.normal(size=(6, 4)).astype(np.float32) for _ in range(3))
    before = compiled_update(start({"bank1.pointwise": weights}), {"bank1.pointwise": first}, recipe, 0.1)
    after = compiled_update(before, {"bank1.pointwise": second}, recipe, 0.1)
    momentum = 0.9 * (0.1 * first) + 0.1 * second
    expected = orthogonalized(jnp.asarray(0.9 * momentum + 0.1 * second))
    direction = (before.params["bank1.pointwise"] - after.params["bank1.pointwise"]) / (0.1 * 0.2 * 6**0.5)
    np.testing.assert_allclose(direction, expected, atol=1e-4)
