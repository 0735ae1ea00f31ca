"""The operations on XLA, and those of the engine that need no other reference, compared with NumPy and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
from hypothesis import given, settings, strategies as st
from scipy import interpolate, ndimage

from inksight.augmentation.geometric import draw_lattices
from inksight.config import Augmentation
from inksight.engine.ops import lanes, xla
from inksight.engine.ops.xla import conv_block, convolve_any, convolve_one_channel, warp
from inksight.training.optimizer import NEWTON_SCHULZ_COEFFICIENTS, NEWTON_SCHULZ_STEPS


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
    result = np.asarray(conv_block(x, w, b, pool, leak))
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

    gradients = jax.grad(ours, argnums=(0, 1, 2))(*(jnp.asarray(a, jnp.float32) for a in (x, w, b)))
    for position, gradient in enumerate(gradients):
        values = [x, w, b]
        for _ in range(12):
            at = tuple(rng.integers(0, length) for length in values[position].shape)
            step = np.zeros_like(values[position])
            step[at] = 1e-6
            up, down = ([*values[:position], values[position] + s, *values[position + 1 :]] for s in (step, -step))
            expected = (loss(*up) - loss(*down)) / 2e-6
            assert float(gradient[at]) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_one_channel_gradients_equal_those_of_the_general_convolution(rng):
    x, w = jnp.asarray(rng.normal(size=(3, 9, 9, 1))), jnp.asarray(rng.normal(size=(5, 5, 1, 4)))
    for position in (0, 1):
        ours, theirs = (
            jax.grad(lambda x, w, f=f: jnp.sin(f(x, w)).sum(), argnums=position)(x, w)
            for f in (convolve_one_channel, convolve_any)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


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
    result = warp(jnp.asarray(images), jnp.asarray(index), jnp.asarray(lattices), jnp.float32(0.2), jnp.float32(0.3))
    assert result.shape == (3, 28, 28, 1)
    for i, image in enumerate(images[index]):
        expected = _warp_one(image, lattices[i])
        # Where a source lies within rounding of a pixel's edge, float32 and float64 may differ a little.
        np.testing.assert_allclose(result[i, ..., 0], expected, atol=2e-3)


def test_an_identity_lattice_changes_no_pixel(rng):
    images = rng.integers(0, 256, size=(2, 28, 28), dtype=np.uint8)
    identity = jnp.asarray(np.stack([reference.IDENTITY_LATTICE] * 2))
    result = warp(jnp.asarray(images), jnp.arange(2), identity, jnp.float32(0), jnp.float32(1))
    np.testing.assert_allclose(result[..., 0], images / 255, atol=1e-6)


def test_a_lattice_far_outside_the_image_reads_only_zeros(rng):
    images = rng.integers(1, 256, size=(1, 28, 28), dtype=np.uint8)
    outside = jnp.asarray(reference.IDENTITY_LATTICE[None] + 1e6)
    result = warp(jnp.asarray(images), jnp.zeros(1, int), outside, jnp.float32(0), jnp.float32(1))
    assert float(jnp.abs(result).max()) == 0


@pytest.mark.parametrize("implementation", [lanes, xla] if lanes.register() else [xla])
@pytest.mark.parametrize("shape", [(25, 20), (20, 25), (500, 20), (7, 1), (1, 7), (12, 12), (180, 40), (30, 33)])
def test_orthogonalized_keeps_singular_vectors_and_evens_out_the_values(implementation, shape, rng):
    matrix = rng.normal(size=shape).astype(np.float32)
    u, values, v = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    a, b, c = NEWTON_SCHULZ_COEFFICIENTS
    expected = values / np.linalg.norm(values)
    for _ in range(NEWTON_SCHULZ_STEPS):
        expected = a * expected + b * expected**3 + c * expected**5
    result = np.asarray(implementation.orthogonalized(matrix, NEWTON_SCHULZ_STEPS, NEWTON_SCHULZ_COEFFICIENTS))
    np.testing.assert_allclose(result, (u * expected) @ v, atol=2e-4)
    assert expected[values > 0.02 * np.linalg.norm(values)].min() > 0.65
    assert expected.max() < 1.25
    zeros = np.zeros(shape, np.float32)
    np.testing.assert_array_equal(
        implementation.orthogonalized(zeros, NEWTON_SCHULZ_STEPS, NEWTON_SCHULZ_COEFFICIENTS), zeros
    )
