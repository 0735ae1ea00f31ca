"""Constraints accept what the same regular expression accepts; wrong ones are refused with the place of the fault."""

import re
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from inksight import InputError
from inksight.reading.constraints import MAX_LENGTH, constraint_of


def accepts(text, **options):
    constraint = constraint_of(**options)
    assert constraint is not None
    return constraint.accepts(text)


@st.composite
def patterns(draw):
    """A random pattern, and the same one in Python's syntax, where a dot is escaped."""
    atoms = st.sampled_from([
        *[(symbol, re.escape(symbol)) for symbol in "0123.,-/:"],
        (r"\d", "[0-9]"), (r"\.", r"\."), (r"\/", "/"), ("[0-2]", "[0-2]"), ("[^0-2]", "[3-9]"), ("[1.,]", "[1.,]"),
        ("[0-13]", "[013]"),
    ])  # fmt: skip
    counts = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,2}", "{1,3}", "{2,}"])

    def combined(inside):
        one = st.tuples(inside, counts).map(lambda pair: (f"({pair[0][0]}){pair[1]}", f"(?:{pair[0][1]}){pair[1]}"))
        row = st.lists(one, min_size=1, max_size=3)
        joined = row.map(lambda parts: ("".join(a for a, _ in parts), "".join(b for _, b in parts)))
        either = row.map(lambda parts: ("|".join(a for a, _ in parts), "|".join(b for _, b in parts)))
        return joined | either

    return draw(st.recursive(atoms, combined, max_leaves=5))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), pattern=patterns(), texts=st.lists(st.text("0134.,-/:", max_size=5), max_size=10))
def test_a_pattern_accepts_what_the_regular_expression_accepts(data, pattern, texts):
    ours, theirs = (f"{one}|9" for one in pattern)  # so that a line with a digit fits
    matching = data.draw(st.lists(st.from_regex(re.compile(theirs, re.ASCII), fullmatch=True), max_size=3))
    has_signs = re.search("[.,/:-]", re.sub(r"\d-\d|\{[^}]*\}", "", ours))
    for text in [*texts, *matching]:
        seen = text if has_signs else "".join(symbol for symbol in text if symbol.isdigit())
        assert accepts(text, pattern=ours) == bool(re.fullmatch(theirs, seen)), (ours, text)


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("1a", "got 'a' at character 2"), ("1{2", "got '{' at character 2"), ("[5-0]", "got '5' at character 2"),
        ("(1", r"got '\(' at character 1"), ("1)", r"got '\)' at character 2"), ("[", r"got its end"),
        ("[]", r"got '\[' at character 1"),
        ("[^0-9]", r"got '\[' at character 1"), ("1{3,2}", "got '{' at character 2"),
        ("1{0}", "got '{' at character 2"), ("1**", r"got '\*' at character 3"), ("?1", r"got '\?' at character 1"),
        ("^1$", r"got '\^' at character 1"), ("1\\", "at character 2"), ("1 2", "got ' ' at character 2"),
        ("\u0661", "at character 1"), (r"\w", "at character 1"),
        ("1{\u0661}", "got '{' at character 2"), (r"1{999999999999}", "got '{' at character 2"),
    ],
)  # fmt: skip
def test_a_wrong_pattern_is_refused_with_the_place_and_what_is_allowed(pattern, place):
    with pytest.raises(InputError, match=rf"^pattern must consist of a digit, .* sign .*{place}"):
        constraint_of(pattern=pattern)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": ""}, "pattern must be text"), ({"pattern": 7}, "pattern must be text"),
        ({"pattern": "(" * 60 + "1" + ")" * 60}, "at most 50 groups"),
        ({"pattern": r"(\d{100}){3}"}, f"at most {MAX_LENGTH} digits and signs"),
        ({"allow": "0-x"}, "allow must be digits"), ({"allow": ""}, "allow must be digits"),
        ({"allow": 5}, "allow must be"),
        ({"allow": "5-0"}, "at character 2 of"), ({"length": 0}, "length must be a whole number from 1 to 200"),
        ({"length": (4, 2)}, "length must be"), ({"length": True}, "length must be"),
        ({"length": "3"}, "length must be"), ({"length": (1, 2, 3)}, "length must be"),
        ({"length": 10**9}, "length must be"),
        ({"length": 5, "pattern": r"\d{3}"}, r"must leave a line .* possible, got length 5 and pattern "),
        ({"allow": "1-3", "pattern": "[4-9]"}, "got allow '1-3' and pattern"), ({"pattern": "()"}, "got pattern '"),
        ({"pattern": "/|-*"}, "got pattern '"),
    ],
)  # fmt: skip
def test_other_wrong_constraints_are_refused(options: dict[str, Any], message):
    with pytest.raises(InputError, match=message):
        constraint_of(**options)


def test_length_and_digits_hold_together_with_the_pattern():
    assert constraint_of() is None
    assert [text for text in ("1", "12", "123", "1234", "12345") if accepts(text, length=(2, 4))] == [
        "12",
        "123",
        "1234",
    ]
    assert [text for text in ("05", "06", "5") if accepts(text, allow="0-5", length=2)] == ["05"]
    assert [accepts(text, allow="1,3,7-9") for text in ("13789", "2", "")] == [True, False, False]
    assert accepts("12/03", length=4, pattern=r"\d+/\d+")
    assert not accepts("12/03", length=5, pattern=r"\d+/\d+")
    assert not accepts("12/09", allow="0-5", pattern=r"\d+/\d+")


def test_signs_are_ignored_unless_the_pattern_names_some():
    assert accepts("1.2", pattern=r"\d\d")
    assert accepts("-12,", length=2)
    assert not accepts("1.2", pattern=r"\d\d|\d-\d")
    assert not accepts("12", pattern=r"\d.\d")


def test_nested_groups_that_match_nothing_take_no_time():
    assert accepts("1", pattern="((((){200}){200}){200}){200}1")


def test_the_digits_that_fit_in_a_place_are_those_that_fit_all_else():
    constraint = constraint_of(pattern="1[0-2]|0[1-9]")
    assert constraint is not None
    assert constraint.replacements("12", 0) == ["0", "1"]
    assert constraint.replacements("12", 1) == ["0", "1", "2"]
    assert constraint.replacements("03", 0) == ["0"]
