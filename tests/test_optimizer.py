import math

import numpy as np
import pytest

from inksight.config import Recipe
from inksight.optimizer import Adam


def test_adam_is_keras_adam():
    # Two steps by hand, as Keras computes them.
    state = Adam.start({"w": np.float32(1)})
    recipe = Recipe(1, beta1=0.9, beta2=0.99, epsilon=1e-2)
    w, m, v = 1.0, 0.0, 0.0
    for step, gradient in enumerate((0.5, -0.2), start=1):
        state = state.update({"w": np.float32(gradient)}, recipe, 0.1)
        m, v = m + (gradient - m) * 0.1, v + (gradient**2 - v) * 0.01
        w -= 0.1 * math.sqrt(1 - 0.99**step) / (1 - 0.9**step) * m / (math.sqrt(v) + 1e-2)
        assert float(state.params["w"]) == pytest.approx(w, rel=1e-5)


def test_every_weight_moves_by_its_own_gradient(rng):
    recipe = Recipe(1, beta1=0.9, beta2=0.99, epsilon=1e-2)
    shapes = {"bank.kernel": (2, 3), "bank.bias": (3,), "scale": ()}
    weights, gradient = ({name: np.float32(rng.normal(size=shape)) for name, shape in shapes.items()} for _ in "wg")
    together = Adam.start(weights).update(gradient, recipe, 0.1).update(gradient, recipe, 0.1)
    for name, shape in shapes.items():
        alone = Adam.start({name: weights[name]})
        for _ in range(2):
            alone = alone.update({name: gradient[name]}, recipe, 0.1)
        assert together.params[name].shape == shape
        np.testing.assert_allclose(together.params[name], alone.params[name], rtol=1e-6)
