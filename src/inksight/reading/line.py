"""`Line`: the digits and the signs of a text line, and what was found out about them together."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inksight.imaging.preprocessing import Prepared


@dataclass(frozen=True)
class Sign:
    """A punctuation mark on a line of digits.

    Parameters
    ----------
    symbol : str
        One of ``.``, ``,``, ``-``, ``/`` and ``:``.
    box : (left, top, width, height)
        In pixels of the upright picture.
    line : int
        Line of text on the picture, from 0.
    place : int
        How many digits of the line are on its left.
    confidence : float
        Probability that it is a sign, by its shape and place, 0..1.
    """

    symbol: str
    box: tuple[int, int, int, int]
    line: int
    place: int
    confidence: float

    def __str__(self) -> str:
        return self.symbol

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"box": list(self.box)}


@dataclass(frozen=True, eq=False)
class Line:
    """A text line: a sequence of its digits.

    Parameters
    ----------
    digits : sequence of Prepared
        From left to right.
    signs : tuple of Sign
        The punctuation marks between them.
    names : tuple of str
        The class of each digit in the best reading that fits the constraint; empty if there is no constraint, if
        nothing fits, or if the digit is alone, so that its probabilities decide.
    confidence : float, optional
        Probability of that reading, 0..1; 0 if nothing fits.
    explained : float
        Share of the line's ink that is in its digits and signs, 0..1; less where a sign may be a digit.
    """

    digits: Sequence[Prepared]
    signs: tuple[Sign, ...] = ()
    names: tuple[str, ...] = ()
    confidence: float | None = None
    explained: float = 1.0

    def __len__(self) -> int:
        return len(self.digits)

    def __iter__(self) -> Iterator[Prepared]:
        return iter(self.digits)


def with_signs(digits: Sequence[str], signs: Sequence[Sign]) -> list[str]:
    """Return the symbols of a line from left to right.

    Examples
    --------
    >>> "".join(with_signs("100", [Sign(".", (70, 50, 5, 5), 0, 3, 0.9)]))
    '100.'
    """
    symbols: list[str] = []
    for place in range(len(digits) + 1):
        symbols += [sign.symbol for sign in signs if sign.place == place]
        symbols += digits[place : place + 1]
    return symbols
