"""`FineTuningRecord`: the pictures of one fine-tuning of a model."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from inksight._shared.validation import check, is_count, is_text, known_fields


@dataclass(frozen=True)
class FineTuningRecord:
    """The pictures of one fine-tuning (`inksight.teach`).

    Parameters
    ----------
    name : str
        Name of their source.
    pictures : dict of str to int
        Number of pictures of each class that occurs.
    digest : str
        SHA-256 of the preprocessed pictures and their labels (`inksight.Dataset.digest`).

    Raises
    ------
    InputError
        If a value has the wrong type.

    Examples
    --------
    >>> print(FineTuningRecord("my-hand", {"1": 5, "7": 6}, "0" * 64))
    11 pictures of 'my-hand' (1: 5, 7: 6), 0000000000000000
    """

    name: str
    pictures: dict[str, int]
    digest: str

    def __post_init__(self) -> None:
        check(is_text(self.name), "name of a fine-tuning", self.name, "a string")
        counts = self.pictures
        valid = isinstance(counts, dict) and all(is_text(k) and is_count(n) and n < 2**53 for k, n in counts.items())
        check(valid, "pictures of a fine-tuning", counts, "a dict of class names to counts of 1 or more")
        check(is_text(self.digest), "digest of a fine-tuning", self.digest, "a string")

    def __str__(self) -> str:
        counts = ", ".join(f"{name}: {count}" for name, count in self.pictures.items())
        return f"{sum(self.pictures.values())} pictures of {self.name!r} ({counts}), {self.digest[:16]}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Build a record from JSON values; raise `InputError` for a missing, unknown or invalid value."""
        return cls(**known_fields(cls, values))
