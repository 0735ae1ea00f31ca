"""Adam, as Keras writes it."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from inksight.config import Recipe


class Adam(NamedTuple):
    """Weights under training with Adam's running moments, each a dict of arrays by weight name."""

    params: dict[str, Array]
    first: dict[str, Array]
    second: dict[str, Array]
    steps: Array

    @classmethod
    def start(cls, params: Mapping[str, NDArray[np.float32]]) -> Self:
        """Return the state before the first step."""
        # By way of NumPy: JAX would compile a program for the zeros of every shape.
        zeros = {name: jnp.asarray(np.zeros_like(value)) for name, value in params.items()}
        weights = {name: jnp.asarray(value) for name, value in params.items()}
        return cls(weights, zeros, zeros, jnp.asarray(np.float32(0)))

    def update(self, gradient: dict[str, Array], recipe: Recipe, rate: Array | float) -> "Adam":
        """Take one step down `gradient`, with the recipe's betas and epsilon.

        Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015. Epsilon stands beside the
        uncorrected second moment, as at the end of the paper's section 2 and in Keras; other libraries put it
        beside the corrected one, which differs where, as in the recipe ``post``, it is not tiny.
        """
        b1, b2 = recipe.beta1, recipe.beta2
        steps = self.steps + 1
        rate = rate * jnp.sqrt(1 - b2**steps) / (1 - b1**steps)
        first = {name: b1 * self.first[name] + (1 - b1) * g for name, g in gradient.items()}
        second = {name: b2 * self.second[name] + (1 - b2) * g**2 for name, g in gradient.items()}
        params = {
            name: value - rate * first[name] / (jnp.sqrt(second[name]) + recipe.epsilon)
            for name, value in self.params.items()
        }
        return Adam(params, first, second, steps)
