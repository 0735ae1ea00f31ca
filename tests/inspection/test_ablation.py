"""Importance of filters, and their removal."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inksight import Dataset, InputError, Model
from inksight.config import get_network
from inksight.inspection.ablation import filter_importance, parameters_saved, remove_least_important, without_filters
from inksight.inspection.evaluation import evaluate
from inksight.nn.parameters import parameter_count


@pytest.fixture(scope="module")
def sample(digits) -> Dataset:
    return digits.validation[:200]


def with_arrays(model: Model, **arrays: np.ndarray) -> Model:
    """Return the model with other weights; names have ``_`` instead of the dot."""
    return replace(model, params=model.params | {name.replace("_", "."): array for name, array in arrays.items()})


def silence(model: Model, bank: int, number: int) -> Model:
    """Return the model with weights that make the feature map of one filter always zero."""
    changed = {}
    for name in {f"bank{bank}.{part}" for part in ("kernel", "pointwise", "bias")} & model.params.keys():
        changed[name] = model.params[name].copy()
        changed[name][..., number] = 0
    return replace(model, params=model.params | changed)


@pytest.mark.parametrize("network", ["5x5p,4x3,6x3,d7", "5x5p,4x3s,6x3s", "3x7", "3x5s,4x3"])
def test_removing_a_dead_filter_changes_no_output(network, sample):
    model = Model.untrained(get_network(network), seed=3)
    for bank in range(1, len(model.network.banks) + 1):
        dead = silence(model, bank, 1)
        smaller = without_filters(dead, {bank: [1]})
        assert smaller.network.banks[bank - 1].filters == model.network.banks[bank - 1].filters - 1
        np.testing.assert_allclose(smaller.probabilities(sample.images), dead.probabilities(sample.images), atol=1e-6)


def test_removing_an_unused_filter_changes_no_output(model, sample):
    kernel = model.params["bank2.kernel"].copy()
    kernel[:, :, 4] = 0
    unused = with_arrays(model, bank2_kernel=kernel)
    smaller = without_filters(unused, {1: [4]})
    np.testing.assert_allclose(smaller.probabilities(sample.images), unused.probabilities(sample.images), atol=1e-6)


def test_removing_filters_equals_silencing_them(post_model, sample):
    removed: dict[int, Sequence[int] | NDArray[np.integer]] = {1: [0, 19], 2: range(5), 3: np.array([7, 39, 12])}
    silent = post_model
    for bank, numbers in removed.items():
        for number in numbers:
            silent = silence(silent, bank, number)
    smaller = without_filters(post_model, removed)
    assert [bank.filters for bank in smaller.network.banks] == [18, 15, 37]
    assert (smaller.network.l2, smaller.history) == (post_model.network.l2, post_model.history)
    for stage in ("logits", "dense"):
        expected = silent.activations(sample.images, [stage])[stage]
        np.testing.assert_allclose(smaller.activations(sample.images, [stage])[stage], expected, atol=1e-5)
    assert without_filters(post_model, {}).digest == post_model.digest


def test_removed_filter_saves_the_counted_parameters(post_model):
    for bank in (1, 2, 3):
        smaller = without_filters(post_model, {bank: [2]})
        saved = parameter_count(post_model.network) - parameter_count(smaller.network)
        assert saved == parameters_saved(post_model, bank)


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({0: [1]}, "bank must be 1 to 2, got 0"),
        ({3: [1]}, "bank must be 1 to 2, got 3"),
        ({1: [8]}, "filter of bank 1 must be 0 to 7, got 8"),
        ({2: [-1]}, "filter of bank 2 must be 0 to 11, got -1"),
        ({1: [0.5]}, "filter of bank 1 must be 0 to 7, got 0.5"),
        ({1: ["edge"]}, "filter of bank 1 must be 0 to 7, got 'edge'"),
        ({1: range(8)}, "bank 1 must keep a filter, got all 8 to remove"),
    ],
)
def test_invalid_filters_raise_errors(model, filters, words):
    with pytest.raises(InputError) as caught:
        without_filters(model, filters)
    assert words in str(caught.value)


def test_importance_is_the_rise_of_the_loss(model, sample):
    values = filter_importance(model, sample)
    assert [len(part) for part in values] == [8, 12]
    rise = evaluate(without_filters(model, {2: [5]}), sample).log_loss - evaluate(model, sample).log_loss
    assert values[1][5] == pytest.approx(rise)
    assert filter_importance(silence(model, 1, 3), sample)[0][3] == pytest.approx(0, abs=1e-6)
    assert filter_importance(Model.untrained(get_network("1x5p,2x3")), sample)[0].tolist() == [math.inf]


def test_only_one_of_two_equal_filters_is_removed(model, sample):
    kernel, bias = (model.params[f"bank1.{name}"].copy() for name in ("kernel", "bias"))
    kernel[..., 1], bias[1] = kernel[..., 0], bias[0]
    next_kernel = model.params["bank2.kernel"].copy()
    next_kernel[:, :, 1] = 0  # so that only the first of the two is used
    duplicated = with_arrays(model, bank1_kernel=kernel, bank1_bias=bias, bank2_kernel=next_kernel)
    importance = filter_importance(duplicated, sample, by="similarity")[0]
    assert importance[:2] == pytest.approx(0, abs=1e-4)
    assert importance[2:].min() > 0.001
    target = parameter_count(duplicated.network) - 1
    for by in ("loss", "similarity"):
        smaller = remove_least_important(duplicated, sample, target, by)
        assert sum(bank.filters for bank in smaller.network.banks) == 19
    assert remove_least_important(duplicated, sample, target, "similarity").network.banks[0].filters == 7


def test_chosen_filters_are_better_than_random_ones(model, sample, rng):
    target = 0.6 * parameter_count(model.network)
    chosen = remove_least_important(model, sample, target)
    assert parameter_count(chosen.network) <= target
    bank1, bank2 = (bank.filters for bank in chosen.network.banks)
    for _ in range(3):
        removed = {1: rng.permutation(8)[bank1:], 2: rng.permutation(12)[bank2:]}
        random = without_filters(model, removed)
        assert evaluate(chosen, sample).log_loss < evaluate(random, sample).log_loss


@pytest.mark.parametrize("by", ["loss", "similarity"])
def test_one_filter_per_bank_is_kept(model, sample, by):
    smallest = remove_least_important(model, sample[:50], 0, by)
    assert [bank.filters for bank in smallest.network.banks] == [1, 1]


def test_invalid_arguments_of_importance_raise_errors(model, sample):
    with pytest.raises(InputError, match="by must be loss or similarity, got 'beauty'"):
        filter_importance(model, sample, by="beauty")
    with pytest.raises(InputError, match="label"):
        filter_importance(model, replace(sample, labels=None))
    with pytest.raises(InputError, match="at least one image"):
        filter_importance(model, sample[:0])
