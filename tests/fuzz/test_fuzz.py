"""What fuzzing found is read again, and damaged seeds with it."""

from pathlib import Path

import pytest
from fuzz import parsers
from hypothesis import given, settings, strategies as st

CORPUS = Path(__file__).parent / "corpus"
FOUND = [(file.parent.name, file.name) for file in sorted(CORPUS.glob("*/*"))]


@pytest.mark.parametrize("name", parsers.PARSERS)
def test_seeds_are_parsed(name):
    for seed in parsers.PARSERS[name].seeds():
        parsers.PARSERS[name].parse(seed)


@pytest.mark.parametrize(("name", "file"), FOUND)
def test_findings_are_read_or_refused(name, file):
    parsers.run(name, (CORPUS / name / file).read_bytes())


@pytest.mark.parametrize("name", [name for name in parsers.PARSERS if name != "page"])
@settings(max_examples=25, deadline=2000)
@given(data=st.data())
def test_damaged_seeds_are_read_or_refused(name, data):
    seed = data.draw(st.sampled_from(parsers.PARSERS[name].seeds()))
    start, end = sorted(data.draw(st.lists(st.integers(0, len(seed)), min_size=2, max_size=2)))
    parsers.run(name, seed[:start] + data.draw(st.binary(max_size=40)) + seed[end:])
