"""`Constraint`: what the caller knows of each line, as an automaton over digits and signs.

A pattern becomes its position automaton (Glushkov, "The abstract theory of automata", 1961): each digit or sign that it
names is a position, and a state is a position that the last symbol may have matched. The automaton stays
nondeterministic, because sets of positions can be exponentially many, as for ``\\d*1\\d{20}``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NoReturn

from inksight._shared.validation import check, is_count, shown
from inksight.config import DIGITS
from inksight.errors import InputError

SIGNS = ".,-/:"
MAX_LENGTH = 200  # digits of a line, and positions of a pattern
MAX_GROUPS = 50  # of a pattern, which may be nested
ALLOWED = (
    r"a digit, \d, a class such as [0-5], a sign (. , - / :), a group in parentheses, |, "
    "or a count (?, *, +, {2} or {2,4}) after one of them"
)

State = tuple[int, ...]  # a position of each automaton


@dataclass(frozen=True)
class _Part:
    """A part of a pattern: whether it matches the empty text, and the positions that it may start and end with."""

    nullable: bool = True
    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()


class _Automaton:
    """The position automaton of a pattern; position 0 comes before the first symbol."""

    def __init__(self) -> None:
        self.symbols: list[frozenset[str]] = [frozenset()]
        self.follow: list[set[int]] = [set()]
        self.final: frozenset[int] = frozenset()

    def position(self, symbols: frozenset[str]) -> _Part:
        """Add a position that matches any of some symbols."""
        number = len(self.symbols)
        if number > MAX_LENGTH:
            raise InputError(f"a pattern must name at most {MAX_LENGTH} digits and signs, counts included: shorten it")
        self.symbols.append(symbols)
        self.follow.append(set())
        return _Part(False, frozenset([number]), frozenset([number]))

    def joined(self, a: _Part, b: _Part) -> _Part:
        """Return one part after another."""
        for position in a.last:
            self.follow[position] |= b.first
        first = a.first | b.first if a.nullable else a.first
        last = a.last | b.last if b.nullable else b.last
        return _Part(a.nullable and b.nullable, first, last)

    def finish(self, whole: _Part) -> "_Automaton":
        """Connect position 0 with the pattern."""
        self.final = self.joined(_Part(False, last=frozenset([0])), whole).last
        if whole.nullable:
            self.final |= {0}
        self.reads_signs = any(symbols & set(SIGNS) for symbols in self.symbols)
        self.representative = self._representatives()
        return self

    def _representatives(self) -> list[int]:
        """Return for each position the first one after which the same may follow (coarsest bisimulation).

        Without it, ambiguous patterns such as ``(\\d*){100}`` would have thousands of ways to go on.
        """
        known: list[int] = []
        new = [0] * len(self.symbols)
        while new != known:
            known, first = new, dict[object, int]()
            after = [frozenset((self.symbols[to], known[to]) for to in follow) for follow in self.follow]
            states = [(known[position], position in self.final, after[position]) for position in range(len(known))]
            new = [first.setdefault(state, position) for position, state in enumerate(states)]
        return known

    def step(self, position: int, symbol: str) -> list[int]:
        """Return the positions that match a symbol after another position."""
        if symbol in SIGNS and not self.reads_signs:
            return [position]
        return sorted({self.representative[to] for to in self.follow[position] if symbol in self.symbols[to]})


_Builder = Callable[[_Automaton], _Part]  # adds new positions each time it is called, so that parts can be repeated


@dataclass
class _Parser:
    """Recursive descent: alternatives, sequences, and parts with a count."""

    pattern: str
    place: int = 0  # of the next character

    def fail(self, place: int) -> NoReturn:
        got = f"{self.pattern[place]!r} at character {place + 1}" if place < len(self.pattern) else "its end"
        raise InputError(f"pattern must consist of {ALLOWED}, got {got} of {shown(self.pattern)}")

    def take(self, expression: str) -> str:
        """Return what matches a regular expression at the next character, and move behind it."""
        found = re.compile(expression, re.ASCII).match(self.pattern, self.place)
        self.place = found.end() if found else self.place
        return found[0] if found else ""

    def parse(self) -> _Builder:
        whole = self.alternatives()
        if self.place < len(self.pattern):
            self.fail(self.place)
        return whole

    def alternatives(self) -> _Builder:
        options = [self.sequence()]
        while self.take(r"\|"):
            options.append(self.sequence())

        def build(automaton: _Automaton) -> _Part:
            parts = [option(automaton) for option in options]
            first = frozenset[int]().union(*(part.first for part in parts))
            last = frozenset[int]().union(*(part.last for part in parts))
            return _Part(any(part.nullable for part in parts), first, last)

        return options[0] if len(options) == 1 else build

    def sequence(self) -> _Builder:
        parts: list[_Builder] = []
        while self.place < len(self.pattern) and self.pattern[self.place] not in "|)":
            parts.append(self.counted())

        def build(automaton: _Automaton) -> _Part:
            result = _Part()
            for part in parts:
                result = automaton.joined(result, part(automaton))
            return result

        return build

    def counted(self) -> _Builder:
        part = self.group() if self.take(r"\(") else _one_of(self.symbols())
        start = self.place
        count = self.take(r"[?*+]|\{\d+(,\d*)?\}")
        if not count:
            return part
        if count[0] == "{":
            low, _, high = count[1:-1].partition(",")
            least, most = int(low), int(high) if high else None if "," in count else int(low)
        else:
            least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}[count]
        if least > MAX_LENGTH or (most is not None and not max(least, 1) <= most <= MAX_LENGTH):
            self.fail(start)
        return _repeated(part, least, most)

    def group(self) -> _Builder:
        start = self.place - 1
        inside = self.alternatives()
        if not self.take(r"\)"):
            self.fail(start)
        return inside

    def symbols(self) -> frozenset[str]:
        """Return the symbols that a digit, a sign or a class stands for."""
        start = self.place
        if one := self.member():
            return one
        opening = self.take(r"\[\^?")
        members: set[str] = set()
        while opening and not self.take(r"\]"):
            here = self.place
            if found := self.take(r"\d-\d"):
                members |= set(DIGITS[int(found[0]) : int(found[-1]) + 1]) or self.fail(here)
            else:
                members |= self.member() or self.fail(here)
        chosen = set(DIGITS) - members if opening == "[^" else members
        return frozenset(chosen) or self.fail(start)

    def member(self) -> frozenset[str]:
        """Return what a digit, \\d or a sign stands for; the empty set if there is something else."""
        return frozenset(DIGITS if self.take(r"\\d") else self.take(r"\\?[.,/:-]|\d")[-1:])


def _one_of(symbols: frozenset[str]) -> _Builder:
    return lambda automaton: automaton.position(symbols)


def _repeated(part: _Builder, least: int, most: int | None) -> _Builder:
    """Return a part that is repeated; any number of times from `least` on if `most` is None."""

    def build(automaton: _Automaton) -> _Part:
        copies: list[_Part] = []
        for _ in range(max(least, 1) if most is None else most):
            copies.append(part(automaton))
            if not copies[0].first:  # nothing to repeat, but for ever if such groups are nested
                return copies[0]
        if most is None:
            for position in copies[-1].last:
                automaton.follow[position] |= copies[-1].first
        result = _Part()
        # From the last one, as in x(x(x)?)?, so that each follows only the one before it, unlike in x?x?x?.
        for number in reversed(range(len(copies))):
            result = automaton.joined(copies[number], result)
            if number >= least:
                result = _Part(True, result.first, result.last)
        return result

    return build


@dataclass(frozen=True, eq=False)
class Constraint:
    """What each line may read: all automata must accept it.

    Parameters
    ----------
    automata : tuple of automata
        Those that name no sign ignore the signs of a line.
    """

    automata: tuple[_Automaton, ...]
    _moves: dict[State, dict[str, tuple[State, ...]]] = field(default_factory=dict, repr=False)

    @property
    def start(self) -> State:
        """The state before the first symbol."""
        return (0,) * len(self.automata)

    @property
    def reads_signs(self) -> bool:
        """Whether signs are a part of what is read; otherwise they are ignored."""
        return any(automaton.reads_signs for automaton in self.automata)

    def moves(self, state: State) -> dict[str, tuple[State, ...]]:
        """Return the digits and signs that may come next, and the states after each."""
        if (known := self._moves.get(state)) is None:
            known = self._moves[state] = {}
            for symbol in (*DIGITS, *SIGNS):
                each = (automaton.step(one, symbol) for automaton, one in zip(self.automata, state, strict=True))
                if after := tuple(product(*each)):
                    known[symbol] = after
        return known

    def is_final(self, state: State) -> bool:
        """Return whether a line may end in a state."""
        return all(one in automaton.final for automaton, one in zip(self.automata, state, strict=True))

    def accepts(self, symbols: Sequence[str]) -> bool:
        """Return whether a line may read as these digits and signs."""
        states = {self.start}
        for symbol in symbols:
            states = {after for state in states for after in self.moves(state).get(symbol, ())}
        return any(map(self.is_final, states))

    def accepts_some(self) -> bool:
        """Return whether there is a line with a digit that it accepts."""
        waiting = [(self.start, False)]
        seen = set(waiting)
        while waiting:
            state, has_digit = waiting.pop()
            if has_digit and self.is_final(state):
                return True
            for symbol, states in self.moves(state).items():
                new = {(after, has_digit or symbol in DIGITS) for after in states} - seen
                waiting += new
                seen |= new
        return False

    def replacements(self, symbols: Sequence[str], place: int) -> list[str]:
        """Return the digits that may stand at one place of a line, if all else stays as it is."""
        before, after = symbols[:place], symbols[place + 1 :]
        return [digit for digit in DIGITS if self.accepts((*before, digit, *after))]


def constraint_of(
    length: int | tuple[int, int] | None = None, allow: str | None = None, pattern: str | None = None
) -> Constraint | None:
    r"""Return what each line may read, or None if it may read anything.

    Parameters
    ----------
    length : int or (int, int), optional
        The number of digits of a line, or the least and the greatest one.
    allow : str, optional
        The digits that may occur, such as ``0-5`` or ``1,3,7-9``.
    pattern : str, optional
        A regular expression for the whole line, of digits, ``\d``, classes such as ``[0-5]`` and ``[^0]``, groups,
        ``|``, counts, and the signs ``. , - / :``, where the dot is a dot.

    Raises
    ------
    InputError
        If one of them cannot be understood, or no line fits all of them.

    Examples
    --------
    >>> constraint = constraint_of(pattern=r"\d{2}/\d{2}")
    >>> constraint.accepts("12/03"), constraint.accepts("1203")
    (True, False)
    >>> constraint_of(length=(2, 3), allow="0-5").accepts("153")
    True
    """
    parts: list[_Builder] = []
    if length is not None or allow is not None:
        low, high = _bounds(length)
        parts.append(_repeated(_one_of(_allowed(allow)), low, high))
    if pattern is not None:
        check(isinstance(pattern, str) and pattern != "", "pattern", pattern, r"text such as \d{2}/\d{2}/\d{4}")
        check(pattern.count("(") <= MAX_GROUPS, "pattern", pattern, f"a text with at most {MAX_GROUPS} groups")
        parts.append(_Parser(pattern).parse())
    if not parts:
        return None
    automata = (_Automaton() for _ in parts)
    both = Constraint(tuple(automaton.finish(part(automaton)) for automaton, part in zip(automata, parts, strict=True)))
    if not both.accepts_some():
        options = {"length": length, "allow": allow, "pattern": pattern}
        given = " and ".join(f"{name} {shown(value)}" for name, value in options.items() if value is not None)
        raise InputError(
            f"length, allow and pattern must leave a line with at least one digit possible, got {given}: change or "
            "leave out one of them"
        )
    return both


def _bounds(length: object) -> tuple[int, int | None]:
    if length is None:
        return 1, None
    low: Any
    high: Any
    low, high = length if isinstance(length, tuple) and len(length) == 2 else (length, length)
    ok = is_count(low) and is_count(high) and low <= high <= MAX_LENGTH
    allowed = f"a whole number from 1 to {MAX_LENGTH}, or the least and the greatest one"
    check(ok, "length", length, allowed, "such as 3 or (2, 4)")
    return low, high


def _allowed(allow: object) -> frozenset[str]:
    if allow is None:
        return frozenset(DIGITS)
    ok = isinstance(allow, str) and re.fullmatch(r"(\d(-\d)?,?)+", allow, re.ASCII)
    check(bool(ok), "allow", allow, "digits and ranges of them", "such as 0-5 or 1,3,7-9")
    return _Parser(f"[{str(allow).replace(',', '')}]").symbols()
