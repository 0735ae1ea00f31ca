"""The optimizers: Adam, and optionally Muon for kernels."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight.config import Recipe
from inksight.engine import ops

# Jordan's quintic iteration (`zeropower_via_newtonschulz5`). It brings singular values to about 0.7 to 1.2, which
# suffices, in fewer steps than iterations that converge to 1.
NEWTON_SCHULZ_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
UPDATE_RMS = 0.2  # root mean square of Muon's updates, about that of Adam's, so that one learning rate suits both


class Optimizer(NamedTuple):
    """The state of the optimizer: weights by name, their first and second moments, and the number of steps.

    Each moment is one flat array for all weights, sorted by name. XLA compiles each operation for each array, so that
    fewer arrays compile faster.
    """

    params: dict[str, Array]
    first: Array
    second: Array
    steps: Array

    @classmethod
    def start(cls, params: Mapping[str, NDArray[np.float32]]) -> Self:
        """Return the state before the first step."""
        zeros = np.zeros(sum(value.size for value in params.values()), np.float32)
        # `jnp.zeros` and `jnp.asarray` would compile a program per shape.
        weights, moments, steps = jax.device_put((dict(params), zeros, np.float32(0)))
        return cls(weights, moments, moments, steps)

    def update(self, gradient: dict[str, Array], recipe: Recipe, rate: Array | float) -> "Optimizer":
        """Return the state after one step: by Adam, or by Muon for kernels if the recipe has a ``muon_scale``.

        Adam adds epsilon to the root of the uncorrected second moment, like Keras and the end of section 2 of the
        paper. Other libraries add it to the corrected one, which differs for a large epsilon, as in the recipe
        ``post``.

        Muon takes the Nesterov momentum of a kernel as a matrix (inputs, filters) and replaces it by the nearest
        orthogonal matrix, so that it moves all directions equally. The update is scaled to the size of Adam's.

        Parameters
        ----------
        gradient : dict of str to Array
            With the names and shapes of the weights.
        recipe : Recipe
        rate : float
            Learning rate of this step.

        References
        ----------
        Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
        Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024.
        Liu and others, "Muon is scalable for LLM training", 2025, on the size of the update.
        """
        names = sorted(self.params)
        sizes = [self.params[name].size for name in names]
        steps = self.steps + 1
        b1, b2 = recipe.beta1, recipe.beta2
        decay: Array | float = b1
        if recipe.muon_scale:
            decays = [recipe.momentum if _uses_muon(name) else b1 for name in names]
            decay = jnp.asarray(np.repeat(np.array(decays, np.float32), sizes))
        g = jnp.concatenate([gradient[name].reshape(-1) for name in names])
        first: Array = decay * self.first + (1 - decay) * g
        second: Array = b2 * self.second + (1 - b2) * g**2
        corrected_rate = rate * jnp.sqrt(1 - b2**steps) / (1 - b1**steps)
        adam_updates = corrected_rate * first / (jnp.sqrt(second) + recipe.epsilon)
        params, start = {}, 0
        for name, size in zip(names, sizes, strict=True):
            value = self.params[name]
            if recipe.muon_scale and _uses_muon(name):
                m = recipe.momentum
                nesterov = m * first[start : start + size] + (1 - m) * g[start : start + size]
                matrix = nesterov.reshape(-1, value.shape[-1])
                scale = rate * recipe.muon_scale * UPDATE_RMS * max(matrix.shape) ** 0.5
                update = scale * ops.orthogonalized(matrix, NEWTON_SCHULZ_STEPS, NEWTON_SCHULZ_COEFFICIENTS)
            else:
                update = adam_updates[start : start + size]
            params[name] = value - update.reshape(value.shape)
            start += size
        return Optimizer(params, first, second, steps)


def _uses_muon(name: str) -> bool:
    """Return whether Muon updates these weights: kernels and pointwise weights, but not the output layer."""
    return name.endswith((".kernel", ".pointwise")) and not name.startswith("output")
