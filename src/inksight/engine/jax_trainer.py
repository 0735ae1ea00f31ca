"""`JaxTrainer`: training steps in JAX, for a GPU or TPU. Tests compare the native engine with it."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray

from inksight.config import Network, Recipe
from inksight.engine.trainer import Floats, Steps, TrainingState, flatten, unflatten

Params = Mapping[str, Any]
LAYOUT = ("NHWC", "HWIO", "NHWC")

# The constants of native/train/optimizer.cpp, which says what they mean.
NEWTON_SCHULZ_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
UPDATE_RMS = 0.2


class OptimizerState(NamedTuple):
    """Weights, and the first and second moments of their gradients, by name; and the number of steps."""

    params: Params
    first: Params
    second: Params
    steps: Array


class JaxTrainer:
    """A network in training by JAX. See `inksight.engine.trainer.Trainer`, which has the same interface."""

    def __init__(
        self, network: Network, recipe: Recipe, params: Mapping[str, Floats], mean: float, variance: float,
        images: NDArray[np.uint8],
    ) -> None:  # fmt: skip
        self.network, self.recipe = network, recipe
        self.shapes = {name: array.shape for name, array in params.items()}  # in order: JAX sorts the names
        self.statistics = np.float32(mean), np.float32(variance)
        zeros = {name: np.zeros_like(array) for name, array in params.items()}
        self._state: OptimizerState = jax.device_put(OptimizerState(dict(params), zeros, zeros, jnp.float32(0)))
        self.load(images)

    def load(self, images: NDArray[np.uint8]) -> None:
        """Copy other training images, (n, 28, 28) uint8, to the device."""
        self.images = jax.device_put(images)

    def take(self, steps: Steps) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Take some steps; see `inksight.engine.trainer.Trainer.take`."""
        results = []
        for i in range(len(steps.rows)):
            answers = jnp.asarray(steps.answers[i])
            batch = (steps.rows[i], steps.weights[i], steps.lattices[i], answers, np.float32(steps.rates[i]))
            self._state, *result = _take(self.network, self.recipe, self.statistics, self._state, self.images, *batch)
            results.append(result)
        losses, correct = zip(*jax.device_get(results), strict=True)  # the device has not waited between steps
        return np.asarray(losses, np.float64), np.asarray(correct, np.int64)

    @property
    def state(self) -> TrainingState:
        """The whole state."""
        state = jax.device_get(self._state)
        parts = (state.params, state.first, state.second)
        weights, first, second = (flatten({name: part[name] for name in self.shapes}) for part in parts)
        return TrainingState(weights, first, second, int(state.steps))

    @state.setter
    def state(self, state: TrainingState) -> None:
        params, first, second = (unflatten(x, self.shapes) for x in (state.weights, state.first, state.second))
        self._state = jax.device_put(OptimizerState(params, first, second, jnp.float32(state.steps)))


@partial(jax.jit, static_argnums=(0, 1))
def _take(
    network: Network, recipe: Recipe, statistics: tuple[Array, Array], state: OptimizerState, images: Array,
    rows: Array, weights: Array, lattices: Array, answers: Array, rate: Array,
) -> tuple[OptimizerState, Array, Array]:  # fmt: skip
    x = warp(images, rows, lattices, *statistics)
    loss_of_params = partial(loss_and_metrics, network, recipe.label_smoothing, x, answers, weights)
    gradient, (loss, correct) = jax.grad(loss_of_params, has_aux=True)(state.params)
    return update(state, gradient, recipe, rate), loss, correct


def warp(images: Array, rows: Array, lattices: Array, mean: Array, variance: Array) -> Array:
    """Gather images, warp each by its own lattice, and normalize.

    Parameters
    ----------
    images : (n, side, side) uint8
        The whole training set, high = ink.
    rows : (b,) int32
        The images to gather.
    lattices : (b, 2, 5, 5) float32
        For knots spread evenly over each result, from corner to corner: the row and the column to read from, in pixels
        from the image's center. Both are interpolated linearly between knots, and pixels bilinearly. Outside the image
        everything is 0.
    mean, variance : () float32
        Of pixels scaled to 0..1.

    Returns
    -------
    (b, side, side, 1) float32
    """
    side = images.shape[-1]
    batch = images[rows].astype(jnp.float32)
    # The weight of each knot for each row and, likewise, column: linear interpolation between knots.
    knots = lattices.shape[-1]
    weights = jnp.maximum(1 - abs(jnp.linspace(0, knots - 1, side)[:, None] - jnp.arange(knots)), 0)
    sources = jnp.einsum("rk,bikl,cl->birc", weights, lattices, weights, precision="highest") + (side - 1) / 2
    row, column = jnp.moveaxis(sources.reshape(len(rows), 2, -1), 1, 0)  # (b, side * side) each

    top, left = jnp.floor(row), jnp.floor(column)
    down, right = row - top, column - left
    # A border of zeros stands for everything outside the image.
    padded = jnp.pad(batch, ((0, 0), (1, 1), (1, 1))).reshape(len(rows), -1)
    width = side + 2

    def read(r: Array, c: Array) -> Array:
        r = jnp.clip(r + 1, 0, side + 1).astype(jnp.int32)
        c = jnp.clip(c + 1, 0, side + 1).astype(jnp.int32)
        return jnp.take_along_axis(padded, r * width + c, axis=1, mode="promise_in_bounds")

    upper = read(top, left) * (1 - right) + read(top, left + 1) * right
    lower = read(top + 1, left) * (1 - right) + read(top + 1, left + 1) * right
    pixels = (upper * (1 - down) + lower * down) / 255
    normalized: Array = (pixels - mean) / jnp.sqrt(variance)
    return normalized.reshape(len(rows), side, side, 1)


def conv_block(x: Array, kernel: Array, bias: Array, pool: int, leak: float) -> Array:
    """Apply a bank: convolution without padding, max pooling, bias and leaky ReLU.

    Parameters
    ----------
    x : (n, height, width, channels) float32
    kernel : (k, k, channels, filters) float32
    bias : (filters,) float32
    pool : {1, 2}
        Side of the pooling window. An odd last row or column is dropped.
    leak : float, 0..1
        Slope for negative values.

    Returns
    -------
    (n, (height - k + 1) // pool, (width - k + 1) // pool, filters) float32
    """
    y = lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT, precision="highest")
    if pool == 2:
        y = y[:, : y.shape[1] // 2 * 2, : y.shape[2] // 2 * 2]
        # Maxima of strided slices, because XLA's gradient of reduce_window takes five times as long on a CPU.
        upper = jnp.maximum(y[:, ::2, ::2], y[:, ::2, 1::2])
        lower = jnp.maximum(y[:, 1::2, ::2], y[:, 1::2, 1::2])
        y = jnp.maximum(upper, lower)
    y = y + bias
    return jnp.where(y > 0, y, leak * y)


def forward(network: Network, params: Params, x: Array) -> dict[str, Array]:
    """Return every stage from ``bank1`` to ``logits`` for normalized images (n, 28, 28, 1), channels last."""
    result = {}
    for number, bank in enumerate(network.banks, start=1):
        name = f"bank{number}."
        kernel = params.get(name + "kernel")
        if kernel is None:
            kernel = params[name + "depthwise"][..., None] * params[name + "pointwise"]
        x = result[f"bank{number}"] = conv_block(x, kernel, params[name + "bias"], bank.pool, network.leak)
    x = result["barcode"] = x.mean(axis=(1, 2))
    if network.dense:
        x = jnp.dot(x, params["dense.kernel"], precision="highest") + params["dense.bias"]
        x = result["dense"] = jnp.where(x > 0, x, network.leak * x)
    result["logits"] = jnp.dot(x, params["output.kernel"], precision="highest") + params["output.bias"]
    return result


def loss_and_metrics(
    network: Network, label_smoothing: float, x: Array, answers: Array, weights: Array, params: Params
) -> tuple[Array, tuple[Array, Array]]:
    """Return the loss to minimize, and as metrics the mean cross-entropy and the number of correct images.

    Only the loss includes label smoothing and the L2 penalty.

    Parameters
    ----------
    network : Network
    label_smoothing : float
    x : (b, 28, 28, 1) float32
        Normalized images.
    answers : (b,) int32, or (b, classes) float32
        Classes, or their probabilities.
    weights : (b,) float32
        The weight of each image; 0 for images that only fill up the batch.
    params : dict of str to Array
        The weights of the network.
    """
    logits = forward(network, params, x)["logits"]
    targets = answers if answers.ndim == 2 else jax.nn.one_hot(answers, network.classes)
    log_p = jax.nn.log_softmax(logits)
    cross_entropy = -(weights * (targets * log_p).sum(axis=1)).sum() / weights.sum()
    uniform = -(weights * log_p.mean(axis=1)).sum() / weights.sum()
    loss = (1 - label_smoothing) * cross_entropy + label_smoothing * uniform
    correct = ((weights > 0) & (logits.argmax(axis=1) == targets.argmax(axis=1))).sum()
    squares = sum(jnp.sum(w**2) for name, w in params.items() if not name.endswith(".bias"))
    return loss + network.l2 * squares, (cross_entropy, correct)


def update(state: OptimizerState, gradient: Params, recipe: Recipe, rate: Array | float) -> OptimizerState:
    """Return the state after one step, by Adam or by Muon. See native/train/optimizer.h."""
    steps = state.steps + 1
    corrected_rate = rate * jnp.sqrt(1 - recipe.beta2**steps) / (1 - recipe.beta1**steps)
    params, firsts, seconds = {}, {}, {}
    for name, value in state.params.items():
        g = gradient[name]
        uses_muon = recipe.muon_scale > 0 and _may_use_muon(name)
        decay = recipe.momentum if uses_muon else recipe.beta1
        first = firsts[name] = decay * state.first[name] + (1 - decay) * g
        second = seconds[name] = recipe.beta2 * state.second[name] + (1 - recipe.beta2) * g**2
        if uses_muon:
            matrix = (decay * first + (1 - decay) * g).reshape(-1, value.shape[-1])
            scale = rate * recipe.muon_scale * UPDATE_RMS * max(matrix.shape) ** 0.5
            change = scale * orthogonalized(matrix).reshape(value.shape)
        else:
            change = corrected_rate * first / (jnp.sqrt(second) + recipe.epsilon)
        params[name] = value - change
    return OptimizerState(params, firsts, seconds, steps)


def _may_use_muon(name: str) -> bool:
    """Return whether Muon may update these weights: kernels and pointwise weights, but not the output layer."""
    return name.endswith((".kernel", ".pointwise")) and not name.startswith("output")


def orthogonalized(matrix: Array) -> Array:
    """Move a matrix's singular values towards 1 by Newton-Schulz steps. Its singular vectors stay the same."""
    is_wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if is_wide else matrix.T
    a, b, c = NEWTON_SCHULZ_COEFFICIENTS
    x = x / (jnp.linalg.norm(x) + 1e-12)
    for _ in range(NEWTON_SCHULZ_STEPS):
        y = jnp.matmul(x, x.T, precision="highest")
        polynomial = b * y + c * jnp.matmul(y, y, precision="highest")
        x = a * x + jnp.matmul(polynomial, x, precision="highest")
    result: Array = x if is_wide else x.T
    return result
