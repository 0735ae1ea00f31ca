"""`best_fit`: the best reading of a line that fits a constraint, and whether the line is what the constraint says."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Optional

import numpy as np
from numpy.typing import NDArray

from inksight.reading.constraints import Constraint, State
from inksight.reading.lattice import Arc

LOWEST_PROBABILITY = 1e-12  # of a class, so that its logarithm is finite
PROBABILITY_OF_MISTAKE = 0.01  # that a line is not what its constraint says, before anything is read
MAX_COST = 50.0  # of log-probability: a constraint whose best reading costs more does not hold


@dataclass(frozen=True)
class Fit:
    """A reading that fits a constraint.

    Parameters
    ----------
    path : list of Arc
        Its digits and signs, from left to right.
    names : tuple of str
        The class of each digit.
    score : float
        Log-probability of the segmentation and the classes, less the costs.
    confidence : float
        Its probability against that of the next reading with another text that fits; 1 if there is none.
    """

    path: list[Arc]
    names: tuple[str, ...]
    score: float
    confidence: float


class _Prefix(NamedTuple):
    """A reading of the line up to a boundary; `previous` is the reading up to the last arc."""

    score: float
    text: str
    arc: Arc
    name: str
    previous: Optional["_Prefix"]


def best_fit(
    arcs: list[list[Arc]], probabilities: NDArray[np.floating], names: Sequence[str], constraint: Constraint
) -> Fit | None:
    """Return the best reading of a line that fits, or None if none does.

    Dynamic programming over boundaries and states of the constraint, with the two best readings of different texts for
    each. What comes after a state depends on the state alone, so the two best of the whole line are among them.

    Parameters
    ----------
    arcs : list of lists of Arc
        The steps that end at each boundary, as `SegmentationLattice.arcs` returns them.
    probabilities : (stretches, classes) float
        Class probabilities of each stretch.
    names : sequence of str
        Names of the classes.
    constraint : Constraint
    """
    classes = _ranked_classes(probabilities, names)
    start = _Prefix(0.0, "", Arc(0, 0.0), "", None)
    table: list[dict[State, list[_Prefix]]] = [{constraint.start: [start]}]
    for ending in arcs[1:]:
        here: dict[State, list[_Prefix]] = {}
        for arc in ending:
            for state, prefixes in table[arc.first].items():
                for symbol, name, log_ratio, target in _options(arc, state, classes, constraint):
                    kept = here.setdefault(target, [])
                    for prefix in prefixes:
                        score = prefix.score + arc.score + log_ratio
                        _keep_two(kept, _Prefix(score, prefix.text + symbol, arc, name, prefix))
        table.append(here)
    found: list[_Prefix] = []
    for state, prefixes in table[-1].items():
        for prefix in prefixes if constraint.is_final(state) else ():
            _keep_two(found, prefix)
    if not found:
        return None
    best = found[0]
    confidence = 1 / (1 + np.exp(found[1].score - best.score)) if len(found) > 1 else 1.0
    path, one = [], best
    while one.previous:
        path.append(one)
        one = one.previous
    path = [step for step in reversed(path) if step.arc.stretch >= 0 or step.arc.sign]
    return Fit(
        [step.arc for step in path], tuple(step.name for step in path if step.name), best.score, float(confidence)
    )


def probability_that_holds(cost: float) -> float:
    """Return the probability that a line is what its constraint says, by Bayes' rule.

    Parameters
    ----------
    cost : float
        By how much the log-probability of the best reading that fits is lower than that of the best one of all.

    Examples
    --------
    >>> probability_that_holds(0.0), round(probability_that_holds(5.0), 2), round(probability_that_holds(10.0), 3)
    (1.0, 0.4, 0.005)
    """
    return 1 / (1 + PROBABILITY_OF_MISTAKE * math.expm1(min(cost, MAX_COST)))


def _ranked_classes(probabilities: NDArray[np.floating], names: Sequence[str]) -> list[list[tuple[str, float]]]:
    """Return the classes of each stretch from the most to the least probable, with log(p / greatest p)."""
    log_p = np.log(np.maximum(probabilities.astype(np.float64), LOWEST_PROBABILITY))
    log_p -= log_p.max(axis=1, keepdims=True)
    order = np.argsort(-log_p, axis=1, kind="stable")
    ratios = np.take_along_axis(log_p, order, axis=1).tolist()
    return [
        [(names[number], ratio) for number, ratio in zip(numbers, row, strict=True)]
        for numbers, row in zip(order.tolist(), ratios, strict=True)
    ]


def _options(
    arc: Arc, state: State, classes: list[list[tuple[str, float]]], constraint: Constraint
) -> Iterator[tuple[str, str, float, State]]:
    """Yield what may be read on an arc: the text, the class, its log-ratio, and the state after it.

    Of the classes that lead to the same state, the two most probable are enough for the two best readings.
    """
    if arc.stretch >= 0:
        moves, counts = constraint.moves(state), dict[State, int]()
        for name, log_ratio in classes[arc.stretch]:
            for target in moves.get(name, ()):
                if counts.get(target, 0) < 2:
                    counts[target] = counts.get(target, 0) + 1
                    yield name, name, log_ratio, target
    elif arc.sign is None:
        yield "", "", 0.0, state
    else:
        text = arc.sign.symbol if constraint.reads_signs else ""
        for target in constraint.moves(state).get(arc.sign.symbol, ()):
            yield text, "", 0.0, target


def _keep_two(kept: list[_Prefix], new: _Prefix) -> None:
    """Add a reading to the two best ones of different texts, the best one first."""
    for number, other in enumerate(kept):
        if other.text == new.text:
            if new.score <= other.score:
                return
            del kept[number]
            break
    kept.append(new)
    kept.sort(key=lambda prefix: -prefix.score)
    del kept[2:]
