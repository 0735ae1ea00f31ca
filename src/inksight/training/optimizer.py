"""The optimisers: Adam, as Keras writes it, and Muon for kernels where a recipe asks for it."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight.config import Recipe
from inksight.engine import ops

# Jordan's quintic, whose steps bring singular values near 1 fastest (to within 0.7 and 1.2, which is near enough).
POLYNOMIAL, STEPS = (3.4445, -4.7750, 2.0315), 5
_RMS = 0.2  # of Adam's moves, roughly: so that one learning rate suits both


class Optimizer(NamedTuple):
    """Weights under training, a dict of arrays by weight name, with their running moments.

    Each moment is one array for all weights, by name one after the other: XLA compiles every operation on every array,
    and training starts the sooner the fewer they are.
    """

    params: dict[str, Array]
    first: Array
    second: Array
    steps: Array

    @classmethod
    def start(cls, params: Mapping[str, NDArray[np.float32]]) -> Self:
        """Return the state before the first step."""
        zeros = np.zeros(sum(value.size for value in params.values()), np.float32)
        # `jnp.zeros` and `jnp.asarray` would compile a program for every shape.
        weights, moments, steps = jax.device_put((dict(params), zeros, np.float32(0)))
        return cls(weights, moments, moments, steps)

    def update(self, gradient: dict[str, Array], recipe: Recipe, rate: Array | float) -> "Optimizer":
        """Take one step down `gradient`: by Adam or, for kernels where the recipe has ``muon``, by Muon.

        Adam: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015. Epsilon stands beside the
        uncorrected second moment, as at the end of the paper's section 2 and in Keras; other libraries put it
        beside the corrected one, which differs where, as in the recipe ``post``, it is not tiny.

        Muon: Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024: the momentum of a
        kernel, written as a matrix from its inputs to its filters, is replaced by the nearest orthogonal one, so that
        no direction is left behind. Its size is fitted to Adam's as in Liu and others, "Muon is scalable for LLM
        training", 2025.
        """
        names = sorted(self.params)
        sizes = [self.params[name].size for name in names]
        steps = self.steps + 1
        b1, b2 = recipe.beta1, recipe.beta2
        decay: Array | float = b1
        if recipe.muon_scale:
            own = [recipe.momentum if _is_matrix(name) else b1 for name in names]
            decay = jnp.asarray(np.repeat(np.array(own, np.float32), sizes))
        g = jnp.concatenate([gradient[name].reshape(-1) for name in names])
        first: Array = decay * self.first + (1 - decay) * g
        second: Array = b2 * self.second + (1 - b2) * g**2
        corrected = rate * jnp.sqrt(1 - b2**steps) / (1 - b1**steps)
        moves = corrected * first / (jnp.sqrt(second) + recipe.epsilon)
        params, start = {}, 0
        for name, size in zip(names, sizes, strict=True):
            value = self.params[name]
            if recipe.muon_scale and _is_matrix(name):
                ahead = recipe.momentum * first[start : start + size] + (1 - recipe.momentum) * g[start : start + size]
                matrix = ahead.reshape(-1, value.shape[-1])
                move = (
                    rate
                    * recipe.muon_scale
                    * _RMS
                    * max(matrix.shape) ** 0.5
                    * ops.orthogonalized(matrix, STEPS, POLYNOMIAL)
                )
            else:
                move = moves[start : start + size]
            params[name] = value - move.reshape(value.shape)
            start += size
        return Optimizer(params, first, second, steps)


def _is_matrix(name: str) -> bool:
    """Whether Muon moves these weights: those that mix maps, below the output."""
    return name.endswith((".kernel", ".pointwise")) and not name.startswith("output")
