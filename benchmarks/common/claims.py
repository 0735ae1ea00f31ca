"""`Claim`: a figure that a benchmark must reach."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """A limit on a measured value.

    Parameters
    ----------
    target : float
        The limit: the value must be at least this.
    style : str
        Format string that prints the target.
    at_most : bool
        The value must be at most the target instead.

    Examples
    --------
    >>> claim = Claim(0.95, "{:.0%}")
    >>> claim.holds(0.94), claim.verdict(0.94)
    (False, 'claimed: 95%, NOT HELD')
    >>> Claim(0.3, "{:g} s", at_most=True).verdict(0.2)
    'claimed: 0.3 s'
    """

    target: float
    style: str = "{:g}"
    at_most: bool = False

    def holds(self, value: float) -> bool:
        """Return whether a value keeps the limit."""
        return bool(value <= self.target if self.at_most else value >= self.target)

    def state(self, value: float) -> str:
        """Return the target as text, marked if the value does not reach it."""
        return self.style.format(self.target) + ("" if self.holds(value) else ", NOT HELD")

    def verdict(self, value: float) -> str:
        """Return `state` with a label."""
        return f"claimed: {self.state(value)}"
