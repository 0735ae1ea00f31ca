"""`Card`: what one ought to know of a model before relying on it, with how good it was measured to be."""

import json
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any, Self

import numpy as np

from inksight._shared.validation import check, known_fields
from inksight.config import DIGITS
from inksight.inspection.evaluation import Evaluation
from inksight.nn.model import Model
from inksight.nn.model_file import SHIPPED, load_model
from inksight.nn.parameters import parameter_count

HARDEST = 10  # images that a card lists
CONFUSIONS = 5  # pairs of classes that a card lists

# Of digits alone; what other classes are for, and where they fail, only their makers know.
INTENDED = """\
Reading single handwritten digits, prepared as MNIST's are (`inksight read` does that): 28 by 28 pixels, ink high on a
background of 0, the digit in a box of 20 by 20 with its centre of mass in the middle. For teaching, for experiments,
and as a part of a product that tests it on digits of its own first. Not for deciding by itself over people, money or
health."""

FAILURES = """\
It knows ten digits and nothing else. `inksight read` refuses what lies far from all of them, most scribbles but only
some of the letters; a letter that is written like a digit is read as one, and `predict` has a digit for everything.
Digits that are not prepared as said below (too large, off the middle, the paper brighter than the ink) are read badly.
MNIST's writers were high school students and employees of a census bureau in the United States: a 1 with a long
upstroke, a crossed 7 or other habits of other places are rare in it. The model `best` has practised some of them, drawn
on MNIST's digits."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How good a recipe is, measured on many models: what a single model's accuracy cannot say.

    Parameters
    ----------
    seeds : int
        Models trained, each with its own starting weights, order and augmentation; none was picked.
    mean, sd : float
        Of their test accuracies, 0..1.
    interval : (float, float)
        95 % confidence interval of the mean over seeds (Student's t), 0..1.
    without_rejected : float
        The mean accuracy without the test images whose label most reviewers rejected, 0..1.
    calibration_error : float
        Mean expected calibration error, 0..1.
    seconds : float
        Median time of one training.
    machine : str
        On which that was measured.
    """

    seeds: int
    mean: float
    sd: float
    interval: tuple[float, float]
    without_rejected: float
    calibration_error: float
    seconds: float
    machine: str

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Read what `dataclasses.asdict` made of one, from JSON."""
        known = known_fields(cls, values)
        return cls(**known | {"interval": tuple(known["interval"])})


@dataclass(frozen=True, eq=False)
class Card:
    """A model card (Mitchell and others, "Model cards for model reporting", FAT* 2019).

    Parameters
    ----------
    name : str
        Of the model: shipped, or a file's.
    model : Model
    evaluation : dict
        What `inksight.Evaluation.to_dict` said of it.
    images : str
        Which images it was evaluated on.
    protocol : Protocol or None
        Of the recipe, for the models that ship.

    Examples
    --------
    >>> import inksight
    >>> print(str(inksight.card("small"))[:17])
    # Model card: sma
    """

    name: str
    model: Model
    evaluation: dict[str, Any]
    images: str
    protocol: Protocol | None = None

    def __repr__(self) -> str:
        return f"Card({self.name!r}, {self.evaluation['accuracy']:.2%} of {self.evaluation['n']:,} images right)"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        network, recipe = self.model.network, self.model.recipe
        return {
            "name": self.name,
            "network": network.to_dict(),
            "parameters": parameter_count(network),
            "recipe": recipe and recipe.to_dict(),
            "epochs": len(self.model.history),
            "trained_on": self.model.trained_on,
            "lessons": [lesson.to_dict() for lesson in self.model.lessons],
            "temperature": self.model.temperature,
            "weights": self.model.digest,
            "images": self.images,
            "evaluation": self.evaluation,
            "protocol": self.protocol and asdict(self.protocol),
        }

    def __str__(self) -> str:
        """Return the card as Markdown."""
        digits = self.model.class_names == DIGITS
        return "\n".join(
            [
                f"# Model card: {self.name}", "", *self._model(), "",
                "## How good it is", "", *self._accuracy(), "",
                "## Known failures", "", *([FAILURES, ""] if digits else []), *self._failures(),
                *(["", "## Intended use", "", INTENDED] if digits else []),
            ]
        )  # fmt: skip

    def _model(self) -> list[str]:
        model, network, recipe = self.model, self.model.network, self.model.recipe
        rows = [
            f"- Network: `{network.spec}`, {parameter_count(network):,} parameters, leak {network.leak:g}, "
            f"L2 {network.l2:g}.",
            f"- Training: {len(model.history)} epochs; images and labels `{model.trained_on[:16] or 'unknown'}`.",
            f"- Temperature, by which its output was divided: {model.temperature:.3f}.",
            f"- Weights: `{model.digest[:16]}`, made by inksight {model.version}.",
        ]
        rows[2:2] = [f"- Taught since: {lesson}." for lesson in model.lessons]
        if recipe:
            a = recipe.augmentation
            rows.insert(
                2,
                f"- Recipe: batches of {recipe.batch_size}, learning rate {recipe.learning_rate:g}, Muon {recipe.muon_scale:g}, "
                f"labels smoothed by {recipe.label_smoothing:g}; images turned by up to {a.rotation:g} degrees, "
                f"moved by {a.shift:g} pixels, scaled by {a.scale:.0%}, sheared by {a.shear:g}, "
                f"stretched by {a.elastic:g} pixels, {recipe.taper:.0%} of all that gone at the end.",
            )
        return rows

    def _accuracy(self) -> list[str]:
        found, protocol = self.evaluation, self.protocol
        low, high = found["interval"]
        rows = [
            f"{self.images}: **{found['accuracy']:.2%}** of {found['n']:,} images right (95 % interval {low:.2%} to "
            f"{high:.2%}), calibration error {found['calibration_error']:.2%}, log loss {found['log_loss']:.4f}."
        ]
        if protocol:
            low, high = protocol.interval
            rows += [
                "",
                f"Its recipe, {protocol.seeds} models of as many seeds, none picked: mean **{protocol.mean:.2%}**, "
                f"standard deviation {protocol.sd:.2%} (95 % interval of the mean {low:.2%} to {high:.2%}); "
                f"{protocol.without_rejected:.2%} without the 15 images whose label most reviewers rejected; "
                f"calibration error {protocol.calibration_error:.2%}; "
                f"{protocol.seconds:.0f} s of training ({protocol.machine}).",
            ]
        heads = ["class", "images", "wrong", "precision", "recall"]
        rows += ["", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        counts = np.array(found["confusion"])
        for i, name in enumerate(found["class_names"]):
            shares = [f"{x:.2%}" if x is not None else "-" for x in (found["precision"][i], found["recall"][i])]
            total = int(counts[i].sum())
            rows.append(f"| {name} | {total:,} | {total - int(counts[i, i])} | {shares[0]} | {shares[1]} |")
        return rows

    def _failures(self) -> list[str]:
        found, names = self.evaluation, self.evaluation["class_names"]
        errors = np.array(found["confusion"])
        np.fill_diagonal(errors, 0)
        order = np.argsort(-errors, axis=None, kind="stable")[:CONFUSIONS]
        pairs = [(names[i // len(names)], names[i % len(names)], int(errors.flat[i])) for i in order if errors.flat[i]]
        taken = ", ".join(f"{a} for {b} ({n})" for a, b, n in pairs) or "none"
        rows = [f"- Most often taken for another: {taken}."]
        hardest = [f"{x['id']} ({x['label']}, read as {x['predicted']})" for x in found["hardest"][:HARDEST]]
        rows.append(f"- Hardest of these images, by row from 0: {', '.join(hardest) or 'none'}.")
        return rows


def describe(name: str, model: Model, evaluation: Evaluation, images: str, protocol: Protocol | None = None) -> Card:
    """Return the card of a model that has just been evaluated on the images named."""
    found = evaluation.to_dict()
    return Card(name, model, found | {"hardest": found["hardest"][:HARDEST]}, images, protocol)


def card(name: str) -> Card:
    """Return the card of a shipped model, with what was measured when it was made.

    Raises
    ------
    InputError
        If no model of that name ships.

    Examples
    --------
    >>> card("best").model.network.classes
    10
    """
    check(name in SHIPPED, "model", name, "one of " + ", ".join(SHIPPED))
    model = load_model(name)  # says so if the package was installed without its models
    values = json.loads((resources.files("inksight") / "assets" / f"{name}.json").read_text("utf-8"))
    return Card(name, model, values["evaluation"], values["images"], Protocol.from_dict(values["protocol"]))
