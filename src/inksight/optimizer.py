"""Adam, as Keras writes it."""

from typing import NamedTuple, Self

import jax.numpy as jnp
from jax import Array

from inksight.config import Recipe


class Adam(NamedTuple):
    """Weights under training with Adam's running moments, each a dict of arrays by weight name."""

    params: dict[str, Array]
    first: dict[str, Array]
    second: dict[str, Array]
    steps: Array

    @classmethod
    def start(cls, params: dict[str, Array]) -> Self:
        """Return the state before the first step."""
        zeros = {name: jnp.zeros_like(value) for name, value in params.items()}
        return cls(params, zeros, zeros, jnp.zeros((), jnp.float32))

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
