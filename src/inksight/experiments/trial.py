"""`Trial`: the settings and the seed of one training; a `grid` of trials; the `Result` of a trial, a JSON file."""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import product
from typing import Any, Self

from inksight import __version__
from inksight._shared.files import as_path, write_text
from inksight._shared.untrusted import parse_json
from inksight._shared.validation import check, is_between, is_count, known_fields
from inksight.config import Recipe, get_network, get_recipe
from inksight.config.recipe import flatten
from inksight.errors import InputError
from inksight.nn.history import History

FORMAT = "inksight trial 1"


@dataclass(frozen=True, slots=True)
class Trial:
    """The settings and the seed of one training.

    Parameters
    ----------
    network : str
        A name or a short description; see `inksight.config.get_network`.
    recipe : Recipe
    seed : int
        Seed of starting weights, order and augmentation, 0 to 2147483647.

    Raises
    ------
    InputError
        If a value is unknown or out of range.

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
        """All settings by name, without the seed; those of the augmentation as ``augmentation.shift``."""
        return {"network": self.network, **dict(flatten(self.recipe.to_dict()))}

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits; equal for equivalent trials, on any machine."""
        # A rate of 1 equals one of 1.0, and a network can have several descriptions.
        numbers = {name: float(x) if isinstance(x, (int, float)) else x for name, x in self.settings.items()}
        content = [numbers | {"network": get_network(self.network).to_dict()}, self.seed]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Build a trial from JSON values; raise `InputError` for a missing, unknown or invalid value."""
        values = known_fields(cls, values)
        return cls(**values | {"recipe": Recipe.from_dict(values["recipe"])})


def grid(
    networks: Sequence[str], recipe: Recipe | str, changes: Mapping[str, Sequence[object]], seeds: Sequence[int] = (0,)
) -> list[Trial]:
    """Return a trial for every combination of network, changes to the recipe, and seed.

    Parameters
    ----------
    networks : sequence of str
        Names or short descriptions; see `inksight.config.get_network`.
    recipe : Recipe or str
        The recipe to change, or its name.
    changes : mapping of str to sequence
        Values to try, by the name of a field of the recipe, or of its augmentation as ``augmentation.rotation``.
    seeds : sequence of int

    Raises
    ------
    InputError
        If a name is unknown, a value is out of range or has another type, or a sequence is empty.

    Examples
    --------
    >>> changes = {"learning_rate": [0.01, 0.02], "augmentation.shift": [0, 2]}
    >>> trials = grid(["post"], Recipe(epochs=5), changes, seeds=[0, 1, 2])
    >>> len(trials), trials[-1].recipe.learning_rate, trials[-1].recipe.augmentation.shift
    (12, 0.02, 2)
    """
    check(not isinstance(networks, str), "networks", networks, "a list of names or descriptions")
    values = get_recipe(recipe).to_dict()
    allowed = dict(flatten(values))
    for name in changes:
        check(name in allowed, "setting", name, "one of " + ", ".join(allowed))
    for name, choices in {"network": networks, **changes, "seed": seeds}.items():
        check(len(choices) > 0, f"number of values of {name}", len(choices), "1 or more")
    recipes = []
    for combination in product(*changes.values()):
        changed = {name: dict(x) if isinstance(x, dict) else x for name, x in values.items()}
        for name, value in zip(changes, combination, strict=True):
            *outer, inner = name.split(".")
            (changed[outer[0]] if outer else changed)[inner] = value
        recipes.append(Recipe.from_dict(changed))
    return [Trial(*settings) for settings in product(networks, recipes, seeds)]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a trial.

    Parameters
    ----------
    trial : Trial
    data : str
        Digest of the training and validation images and labels.
    history : History
        One row per epoch; empty if the trial failed.
    seconds, images_per_second : float
        See `inksight.training.fitting.TrainingResult`.
    weights : str
        Digest of the trained weights.
    engine : str
        Engine of the training; see `inksight.engine.choice.training_engine`.
    failed : str
        Why the trial failed, such as an infinite loss; empty if it did not.
    version : str
        Version of inksight.

    Raises
    ------
    InputError
        If a value has the wrong type or is out of range.
    """

    trial: Trial
    data: str
    history: History = field(default_factory=History)
    seconds: float = 0.0
    images_per_second: float = 0.0
    weights: str = ""
    engine: str = ""
    failed: str = ""
    version: str = __version__

    def __post_init__(self) -> None:
        for name in ("data", "weights", "engine", "failed", "version"):
            check(isinstance(getattr(self, name), str), name, getattr(self, name), "a string")
        for name in ("seconds", "images_per_second"):
            check(is_between(getattr(self, name), 0, 1e300), name, getattr(self, name), "0 or more")
        if not self.failed:
            epochs = self.trial.recipe.epochs
            check(len(self.history) == epochs, "rows of the history", len(self.history), f"{epochs}, one per epoch")
            check(is_between(self.val_accuracy, 0, 1), "validation accuracy", self.val_accuracy, "0 to 1")

    @property
    def val_accuracy(self) -> float:
        """Validation accuracy of the last epoch, 0..1; NaN if the trial failed. That of the best epoch is biased."""
        return self.history.rows[-1].val_accuracy if self.history.rows else math.nan

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result as JSON: to a temporary file first, which is then renamed."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {"trial": self.trial.to_dict(), "history": self.history.to_list()}
        write_text(path, json.dumps({"format": FORMAT, "id": self.trial.id, **values}, indent=1) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that `save` wrote; raise `InputError` if it is missing, damaged or something else."""
        try:
            values = parse_json(as_path(path).read_bytes())
            check(isinstance(values, dict), "content", type(values).__name__, "an object with named values")
            file_format, saved_id = values.pop("format", None), values.pop("id", None)
            check(file_format == FORMAT, "format", file_format, repr(FORMAT))
            values = known_fields(cls, values)
            trial, history = Trial.from_dict(values.pop("trial")), History.from_list(values.pop("history", []))
            check(saved_id == trial.id, "id", saved_id, f"{trial.id}, that of the trial")
            return cls(trial, history=history, **values)
        except (OSError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{str(path)!r} is not the result of a trial, or damaged: {reason[:200]}") from error
