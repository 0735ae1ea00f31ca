"""A `Trial`: one training of a sweep, settings and seed; a `grid` of them; a `Result`, which is one JSON file."""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import product
from pathlib import Path
from typing import Any, Self

from inksight import __version__
from inksight._shared.files import write_text
from inksight._shared.validation import check, is_between, is_count, known_fields
from inksight.config import Recipe, get_network
from inksight.errors import InputError
from inksight.nn.history import History

FORMAT = "inksight trial 1"


def flat(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested dicts with its name, those of inner dicts after a dot.

    Examples
    --------
    >>> dict(flat({"learning_rate": 0.01, "augmentation": {"shift": 2}}))
    {'rate': 0.01, 'augmentation.shift': 2}
    """
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        else:
            yield before + name, value


@dataclass(frozen=True, slots=True)
class Trial:
    """One training.

    Parameters
    ----------
    network : str
        As `inksight.config.get_network` takes it.
    recipe : Recipe
    seed : int
        Of starting weights, order and augmentation, 0 to 2147483647.

    Examples
    --------
    >>> Trial("8x5p,16x3", Recipe(epochs=2), seed=1).settings["augmentation.shift"]
    0.0
    >>> Trial("8x5p,16x3", Recipe(2, learning_rate=1)).id == Trial("8x5p, 16x3", Recipe(2, learning_rate=1.0)).id
    True
    """

    network: str
    recipe: Recipe
    seed: int = 0

    def __post_init__(self) -> None:
        check(isinstance(self.network, str), "network", self.network, "a name or a short description")
        get_network(self.network)
        check(isinstance(self.recipe, Recipe), "recipe", self.recipe, "a Recipe")
        check(is_count(self.seed, 0) and self.seed < 2**31, "seed", self.seed, "0 to 2147483647")

    @property
    def settings(self) -> dict[str, Any]:
        """All but the seed, by name; those of the augmentation as ``augmentation.shift``."""
        return {"network": self.network, **dict(flat(self.recipe.to_dict()))}

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits: the same for trials that do the same, on any machine."""
        # 1 and 1.0 are the same rate, and two descriptions can be of one network.
        numbers = {name: float(x) if isinstance(x, (int, float)) else x for name, x in self.settings.items()}
        content = [numbers | {"network": get_network(self.network).to_dict()}, self.seed]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as `from_dict` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Build a trial from JSON values; anything missing, unknown or out of range is an `InputError`."""
        values = known_fields(cls, values)
        return cls(values.get("network", ""), Recipe.from_dict(values.get("recipe")), values.get("seed", 0))


def grid(
    networks: Sequence[str], recipe: Recipe, changes: Mapping[str, Sequence[Any]], seeds: Sequence[int] = (0,)
) -> list[Trial]:
    """Return a trial for every network, every combination of changes to the recipe, and every seed.

    Parameters
    ----------
    networks : sequence of str
        As `inksight.config.get_network` takes them.
    recipe : Recipe
        What to change.
    changes : mapping of str to sequence
        Values to try, by the name of a recipe's field; the augmentation's as ``augmentation.rotation``.
    seeds : sequence of int

    Raises
    ------
    InputError
        If a name is unknown, a value is out of range or of another type, or there is nothing to try.

    Examples
    --------
    >>> trials = grid(["post"], Recipe(epochs=5), {"learning_rate": [0.01, 0.02], "augmentation.shift": [0, 2]}, seeds=[0, 1, 2])
    >>> len(trials), trials[-1].recipe.learning_rate, trials[-1].recipe.augmentation.shift
    (12, 0.02, 2)
    """
    values = recipe.to_dict()
    allowed = dict(flat(values))
    for name in changes:
        check(name in allowed, "setting", name, "one of " + ", ".join(allowed))
    for name, tried in {"network": networks, **changes, "seed": seeds}.items():
        check(len(tried) > 0, f"number of values of {name}", len(tried), "1 or more")
    recipes = []
    for choice in product(*changes.values()):
        changed = {name: dict(x) if isinstance(x, dict) else x for name, x in values.items()}
        for name, value in zip(changes, choice, strict=True):
            *outer, inner = name.split(".")
            (changed[outer[0]] if outer else changed)[inner] = value
        recipes.append(Recipe.from_dict(changed))
    return [Trial(*each) for each in product(networks, recipes, seeds)]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a trial.

    Parameters
    ----------
    trial : Trial
    data : str
        Digest of the images and labels it was trained on and validated with.
    history : History
        A row an epoch; empty if it failed.
    seconds, compile_seconds, images_per_second : float
        As `inksight.training.fit.TrainingResult` has them.
    weights : str
        Digest of the trained weights.
    engine : str
        What computed, as `inksight.engine.ops.engine` names it.
    failed : str
        Why there is no trained network, such as a loss that was not finite; empty if there is one.
    version : str
        Of inksight.
    """

    trial: Trial
    data: str
    history: History = field(default_factory=History)
    seconds: float = 0.0
    compile_seconds: float = 0.0
    images_per_second: float = 0.0
    weights: str = ""
    engine: str = ""
    failed: str = ""
    version: str = __version__

    def __post_init__(self) -> None:
        for name in ("data", "weights", "engine", "failed", "version"):
            check(isinstance(getattr(self, name), str), name, getattr(self, name), "a text")
        for name in ("seconds", "compile_seconds", "images_per_second"):
            check(is_between(getattr(self, name), 0, math.inf), name, getattr(self, name), "0 or more")
        if not self.failed:
            epochs = self.trial.recipe.epochs
            check(len(self.history) == epochs, "rows of the history", len(self.history), f"{epochs}, one an epoch")
            check(is_between(self.val_accuracy, 0, 1), "validation accuracy", self.val_accuracy, "0 to 1")

    @property
    def val_accuracy(self) -> float:
        """Of the last epoch (not the best, which would be chosen by luck); NaN if the trial failed."""
        return self.history.rows[-1].val_accuracy if self.history.rows else math.nan

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result as JSON, whole or not at all."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values |= {"trial": self.trial.to_dict(), "history": self.history.to_list()}
        write_text(path, json.dumps({"format": FORMAT, "id": self.trial.id, **values}, indent=1) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; an `InputError` if it is anything else."""
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
            check(isinstance(values, dict), "content", type(values).__name__, "an object with named values")
            form, saved_as = values.pop("format", None), values.pop("id", None)
            check(form == FORMAT, "format", form, repr(FORMAT))
            values = known_fields(cls, values)
            trial, history = Trial.from_dict(values.pop("trial", None)), History.from_list(values.pop("history", None))
            check(saved_as == trial.id, "id", saved_as, f"{trial.id}, that of the trial")
            return cls(trial, values.pop("data", None), history, **values)
        except (OSError, TypeError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{str(path)!r} is no result of a trial, or damaged: {reason[:200]}") from error
