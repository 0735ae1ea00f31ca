"""Which filters a network could do without: the rise of the loss when each is left out, and leaving it out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inksight._shared.validation import check, is_count
from inksight.data.dataset import Dataset
from inksight.errors import InputError
from inksight.inspection.banks import filter_similarity
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.nn.parameters import bank_stage, parameter_count

CRITERIA = ("loss", "similarity")


def without_filters(model: Model, filters: Mapping[int, Sequence[int]]) -> Model:
    """Return a model that lacks some filters, and everything above that read their maps.

    Nothing else is changed: all later sums are those of the old model with these maps at zero. A filter whose map is
    always zero, or is read by nobody, goes without a trace.

    Parameters
    ----------
    model : Model
    filters : mapping of int to sequence of int
        For each bank, counted from 1, the filters to remove, counted from 0 as in the pictures.

    Returns
    -------
    Model
        Smaller, with the history of the old one.

    Raises
    ------
    InputError
        If there is no such bank or filter, or a bank would lose its last one.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> without_filters(Model.untrained(get_network("post")), {1: [0, 7], 3: range(10)})
    Model(18-20-30 filters, 10 classes, 0 epochs)
    """
    banks, params = list(model.network.banks), dict(model.params)
    for bank, removed in filters.items():
        stage, count = bank_stage(model.network, bank), banks[bank - 1].filters
        gone = set(np.asarray(removed).tolist())  # NumPy's integers become Python's
        for number in gone:
            known = is_count(number, 0) and number < count
            check(known, f"filter of bank {bank}", number, f"0 to {count - 1}")
        if len(gone) == count:
            raise InputError(f"bank {bank} must keep a filter, got all {count} to remove: leave one of them")
        kept = [number for number in range(count) if number not in gone]
        banks[bank - 1] = replace(banks[bank - 1], filters=len(kept))
        for part in ("kernel", "pointwise", "bias"):  # of those there are, the last axis is the filters'
            name = f"{stage}.{part}"
            if name in params:
                params[name] = params[name][..., kept]
        above = _reader(model, bank)
        for part, axis in (("kernel", -2), ("pointwise", -2), ("depthwise", -1)):  # the axis of what a kernel reads
            name = f"{above}.{part}"
            if name in params:
                params[name] = params[name].take(kept, axis=axis)
    network = replace(model.network, banks=tuple(banks))
    return replace(model, network=network, params=params, ood_detector=None)


def filter_importance(model: Model, data: Dataset, by: str = "loss") -> list[NDArray[np.float64]]:
    """Say how much each filter matters; low ones can go.

    Parameters
    ----------
    model : Model
    data : Dataset
        Labelled images; a thousand rank filters steadily.
    by : {"loss", "similarity"}
        ``loss``: the rise of the mean cross-entropy when the filter is left out (below 0 where it does harm). It is
        measured, not estimated by a gradient (Molchanov, Tyree, Karras, Aila, Kautz, "Pruning convolutional neural
        networks for resource efficient inference", ICLR 2017): in networks so small a forward pass a filter is cheap.
        ``similarity``: 1 less the largest correlation, of either sign, of its map with another's (`filter_similarity`).

    Returns
    -------
    list of (filters,) float64
        One array a bank; infinite for a bank's only filter.

    Raises
    ------
    InputError
        If the data has no images or labels, or `by` is unknown.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("4x5p,8x3"))
    >>> [values.shape for values in filter_importance(model, inksight.load("mnist")[:100])]
    [(4,), (8,)]
    """
    check(by in CRITERIA, "by", by, "loss or similarity")
    whole = _loss(model, data)
    result = []
    for number, bank in enumerate(model.network.banks, start=1):
        if bank.filters == 1:
            values = np.array([np.inf])
        elif by == "loss":
            values = np.array([_loss(model, data, number, i) for i in range(bank.filters)]) - whole
        else:
            maps = filter_similarity(model, number, data.images).maps
            assert maps is not None
            values = 1 - np.abs(maps - np.eye(bank.filters)).max(axis=1)
        result.append(values)
    return result


def remove_least_important(model: Model, data: Dataset, parameters: float, by: str = "loss") -> Model:
    """Remove filters one by one until a model has at most so many parameters, or a single filter a bank.

    The next to go is the one that matters least for each parameter it takes along. What the others mean changes with
    every filter removed: of two that do the same work, either may go, and not both. So before a filter goes, its rise
    of the loss is measured anew; the rest keep the values from before, since losing company mostly makes filters
    dearer (the lazy greedy of Minoux, "Accelerated greedy algorithms for maximizing submodular set functions", 1978).

    Parameters
    ----------
    model : Model
    data : Dataset
        Labelled images to measure on.
    parameters : float
        Stop at this number or below.
    by : {"loss", "similarity"}
        As `filter_importance` has it.

    Examples
    --------
    >>> import inksight
    >>> model = inksight.Model.untrained(inksight.config.get_network("4x5p,8x3"))
    >>> smaller = remove_least_important(model, inksight.load("mnist")[:100], 400)
    >>> parameter_count(model.network), parameter_count(smaller.network) <= 400
    (493, True)
    """
    values = filter_importance(model, data, by)
    whole, fresh = _loss(model, data), [np.ones(len(matter), bool) for matter in values]
    while parameter_count(model.network) > parameters and max(map(len, values)) > 1:
        prices = [matter / parameters_saved(model, bank) for bank, matter in enumerate(values, start=1)]
        place = min(range(len(prices)), key=lambda i: float(prices[i].min()))
        number = int(prices[place].argmin())
        if by == "loss" and not fresh[place][number]:
            values[place][number] = _loss(model, data, place + 1, number) - whole
            fresh[place][number] = True
            continue
        model = without_filters(model, {place + 1: [number]})
        if by == "loss":
            values[place] = np.delete(values[place], number)
            if len(values[place]) == 1:
                values[place] = np.array([np.inf])
            whole, fresh = _loss(model, data), [np.zeros(len(matter), bool) for matter in values]
        else:
            values = filter_importance(model, data, by)
    return model


def parameters_saved(model: Model, bank: int) -> int:
    """Return how many parameters a model has less when it loses one filter of a bank, counted from 1.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> [parameters_saved(Model.untrained(get_network("post")), bank) for bank in (1, 2, 3)]
    [526, 861, 201]
    """
    bank_stage(model.network, bank)  # is there such a bank?
    banks, filters = model.network.banks, model.network.banks[bank - 1].filters
    other = replace(banks[bank - 1], filters=filters - 1 or 2)  # one less, or, of a bank's only one, one more
    changed = replace(model.network, banks=(*banks[: bank - 1], other, *banks[bank:]))
    return abs(parameter_count(changed) - parameter_count(model.network))


def _reader(model: Model, bank: int) -> str:
    """Return the name of the layer that reads a bank's maps."""
    if bank < len(model.network.banks):
        return f"bank{bank + 1}"
    return "dense" if model.network.dense else "output"


def _loss(model: Model, data: Dataset, bank: int = 0, number: int = 0) -> float:
    """Return the mean cross-entropy of a model, or of what is left of it without one filter of a bank."""
    return evaluate(without_filters(model, {bank: [number]}) if bank else model, data, hardest=0).log_loss
