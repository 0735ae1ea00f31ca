"""Adam against the formulas of Keras, and Muon against Newton-Schulz iterations."""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from inksight.config import Recipe
from inksight.engine import ops
from inksight.training.optimizer import NEWTON_SCHULZ_COEFFICIENTS, NEWTON_SCHULZ_STEPS, Optimizer

update = jax.jit(Optimizer.update, static_argnums=2)  # compiling every operation by itself would take longer


def test_two_adam_steps_agree_with_keras():
    state = Optimizer.start({"w": np.asarray(1, np.float32)})
    recipe = Recipe(1, beta1=0.9, beta2=0.99, epsilon=1e-2)
    w, m, v = 1.0, 0.0, 0.0
    for step, gradient in enumerate((0.5, -0.2), start=1):
        state = update(state, {"w": np.float32(gradient)}, recipe, 0.1)
        m, v = m + (gradient - m) * 0.1, v + (gradient**2 - v) * 0.01
        w -= 0.1 * math.sqrt(1 - 0.99**step) / (1 - 0.9**step) * m / (math.sqrt(v) + 1e-2)
        assert float(state.params["w"]) == pytest.approx(w, rel=1e-5)


def test_weights_are_updated_independently(rng):
    recipe = Recipe(1, beta1=0.9, beta2=0.99, epsilon=1e-2)
    shapes = {"bank.kernel": (2, 3), "bank.bias": (3,), "scale": ()}
    weights, gradient = (
        {name: np.asarray(rng.normal(size=shape), np.float32) for name, shape in shapes.items()} for _ in "wg"
    )
    together = update(update(Optimizer.start(weights), gradient, recipe, 0.1), gradient, recipe, 0.1)
    for name, shape in shapes.items():
        alone = Optimizer.start({name: weights[name]})
        for _ in range(2):
            alone = update(alone, {name: gradient[name]}, recipe, 0.1)
        assert together.params[name].shape == shape
        np.testing.assert_allclose(together.params[name], alone.params[name], rtol=1e-6)


def test_muon_updates_kernels_and_adam_the_rest(rng):
    shapes = {"bank1.bias": (3,), "bank1.kernel": (5, 5, 1, 3), "bank2.depthwise": (3, 3, 3), "bank2.pointwise": (3, 4),
              "output.kernel": (4, 2)}  # fmt: skip
    weights, gradient = (
        {name: np.asarray(rng.normal(size=shape), np.float32) for name, shape in shapes.items()} for _ in "wg"
    )
    plain = Recipe(1, beta1=0.8, beta2=0.9, epsilon=1e-3)
    muon = replace(plain, muon_scale=0.5, momentum=0.9)
    by_adam, by_muon = (update(Optimizer.start(weights), gradient, recipe, 0.1).params for recipe in (plain, muon))
    for name in ("bank1.bias", "bank2.depthwise", "output.kernel"):
        np.testing.assert_allclose(by_muon[name], by_adam[name], rtol=1e-6)
    for name, rows in (("bank1.kernel", 25), ("bank2.pointwise", 4)):
        # All directions move equally: 0.1 (learning rate) x 0.5 (muon_scale) x 0.2 x root of the longer side.
        direction = (weights[name] - by_muon[name]).reshape(-1, shapes[name][-1]) / (0.1 * 0.5 * 0.2 * rows**0.5)
        matrix = gradient[name].reshape(-1, shapes[name][-1])
        expected = ops.orthogonalized(jnp.asarray(matrix), NEWTON_SCHULZ_STEPS, NEWTON_SCHULZ_COEFFICIENTS)
        np.testing.assert_allclose(direction, expected, atol=1e-4)


def test_muon_uses_nesterov_momentum(rng):
    recipe = Recipe(1, muon_scale=1, momentum=0.9)
    weights, first, second = (rng.normal(size=(6, 4)).astype(np.float32) for _ in range(3))
    before = update(Optimizer.start({"bank1.pointwise": weights}), {"bank1.pointwise": first}, recipe, 0.1)
    after = update(before, {"bank1.pointwise": second}, recipe, 0.1)
    momentum = 0.9 * (0.1 * first) + 0.1 * second
    expected = ops.orthogonalized(0.9 * momentum + 0.1 * second, NEWTON_SCHULZ_STEPS, NEWTON_SCHULZ_COEFFICIENTS)
    direction = (before.params["bank1.pointwise"] - after.params["bank1.pointwise"]) / (0.1 * 0.2 * 6**0.5)
    np.testing.assert_allclose(direction, expected, atol=1e-4)
