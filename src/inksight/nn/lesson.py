"""`Lesson`: what a model has been taught besides the images it was trained on."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from inksight._shared.validation import check, is_count, known_fields


@dataclass(frozen=True)
class Lesson:
    """Pictures of somebody's own that a model has learned from.

    Parameters
    ----------
    name : str
        Of their source.
    pictures : dict of str to int
        How many there were of each class that had some.
    digest : str
        SHA-256 of the pictures, made ready, and their labels: `inksight.Dataset.digest`.

    Examples
    --------
    >>> print(Lesson("my-hand", {"1": 5, "7": 6}, "0" * 64))
    11 pictures of 'my-hand' (1: 5, 7: 6), 0000000000000000
    """

    name: str
    pictures: dict[str, int]
    digest: str

    def __post_init__(self) -> None:
        check(isinstance(self.name, str), "name of a lesson", self.name, "a text")
        counts = self.pictures
        good = isinstance(counts, dict) and all(isinstance(k, str) and is_count(n) for k, n in counts.items())
        check(good, "pictures of a lesson", counts, "a number of each class")
        check(isinstance(self.digest, str), "digest of a lesson", self.digest, "a text")

    def __str__(self) -> str:
        counts = ", ".join(f"{name}: {count}" for name, count in self.pictures.items())
        return f"{sum(self.pictures.values())} pictures of {self.name!r} ({counts}), {self.digest[:16]}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as `from_dict` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Build a lesson from JSON values; anything missing, unknown or of another type is an `InputError`."""
        values = known_fields(cls, values)
        for name in ("name", "pictures", "digest"):
            check(name in values, f"{name} of a lesson", None, "given")
        return cls(**values)
