"""Filter ablation: how much the loss rises without each filter, and models from which filters are removed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.data.dataset import Dataset
from inksight.data.loading import DataLike, as_dataset
from inksight.errors import InputError
from inksight.inspection.banks import filter_similarity
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model
from inksight.nn.parameters import bank_stage, parameter_count

CRITERIA = ("loss", "similarity")


def without_filters(model: ModelLike, filters: Mapping[int, Sequence[int] | NDArray[np.integer]]) -> Model:
    """Return a model without some of its filters and without the weights that read their feature maps.

    The other weights stay the same, so the result computes what `model` computes with these maps set to zero.
    Removing a filter whose map is always zero, or whose map no weight reads, does not change the output.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    filters : mapping of int to sequence of int
        The filters to remove from each bank. Banks are counted from 1, filters from 0, as in the pictures.

    Returns
    -------
    Model
        With the history of `model`, but without its out-of-distribution detector.

    Raises
    ------
    InputError
        If a bank or filter does not exist, or a bank would lose its last filter.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> without_filters(Model.untrained(get_network("post")), {1: [0, 7], 3: range(10)})
    Model(18-20-30 filters, 10 classes, 0 epochs)
    """
    model = as_model(model)
    banks, params = list(model.network.banks), dict(model.params)
    for bank, numbers in filters.items():
        stage, count = bank_stage(model.network, bank), banks[bank - 1].filters
        removed = set(np.asarray(numbers).tolist())  # turns NumPy integers into Python's
        for number in removed:
            exists = is_count(number, 0) and number < count
            check(exists, f"filter of bank {bank}", number, f"0 to {count - 1}")
        if len(removed) == count:
            raise InputError(f"bank {bank} must keep a filter, got all {count} to remove: leave one of them")
        kept = [number for number in range(count) if number not in removed]
        banks[bank - 1] = replace(banks[bank - 1], filters=len(kept))
        for part in ("kernel", "pointwise", "bias"):  # their last axis counts this bank's filters
            name = f"{stage}.{part}"
            if name in params:
                params[name] = params[name][..., kept]
        reader = _next_layer(model, bank)
        for part, axis in (("kernel", -2), ("pointwise", -2), ("depthwise", -1)):  # the axis of the input channels
            name = f"{reader}.{part}"
            if name in params:
                params[name] = params[name].take(kept, axis=axis)
    network = replace(model.network, banks=tuple(banks))
    return replace(model, network=network, params=params, ood_detector=None)


def filter_importance(model: ModelLike, data: DataLike, by: str = "loss") -> list[NDArray[np.float64]]:
    """Measure how much each filter matters; filters with low values can be removed.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    data : Dataset, Splits, str or path-like
        Labeled images; a thousand give a stable ranking. Of splits or a source, the validation images.
    by : {"loss", "similarity"}
        ``loss``: the rise of the mean cross-entropy without the filter, in nats; below 0 where the filter does harm.
        It is measured by ablation, not estimated from gradients (Molchanov, Tyree, Karras, Aila, Kautz, "Pruning
        convolutional neural networks for resource efficient inference", ICLR 2017), because in networks this small one
        forward pass per filter is cheap.
        ``similarity``: 1 minus the largest absolute correlation of the filter's map with another map of its bank
        (`filter_similarity`).

    Returns
    -------
    list of (filters,) float64
        One array per bank; infinite for the only filter of a bank.

    Raises
    ------
    InputError
        If the data has no images or no labels, or `by` is unknown.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("4x5p,8x3"))
    >>> [values.shape for values in filter_importance(model, inksight.load("mnist")[:100])]
    [(4,), (8,)]
    """
    check(by in CRITERIA, "by", by, "loss or similarity")
    model, data = as_model(model), as_dataset(data, "validation")
    full_loss = _loss(model, data)
    result = []
    for number, bank in enumerate(model.network.banks, start=1):
        if bank.filters == 1:
            values = np.array([np.inf])
        elif by == "loss":
            values = np.array([_loss(model, data, number, i) for i in range(bank.filters)]) - full_loss
        else:
            correlation = filter_similarity(model, number, data.images).maps
            assert correlation is not None
            values = 1 - np.abs(correlation - np.eye(bank.filters)).max(axis=1)
        result.append(values)
    return result


def remove_least_important(model: ModelLike, data: DataLike, parameters: float, by: str = "loss") -> Model:
    """Remove filters one at a time until a model is small enough or every bank has one filter left.

    Each step removes the filter with the lowest importance per parameter that its removal saves. A removal changes
    the importance of the other filters: of two that do the same work, either can go, but not both. The importance by
    loss is therefore measured again just before a filter is removed. The other filters keep their old values, because
    a filter mostly matters more once others are gone (the lazy greedy algorithm of Minoux, "Accelerated greedy
    algorithms for maximizing submodular set functions", 1978).

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    data : Dataset, Splits, str or path-like
        Labeled images to measure on. Of splits or a source, the validation images.
    parameters : float
        Stop at this number of parameters or below.
    by : {"loss", "similarity"}
        How to measure importance, see `filter_importance`.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("4x5p,8x3"))
    >>> smaller = remove_least_important(model, inksight.load("mnist")[:100], 400)
    >>> parameter_count(model.network), parameter_count(smaller.network) <= 400
    (493, True)
    """
    model, data = as_model(model), as_dataset(data, "validation")
    importance = filter_importance(model, data, by)
    full_loss, current = _loss(model, data), [np.ones(len(values), bool) for values in importance]
    while parameter_count(model.network) > parameters and max(map(len, importance)) > 1:
        costs = [values / parameters_saved(model, bank) for bank, values in enumerate(importance, start=1)]
        i = min(range(len(costs)), key=lambda i: float(costs[i].min()))
        number = int(costs[i].argmin())
        if by == "loss" and not current[i][number]:
            importance[i][number] = _loss(model, data, i + 1, number) - full_loss
            current[i][number] = True
            continue
        model = without_filters(model, {i + 1: [number]})
        if by == "loss":
            importance[i] = np.delete(importance[i], number)
            if len(importance[i]) == 1:
                importance[i] = np.array([np.inf])
            full_loss, current = _loss(model, data), [np.zeros(len(values), bool) for values in importance]
        else:
            importance = filter_importance(model, data, by)
    return model


def parameters_saved(model: Model, bank: int) -> int:
    """Return how many parameters a model loses with one filter of a bank, counted from 1.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> [parameters_saved(Model.untrained(get_network("post")), bank) for bank in (1, 2, 3)]
    [526, 861, 201]
    """
    bank_stage(model.network, bank)  # raises if there is no such bank
    banks, filters = model.network.banks, model.network.banks[bank - 1].filters
    other = replace(banks[bank - 1], filters=filters - 1 or 2)  # a bank cannot be empty: compare 1 filter with 2
    changed = replace(model.network, banks=(*banks[: bank - 1], other, *banks[bank:]))
    return abs(parameter_count(changed) - parameter_count(model.network))


def _next_layer(model: Model, bank: int) -> str:
    """Return the name of the layer that reads a bank's feature maps."""
    if bank < len(model.network.banks):
        return f"bank{bank + 1}"
    return "dense" if model.network.dense else "output"


def _loss(model: Model, data: Dataset, bank: int = 0, number: int = 0) -> float:
    """Return the mean cross-entropy of a model, without one filter of `bank` unless that is 0."""
    return evaluate(without_filters(model, {bank: [number]}) if bank else model, data, hardest=0).log_loss
