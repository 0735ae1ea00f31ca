"""Training steps on the native engine, compared with JAX, and what a trainer promises."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache, partial
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
from hypothesis import assume, given, note, settings, strategies as st

from inksight.config import Bank, Network, Recipe
from inksight.engine import library as native
from inksight.engine.jax_trainer import JaxTrainer, loss_and_metrics, update, warp
from inksight.engine.trainer import Steps, Trainer, flatten, unflatten
from inksight.nn.model import Model
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import effective_kernel, init_params, param_shapes

pytestmark = pytest.mark.skipif(not native.computes(), reason="the native engine is not built here")

EXAMPLES = int(os.environ.get("INKSIGHT_EXAMPLES", "6"))  # JAX compiles each network
BEST = native.isa() or ""
enable_x64 = (jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")).enable_x64  # moved in JAX 0.8
STATISTICS = (0.13, 0.09)
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
NETWORKS = [
    Network((Bank(3, 5, 2), Bank(4, 5), Bank(6, 3)), dense=5, leak=0.1, l2=1e-3),
    Network((Bank(4, 3, 2), Bank(6, 3, 2, separable=True)), classes=3, leak=0.0, l2=1e-2),
    Network((Bank(5, 7, 2, separable=True), Bank(17, 1)), classes=2, leak=0.3),
]
compiled_update, compiled_warp = jax.jit(update, static_argnums=2), jax.jit(warp)


def make_steps(network, count, size, *, seed=0, soft=False):
    """Return random steps, in which some images have weight 0."""
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, network.classes, (count, size)).astype(np.int32)
    if soft:
        answers = rng.dirichlet(np.ones(network.classes), (count, size)).astype(np.float32)
    return Steps(
        rng.integers(0, len(IMAGES), (count, size)).astype(np.int32),
        (rng.random((count, size)) * (rng.random((count, size)) < 0.9) + np.eye(1, size)).astype(np.float32),
        (reference.IDENTITY_LATTICE + rng.normal(size=(count, size, 2, 5, 5))).astype(np.float32),
        answers,
        np.full(count, 3e-3),
    )


def part(steps, rows):
    """Return some images of a single step."""
    rows_, weights, lattices, answers = (
        array[:, rows] for array in (steps.rows, steps.weights, steps.lattices, steps.answers)
    )
    return Steps(rows_, weights, lattices, answers, steps.rates)


def make_params(network, seed):
    """Return starting weights with biases other than 0."""
    rng = np.random.default_rng(seed)
    params = init_params(network, seed)
    return {k: (v + 0.1 * rng.normal(size=v.shape)).astype(np.float32) for k, v in params.items()}


def distance_from_kinks(network, params, x):
    """Return how near the forward pass comes to where its gradient jumps, as a share of the largest value of a bank."""
    distances = []
    for number, bank in enumerate(network.banks, start=1):
        kernel, bias = effective_kernel(params, number), params[f"bank{number}.bias"]
        margin = reference.margin(x, kernel, bias, bank.pool).min()
        x = reference.conv_block(x, kernel, bias, bank.pool, network.leak)
        if not x.any():  # without a leak all outputs may be 0, and there is nothing to compare
            return 0.0
        distances.append(margin / np.abs(x).max())
    if network.dense:
        hidden = x.mean(axis=(1, 2)) @ params["dense.kernel"].astype(np.float64) + params["dense.bias"]
        distances.append(np.abs(hidden).min() / np.abs(hidden).max())
    return min(distances)


banks = st.builds(
    Bank, st.integers(1, 5), st.sampled_from((1, 3, 5, 7)), st.sampled_from((1, 2)), separable=st.booleans()
)
networks = st.builds(
    lambda banks, dense, classes, leak: (tuple(banks), dense, classes, leak),
    st.lists(banks, min_size=1, max_size=3), st.sampled_from((0, 1, 9)), st.integers(2, 11),
    st.sampled_from((0.0, 0.1, 1.0)),
)  # fmt: skip


def sides(banks):
    side = 28
    for bank in banks:
        side = (side - bank.kernel + 1) // bank.pool
    return side


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    parts=networks.filter(lambda parts: sides(parts[0]) >= 1), size=st.integers(1, 35), soft=st.booleans(),
    smoothing=st.sampled_from((0.0, 0.3)), seed=st.integers(0, 2**31),
)  # fmt: skip
def test_gradients_agree_with_jax(parts, size, soft, smoothing, seed):
    network, recipe = Network(*parts), Recipe(1, label_smoothing=smoothing)
    params, steps = make_params(network, seed), make_steps(network, 1, size, seed=seed, soft=soft)
    x = compiled_warp(*map(jnp.asarray, (IMAGES, steps.rows[0], steps.lattices[0])), *map(np.float32, STATISTICS))
    # Where rounding decides the maximum of a pooling window or the sign of a value, gradients may differ.
    assume(distance_from_kinks(network, params, np.asarray(x, np.float64)) > 1e-6)
    total = float(steps.weights.sum(dtype=float))

    @jax.jit
    def compute(params, x, weights):
        loss = partial(loss_and_metrics, network, smoothing, x, steps.answers[0], weights)
        return jax.grad(loss, has_aux=True)(params)

    with enable_x64(True):  # in single precision, two right gradients may differ by twice their rounding
        double = {name: np.asarray(array, np.float64) for name, array in params.items()}
        x, weights = np.asarray(x, np.float64), steps.weights[0].astype(np.float64)
        expected, (cross_entropy, hits) = compute(double, x, weights)
        alone = [compute(double, x, weights * (np.arange(size) == i))[0] for i in range(size)]
        expected = {name: np.asarray(array) for name, array in expected.items()}
        terms = [sum(w * np.abs(one[key]) for w, one in zip(weights / total, alone, strict=True)) for key in expected]
    assert all(array.dtype == np.float64 for array in expected.values())
    largest = max(np.abs(array).max() for array in expected.values())
    # Where the gradients of the images cancel, what is left is mostly their rounding.
    assume(largest >= max(np.abs(term).max() for term in terms) / 2)
    for name in native.available():
        note(f"instruction set: {name}")
        native.use(name)
        try:
            trainer = Trainer(network, recipe, params, *STATISTICS, IMAGES)
            gradient, loss_sum, correct = trainer.gradient(steps, total)
        finally:
            native.use(BEST)
        assert loss_sum / total == pytest.approx(float(cross_entropy), rel=1e-5)
        assert correct == int(hits)
        for key, array in unflatten(gradient, param_shapes(network)).items():
            np.testing.assert_allclose(array, expected[key], rtol=0, atol=1e-5 * largest, err_msg=key)


def twenty_steps(engine, network, recipe):
    """Return the state of a trainer after twenty steps, with their losses and hits."""
    trainer = engine(network, recipe, make_params(network, 1), *STATISTICS, IMAGES)
    losses, correct = trainer.take(make_steps(network, 20, 18))
    return trainer.state, losses, correct


@cache  # for all instruction sets: JAX compiles longer than it computes
def twenty_steps_of_jax(network, recipe):
    return twenty_steps(JaxTrainer, network, recipe)


@pytest.mark.parametrize("muon_scale", [0.0, 0.5])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.spec)
def test_twenty_steps_stay_together_with_jax(isa, network, muon_scale):
    recipe = Recipe(1, label_smoothing=0.1, muon_scale=muon_scale, beta2=0.95)
    ours, losses, correct = twenty_steps(Trainer, network, recipe)
    theirs, expected, _ = twenty_steps_of_jax(network, recipe)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert correct.max() <= 18
    assert ours.steps == theirs.steps == 20
    moved = np.abs(ours.weights - flatten(make_params(network, 1))).max()
    np.testing.assert_allclose(ours.weights, theirs.weights, rtol=0, atol=0.01 * moved)


def test_one_update_agrees_with_jax_for_matrices_of_any_shape(isa, rng):
    network = Network((Bank(20, 5, 2), Bank(40, 3, separable=True), Bank(7, 7), Bank(60, 1)), dense=9, l2=0.01)
    params = make_params(network, 0)
    for recipe in (Recipe(1, epsilon=1e-2), Recipe(1, muon_scale=0.5, momentum=0.9)):
        ours = Trainer(network, recipe, params, *STATISTICS, IMAGES)
        state = JaxTrainer(network, recipe, params, *STATISTICS, IMAGES)._state
        for _ in range(2):
            gradient = {k: rng.normal(size=v.shape).astype(np.float32) for k, v in params.items()}
            with_penalty = {
                k: v if k.endswith("bias") else v + 2 * network.l2 * state.params[k] for k, v in gradient.items()
            }
            ours.update(flatten(gradient), 0.1)
            state = compiled_update(state, with_penalty, recipe, 0.1)
        for name, weights in unflatten(ours.state.weights, param_shapes(network)).items():
            np.testing.assert_allclose(weights, state.params[name], atol=2e-5, err_msg=name)


def test_the_gradients_of_parts_add_up_and_an_update_completes_the_step():
    network, recipe = NETWORKS[0], Recipe(1, label_smoothing=0.1)
    steps = make_steps(network, 1, 50)
    whole, parts = (Trainer(network, recipe, make_params(network, 0), *STATISTICS, IMAGES) for _ in range(2))
    total = float(steps.weights.sum(dtype=float))
    found = [parts.gradient(part(steps, rows), total) for rows in (slice(0, 20), slice(20, 50))]
    gradient, loss, correct = whole.gradient(steps, total)
    np.testing.assert_allclose(found[0][0] + found[1][0], gradient, atol=1e-6 * np.abs(gradient).max())
    assert found[0][1] + found[1][1] == pytest.approx(loss)
    assert found[0][2] + found[1][2] == correct
    losses, hits = whole.take(steps)
    assert losses == pytest.approx(loss / total)
    assert hits == correct
    parts.update(gradient, steps.rates[0])
    np.testing.assert_array_equal(parts.state.weights, whole.state.weights)


@pytest.mark.parametrize("engine", [Trainer, JaxTrainer])
def test_a_state_can_be_taken_up_at_any_step(engine):
    network, recipe = NETWORKS[0], Recipe(1, muon_scale=0.5)
    first, second = make_steps(network, 3, 20), make_steps(network, 4, 20, seed=1)
    through = engine(network, recipe, make_params(network, 0), *STATISTICS, IMAGES)
    through.take(first)
    resumed = engine(network, recipe, make_params(network, 7), *STATISTICS, IMAGES)
    resumed.state = through.state
    assert resumed.state.steps == 3
    for trainer in (through, resumed):
        trainer.take(second)
    for name in ("weights", "first", "second"):
        assert getattr(resumed.state, name).tobytes() == getattr(through.state, name).tobytes()


def test_soft_targets_of_one_class_equal_its_label():
    network, recipe = NETWORKS[0], Recipe(1, label_smoothing=0.1)
    steps = make_steps(network, 2, 20)
    soft = replace(steps, answers=np.eye(network.classes, dtype=np.float32)[steps.answers])
    by_label, by_target = (Trainer(network, recipe, make_params(network, 0), *STATISTICS, IMAGES) for _ in range(2))
    for found, expected in zip(by_target.take(soft), by_label.take(steps), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(by_target.state.weights, by_label.state.weights)


def test_images_of_weight_0_count_for_nothing():
    network = NETWORKS[0]
    steps = make_steps(network, 1, 20)
    steps = replace(steps, weights=(np.arange(20) < 12).astype(np.float32)[None])
    trainer = Trainer(network, Recipe(1), make_params(network, 0), *STATISTICS, IMAGES)
    gradient, loss, correct = trainer.gradient(steps, 12)
    alone, same_loss, same_correct = trainer.gradient(part(steps, slice(0, 12)), 12)
    np.testing.assert_allclose(gradient, alone, atol=1e-6 * np.abs(alone).max())
    assert loss == pytest.approx(same_loss)
    assert correct == same_correct
    nothing = trainer.gradient(replace(steps, weights=np.zeros((1, 20), np.float32)), 0)
    assert not nothing[0].any()
    assert nothing[1:] == (0, 0)


def test_the_loss_is_the_weighted_mean_of_cross_entropies():
    network, params = NETWORKS[0], make_params(NETWORKS[0], 0)
    steps = make_steps(network, 1, 20)
    identity = np.broadcast_to(reference.IDENTITY_LATTICE, steps.lattices.shape)
    trainer = Trainer(network, Recipe(1, label_smoothing=0.3), params, *STATISTICS, IMAGES)
    losses, correct = trainer.take(replace(steps, lattices=identity))
    model = Model(network, params, Normalization(*STATISTICS))
    probabilities = reference.probabilities(model, IMAGES[steps.rows[0]])
    weights, labels = steps.weights[0], steps.answers[0]
    expected = np.average(-np.log(probabilities[np.arange(20), labels]), weights=weights)
    assert losses == pytest.approx(expected, rel=1e-5)
    assert correct == ((probabilities.argmax(axis=1) == labels) & (weights > 0)).sum()


def test_label_smoothing_changes_the_gradient_but_not_the_loss():
    network = NETWORKS[0]
    steps = make_steps(network, 1, 20)
    results = [
        Trainer(network, Recipe(1, label_smoothing=s), make_params(network, 0), *STATISTICS, IMAGES).gradient(steps, 9)
        for s in (0.0, 0.3)
    ]
    assert results[0][1:] == results[1][1:]
    assert np.abs(results[0][0] - results[1][0]).max() > 1e-3


def test_a_lattice_of_nan_does_no_harm():
    network = NETWORKS[0]
    steps = make_steps(network, 1, 20)
    steps.lattices[0, :5] = np.nan
    steps.lattices[0, 5] += 1e9
    gradient, _, _ = Trainer(network, Recipe(1), make_params(network, 0), *STATISTICS, IMAGES).gradient(steps, 9)
    assert np.isfinite(gradient).all()


def test_the_number_of_threads_does_not_change_the_weights():
    code = (
        "import hashlib, sys; sys.path.insert(0, 'tests'); sys.path.insert(0, 'tests/engine')\n"
        "from test_trainer import *\n"
        "trainer = Trainer(NETWORKS[0], Recipe(1, muon_scale=0.3), make_params(NETWORKS[0], 0), *STATISTICS, IMAGES)\n"
        "for size in (20, 1200):\n"  # 1,200 images are more lane groups than slots
        "    trainer.take(make_steps(NETWORKS[0], 2, size))\n"
        "print(hashlib.sha256(trainer.state.weights).hexdigest())"
    )
    digests = set()
    for threads in ("1", "2", "7"):
        env = os.environ | {"INKSIGHT_THREADS": threads}
        digests.add(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env).stdout)
    assert len(digests) == 1
