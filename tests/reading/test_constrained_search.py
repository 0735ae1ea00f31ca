"""The constrained search finds what a search of all readings finds: the best reading that fits, and the next one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from inksight.reading import constrained_search
from inksight.reading.constrained_search import best_fit
from inksight.reading.constraints import constraint_of
from inksight.reading.lattice import Arc, best_path
from inksight.reading.punctuation import SignCandidate

NAMES = tuple("0123456789")
CONSTRAINTS = [
    {"length": 2}, {"length": (1, 3)}, {"allow": "0-2"}, {"pattern": r"\d[0-1]*"}, {"pattern": r"\d+.\d+|\d"},
    {"pattern": "-?[1-3]{1,2}"}, {"pattern": "[02]{2}|1", "allow": "0-1"}, {"pattern": r"\d{3}\.-"},
]  # fmt: skip


def random_lattice(rng, count):
    """Return the arcs of a random lattice, and probabilities of three classes that are not tiny."""
    arcs: list[list[Arc]] = [[]]
    stretches = 0
    for last in range(1, count + 1):
        ending = [Arc(last - 1, float(-rng.uniform(0, 6)))]
        for first in range(max(last - 2, 0), last):
            if rng.random() < 0.7:
                ending.append(Arc(first, float(-rng.uniform(0, 4)), stretches))
                stretches += 1
        if rng.random() < 0.5:
            symbol = str(rng.choice(list(".-")))
            ending.append(Arc(last - 1, float(-rng.uniform(0, 4)), sign=SignCandidate(last - 1, last, symbol, 0.5)))
        arcs.append(ending)
    probabilities = np.full((max(stretches, 1), 10), 1e-9)
    probabilities[:, :3] = rng.dirichlet(np.ones(3), len(probabilities))
    return arcs, probabilities


def all_readings(arcs, probabilities, constraint):
    """Return the score of each text that fits, over all paths and all classes."""
    log_p = np.log(np.maximum(probabilities, 1e-12))
    log_p -= log_p.max(axis=1, keepdims=True)

    def paths(boundary):
        if boundary == 0:
            yield []
        for arc in arcs[boundary] if boundary else ():
            for path in paths(arc.first):
                yield [*path, arc]

    scores: dict[str, float] = {}
    for path in paths(len(arcs) - 1):
        stretches = [arc.stretch for arc in path if arc.stretch >= 0]
        for digits in itertools.product(range(3), repeat=len(stretches)):
            read = iter(digits)
            symbols = [
                NAMES[next(read)] if arc.stretch >= 0 else arc.sign.symbol
                for arc in path
                if arc.stretch >= 0 or arc.sign
            ]
            if constraint.accepts(symbols):
                text = "".join(symbol for symbol in symbols if constraint.reads_signs or symbol.isdigit())
                chosen = sum(log_p[stretch, digit] for stretch, digit in zip(stretches, digits, strict=True))
                score = sum(arc.score for arc in path) + chosen
                scores[text] = max(scores.get(text, -np.inf), score)
    return scores


@pytest.mark.parametrize("options", CONSTRAINTS, ids=str)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 5))
def test_the_best_reading_that_fits_is_that_of_a_search_of_all(options, seed, count):
    arcs, probabilities = random_lattice(np.random.default_rng(seed), count)
    constraint = constraint_of(**options)
    assert constraint is not None
    # Classes that are not among the first three are hopeless, so that the search of all can leave them out.
    scores = all_readings(arcs, probabilities, constraint)
    found = best_fit(arcs, probabilities, NAMES, constraint)
    if not scores:
        assert found is None or found.score < -15
        return
    assert found is not None
    ranked = sorted(scores.values(), reverse=True)
    assert found.score == pytest.approx(ranked[0])
    names = iter(found.names)
    symbols = [arc.sign.symbol if arc.sign else next(names) for arc in found.path]
    assert constraint.accepts(symbols)
    text = "".join(symbol for symbol in symbols if constraint.reads_signs or symbol.isdigit())
    assert scores[text] == pytest.approx(ranked[0])
    assert 0.5 <= found.confidence <= 1
    if len(ranked) > 1 and ranked[1] > ranked[0] - 8:
        assert found.confidence == pytest.approx(1 / (1 + np.exp(ranked[1] - ranked[0])), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 8))
def test_a_constraint_that_anything_fits_changes_nothing(seed, count):
    arcs, probabilities = random_lattice(np.random.default_rng(seed), count)
    constraint = constraint_of(pattern=r"\d*")
    assert constraint is not None
    path, score = best_path(arcs)
    found = best_fit(arcs, probabilities, NAMES, constraint)
    assert found is not None
    assert found.path == path
    assert found.score == pytest.approx(score)
    assert found.names == tuple(NAMES[probabilities[arc.stretch].argmax()] for arc in path if arc.stretch >= 0)


@pytest.mark.parametrize("pattern", [r"\d*1\d{100}|\d*", r"(\d*){200}", r"((\d?){2}|\d*)*" * 20, r"\d{1,200}"])
def test_an_ambiguous_pattern_does_not_multiply_what_is_searched(pattern, monkeypatch):
    """Sets of positions would be exponentially many, and ways through equivalent positions too many to search."""
    arcs, probabilities = random_lattice(np.random.default_rng(0), 30)
    constraint, anything = constraint_of(pattern=pattern), constraint_of(pattern=r"\d*")
    assert constraint is not None
    assert anything is not None
    kept = 0

    def count(*arguments):
        nonlocal kept
        kept += 1
        keep_two(*arguments)

    keep_two = constrained_search._keep_two
    monkeypatch.setattr(constrained_search, "_keep_two", count)
    found, expected = (best_fit(arcs, probabilities, NAMES, one) for one in (constraint, anything))
    assert found is not None
    assert expected is not None
    assert (found.path, found.names) == (expected.path, expected.names)
    assert found.confidence == pytest.approx(expected.confidence)
    assert kept < 100_000


def test_the_next_reading_differs_in_its_text_not_only_in_its_path():
    arcs = [[], [Arc(0, -0.1, 0), Arc(0, -0.2, 1)]]
    probabilities = np.full((2, 10), 0.01)
    probabilities[:, 7], probabilities[:, 1] = 0.8, 0.1
    constraint = constraint_of(allow="0-9")
    assert constraint is not None
    found = best_fit(arcs, probabilities, NAMES, constraint)
    assert found is not None
    assert found.names == ("7",)
    assert found.confidence == pytest.approx(8 / 9)
    assert best_fit(arcs, probabilities, NAMES, constraint_of(length=2)) is None  # type: ignore[arg-type]
