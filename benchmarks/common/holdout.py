"""The hold-out model: trained without the validation images, so that benchmarks can read those; cached on disk."""

import hashlib
import os
from pathlib import Path

import inksight
from inksight.config import get_network, get_recipe
from inksight.data.splits import Splits
from inksight.engine import library
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.training.fitting import train

NETWORK, RECIPE, SEED = "best", "best", 0


def reading_model(name: str | None, splits: Splits) -> tuple[Model, str]:
    """Return the model to read with, and its description.

    Parameters
    ----------
    name : str, optional
        A model that ships, or a model file. Without it, the hold-out model.
    splits : Splits
        For training the hold-out model.
    """
    if name:
        return load_model(name), name
    return holdout_model(splits), f"network {NETWORK}, recipe {RECIPE}, {len(splits.train):,} images, seed {SEED}"


def holdout_model(
    splits: Splits, network: str = NETWORK, recipe: str = RECIPE, *, epochs: int | None = None, progress: bool = True
) -> Model:
    """Train a network on the training images, or load it if this was done before.

    The network `best` takes about two minutes on two cores. Test images are never used; validation images set the
    temperature and the threshold of the out-of-distribution detector.

    Parameters
    ----------
    splits : Splits
    network, recipe : str
        As for `inksight.train`.
    epochs : int, optional
        In place of the recipe's.
    progress : bool
        Show the progress of the training.
    """
    path = cache_folder() / f"{_key(splits, network, recipe, epochs)}.safetensors"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        without_test = Splits(splits.train, splits.validation, None)
        train(without_test, network, recipe, seed=SEED, epochs=epochs, progress=progress).save(path)
    return Model.load(path)


def cache_folder() -> Path:
    """Return the folder of cached models, in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inksight-benchmarks"


def _key(splits: Splits, network: str, recipe: str, epochs: int | None) -> str:
    """Return a digest of everything that the trained weights depend on, the source code included."""
    validation = splits.validation.digest if splits.validation else ""
    settings = get_network(network).to_dict(), get_recipe(recipe).to_dict(), epochs, SEED
    sha = hashlib.sha256(repr((splits.train.digest, validation, settings, library.engine())).encode())
    root = Path(inksight.__file__).parent
    native = library.library_path()
    for path in [*sorted(root.rglob("*.py")), *([native] if native else [])]:
        sha.update(path.read_bytes())
    return sha.hexdigest()[:32]
