"""Adam, as Keras writes it."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight.config import Recipe


class Adam(NamedTuple):
    """Weights under training, a dict of arrays by weight name, with Adam's running moments.

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

    def update(self, gradient: dict[str, Array], recipe: Recipe, rate: Array | float) -> "Adam":
        """Take one step down `gradient`, with the recipe's betas and epsilon.

        Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015. Epsilon stands beside the
        uncorrected second moment, as at the end of the paper's section 2 and in Keras; other libraries put it
        beside the corrected one, which differs where, as in the recipe ``post``, it is not tiny.
        """
        b1, b2 = recipe.beta1, recipe.beta2
        steps = self.steps + 1
        rate = rate * jnp.sqrt(1 - b2**steps) / (1 - b1**steps)
        names = sorted(self.params)
        g = jnp.concatenate([gradient[name].reshape(-1) for name in names])
        first = b1 * self.first + (1 - b1) * g
        second = b2 * self.second + (1 - b2) * g**2
        moves = rate * first / (jnp.sqrt(second) + recipe.epsilon)
        params, start = {}, 0
        for name in names:
            value = self.params[name]
            params[name] = value - moves[start : start + value.size].reshape(value.shape)
            start += value.size
        return Adam(params, first, second, steps)
