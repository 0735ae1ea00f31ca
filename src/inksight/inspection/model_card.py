"""`Card`: what a user should know about a model before relying on it, with its measured accuracy."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Self

import numpy as np

from inksight._shared.markdown import code_span, escape_markdown
from inksight._shared.validation import known_fields
from inksight.config import DIGITS
from inksight.data.dataset import Dataset
from inksight.data.loading import as_dataset
from inksight.errors import InksightError
from inksight.inspection.evaluation import SEEN_IN_TRAINING, Evaluation, evaluate, seen_in_training
from inksight.nn.ensemble_file import Classifier, ClassifierLike, as_classifier
from inksight.nn.model import Model
from inksight.nn.model_file import SHIPPED, load_model
from inksight.nn.parameters import parameter_count
from inksight.nn.rejection_output import RejectionOutput

HARDEST = 10  # images on a card
CONFUSIONS = 5  # pairs of classes on a card

# For digit models only: uses and failures of models with other classes are unknown here.
INTENDED = """\
Reading single handwritten digits that are preprocessed like MNIST (`inksight read` does that): 28 by 28 pixels, high
values for ink on a background of 0, the digit scaled into a box of 20 by 20 pixels, its center of mass in the middle.
For teaching, for experiments, and as a part of a product that is first tested on its own digits. Not for automatic
decisions about people, money or health."""

FAILURES = """\
It knows the ten digits and nothing else. `inksight read` rejects images that are far from all digits. That is most
scribbles, but only some letters: a letter that looks like a digit is read as one. `predict` returns a digit for every
image. Accuracy is low on digits that are not preprocessed as described below: too large, off center, or with paper
brighter than ink. MNIST's writers were high school students and employees of a census bureau in the United States.
Writing habits of other places are rare in it, such as a 1 with a long upstroke or a crossed 7. The model `best` was
also trained on some of them, drawn onto MNIST's digits."""

# In place of FAILURES, for models with an output that rejects what is not a digit:
READER_FAILURES = """\
It was trained on MNIST's training digits, on digits printed in over a thousand fonts, and on what is not a digit:
letters, signs, several digits, parts of digits, scribbles, textures and pieces of frames. All but MNIST's digits are
drawn pictures: no photo and no other scan is among them. `inksight read` rejects what the network finds to be no digit.
A letter that is written like a digit, such as O, I and l, is read as one. `predict` returns a digit for every image.
Accuracy is low on digits that are not preprocessed as described below: too large, off center, or with paper brighter
than ink."""


SHIPPED_LICENSE = "MIT, like the package; trained on MNIST, which is under CC BY-SA 3.0"
OWN_LICENSE = "the weights are yours; check the terms of the data they were trained on"


@dataclass(frozen=True, slots=True)
class Protocol:
    """The accuracy of a recipe over many models, which the accuracy of a single model does not show.

    Parameters
    ----------
    seeds : int
        Number of models trained, none of them selected. Each has its own initial weights, order of images and
        augmentation.
    mean, sd : float
        Mean and standard deviation of the test accuracies, 0..1.
    interval : (float, float)
        95 % confidence interval of the mean over seeds (Student's t), 0..1.
    without_rejected : float
        Mean accuracy without the test images whose labels most reviewers rejected, 0..1.
    calibration_error : float
        Mean expected calibration error, 0..1.
    seconds : float
        Median training time.
    machine : str
        The machine on which this was measured.
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
        """Return the protocol in a JSON object, the inverse of `dataclasses.asdict`."""
        known = known_fields(cls, values)
        return cls(**known | {"interval": tuple(known["interval"])})


@dataclass(frozen=True, eq=False)
class Card:
    """A model card (Mitchell and others, "Model cards for model reporting", FAT* 2019).

    Parameters
    ----------
    name : str
        Name of a shipped model or of a model file.
    model : Model or Ensemble
    evaluation : dict
        From `inksight.Evaluation.to_dict`.
    images : str
        Which images the model was evaluated on.
    protocol : Protocol or None
        Accuracy of the recipe, for shipped models.
    seen_in_training : bool
        Whether the model was trained on these images or some of them.

    Examples
    --------
    >>> import inksight
    >>> print(str(inksight.card("small"))[:17])
    # Model card: sma
    """

    name: str
    model: Classifier
    evaluation: dict[str, Any]
    images: str
    protocol: Protocol | None = None
    seen_in_training: bool = False

    def __repr__(self) -> str:
        return f"Card({self.name!r}, {self.evaluation['accuracy']:.2%} of {self.evaluation['n']:,} images right)"

    @property
    def license(self) -> str:
        """The license of the weights."""
        return SHIPPED_LICENSE if self.protocol or _ships(self.model) else OWN_LICENSE

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        model = self.model
        facts = _facts(model) if isinstance(model, Model) else {
            "models": [_facts(member) for member in model.models],
            "temperature": model.temperature,
            "weights": model.digest,
        }  # fmt: skip
        return {
            "name": self.name,
            **facts,
            "license": self.license,
            "images": self.images,
            "seen_in_training": self.seen_in_training,
            "evaluation": self.evaluation,
            "protocol": self.protocol and asdict(self.protocol),
        }

    def __str__(self) -> str:
        """Return the card as Markdown."""
        digits = self.model.class_names == DIGITS
        failures = READER_FAILURES if _rejects(self.model) else FAILURES
        return "\n".join(
            [
                f"# Model card: {escape_markdown(self.name)}", "", *self._model(), "",
                "## Accuracy", "", *self._accuracy(), "",
                "## Known failures", "", *([failures, ""] if digits else []), *self._failures(),
                *(["", "## Intended use", "", INTENDED] if digits else []),
            ]
        )  # fmt: skip

    def _model(self) -> list[str]:
        model = self.model
        if isinstance(model, Model):
            return [*_rows(model), f"- License of the weights: {self.license}."]
        count = sum(parameter_count(member.network) for member in model.models)
        return [
            f"- Ensemble of {len(model.models)} models with {count:,} parameters in total; their probabilities are "
            "averaged.",
            f"- Temperature, which divides the logarithm of the average: {model.temperature:.3f}.",
            f"- Weights: `{model.digest[:16]}`.",
            f"- License of the weights: {self.license}.",
            *(line for i, x in enumerate(model.models, 1) for line in ("", f"### Model {i}", "", *_rows(x))),
        ]

    def _accuracy(self) -> list[str]:
        evaluation, protocol = self.evaluation, self.protocol
        low, high = evaluation["interval"]
        rows = [
            f"On {escape_markdown(self.images)}: **{evaluation['accuracy']:.2%}** of {evaluation['n']:,} images right "
            f"(95 % interval {low:.2%} to {high:.2%}), calibration error {evaluation['calibration_error']:.2%}, "
            f"log loss {evaluation['log_loss']:.4f}."
        ]
        if self.seen_in_training:
            rows += ["", SEEN_IN_TRAINING]
        if protocol:
            low, high = protocol.interval
            rows += [
                "",
                f"Its recipe, over {protocol.seeds} models with different seeds, none of them selected: mean "
                f"**{protocol.mean:.2%}**, standard deviation {protocol.sd:.2%} (95 % interval of the mean {low:.2%} "
                f"to {high:.2%}); {protocol.without_rejected:.2%} without the 15 images whose labels most reviewers "
                f"rejected; calibration error {protocol.calibration_error:.2%}; "
                f"{protocol.seconds:.0f} s of training ({escape_markdown(protocol.machine)}).",
            ]
        heads = ["class", "images", "wrong", "precision", "recall"]
        rows += ["", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        counts = np.array(evaluation["confusion"])
        for i, name in enumerate(map(escape_markdown, evaluation["class_names"])):
            values = (evaluation["precision"][i], evaluation["recall"][i])
            precision, recall = (f"{x:.2%}" if x is not None else "-" for x in values)
            total = int(counts[i].sum())
            rows.append(f"| {name} | {total:,} | {total - int(counts[i, i])} | {precision} | {recall} |")
        return rows

    def _failures(self) -> list[str]:
        evaluation, names = self.evaluation, [escape_markdown(name) for name in self.evaluation["class_names"]]
        errors = np.array(evaluation["confusion"])
        np.fill_diagonal(errors, 0)
        order = np.argsort(-errors, axis=None, kind="stable")[:CONFUSIONS]
        pairs = [(names[i // len(names)], names[i % len(names)], int(errors.flat[i])) for i in order if errors.flat[i]]
        confusions = ", ".join(f"{a} read as {b} ({n})" for a, b, n in pairs) or "none"
        hardest = [
            f"{x['id']} ({escape_markdown(x['label'])}, read as {escape_markdown(x['predicted'])})"
            for x in evaluation["hardest"][:HARDEST]
        ]
        return [
            f"- Most frequent confusions: {confusions}.",
            f"- Hardest of these images, by row from 0: {', '.join(hardest) or 'none'}.",
        ]


def _facts(model: Model) -> dict[str, Any]:
    """Return what a card says of one model, as plain JSON values."""
    return {
        "network": model.network.to_dict(),
        "parameters": parameter_count(model.network),
        "recipe": model.recipe and model.recipe.to_dict(),
        "augmentation_function": model.augmentation_function,
        "epochs": len(model.history),
        "trained_on": model.trained_on,
        "fine_tunings": [record.to_dict() for record in model.fine_tunings],
        "temperature": model.temperature,
        "weights": model.digest,
    }


def _rows(model: Model) -> list[str]:
    """Return what a card says of one model, as Markdown."""
    network, recipe = model.network, model.recipe
    rows = [
        f"- Network: `{network.spec}`, {parameter_count(network):,} parameters, leak {network.leak:g}, "
        f"L2 {network.l2:g}.",
        f"- Training: {len(model.history)} epochs; digest of the images "
        f"{code_span(model.trained_on[:16] or 'unknown')}.",
    ]
    if recipe:
        a = recipe.augmentation
        rows.append(
            f"- Recipe: batch size {recipe.batch_size}, learning rate {recipe.learning_rate:g}, Muon "
            f"{recipe.muon_scale:g}, label smoothing {recipe.label_smoothing:g}; images rotated by up to "
            f"{a.rotation:g} degrees, shifted by {a.shift:g} pixels, scaled by {a.scale:.0%}, sheared by "
            f"{a.shear:g}, elastically distorted by {a.elastic:g} pixels, aspect ratio changed by up to "
            f"{np.expm1(a.aspect):.0%}, all reduced by {recipe.taper:.0%} by the end; "
            f"{a.pen_style:.0%} of the images redrawn in another pen style."
        )
    if model.augmentation_function:
        name = escape_markdown(model.augmentation_function)
        rows.append(f"- Images changed before each epoch by a function of the user, {name}, which is not stored.")
    rows += [f"- Fine-tuned later on {escape_markdown(str(record))}." for record in model.fine_tunings]
    rows.append(f"- Temperature, which divides the logits: {model.temperature:.3f}.")
    rows.append(f"- Weights: `{model.digest[:16]}`, made by inksight {escape_markdown(model.version)}.")
    return rows


def _rejects(model: Classifier) -> bool:
    """Return whether a model has an output for what is not a digit; or all models of an ensemble have."""
    if not isinstance(model, Model):
        return all(map(_rejects, model.models))
    return isinstance(model.ood_detector, RejectionOutput)


def _ships(model: Classifier) -> bool:
    """Return whether the weights are those of a model that ships, whatever its file is called; or some of them are."""
    if not isinstance(model, Model):
        return any(map(_ships, model.models))
    for name in SHIPPED:
        with suppress(InksightError):  # the package may be installed without its models
            if load_model(name).digest == model.digest:
                return True
    return False


def describe(
    name: str, model: Classifier, evaluation: Evaluation, images: str, protocol: Protocol | None = None,
    seen_in_training: bool = False,
) -> Card:  # fmt: skip
    """Return the card of a model from an evaluation on the images that `images` names."""
    values = evaluation.to_dict()
    return Card(name, model, values | {"hardest": values["hardest"][:HARDEST]}, images, protocol, seen_in_training)


def card(
    model: ClassifierLike,
    data: Dataset | str | os.PathLike[str] | None = None,
    part: str | None = None,
    *,
    name: str | None = None,
) -> Card:
    """Return the card of a model, which is evaluated for it.

    Parameters
    ----------
    model : Model, Ensemble, str or path-like
        A model or an ensemble, a shipped model by its name, or the path of a file of either.
    data : Dataset, str or path-like, optional
        Evaluate on these labeled images, or on those that `inksight.load` reads. By default MNIST; the card of a
        shipped model then has the measurements that ship with it.
    part : str, optional
        The part of the images, see `Dataset.part`.
    name : str, optional
        Name on the card; by default that of the shipped model or of the file, or ``model`` or ``ensemble``.

    Raises
    ------
    InputError
        If there is no such model, data or part, or the data does not fit the model.

    Examples
    --------
    >>> card("best").evaluation["n"]
    10000
    >>> import inksight
    >>> card("small", inksight.load("mnist")[:100])
    Card('small', 99.00% of 100 images right)
    """
    loaded = as_classifier(model)
    title = name or (Path(model).stem if isinstance(model, (str, os.PathLike)) else type(model).__name__.lower())
    if isinstance(model, str) and model in SHIPPED and data is None and part is None:
        values = json.loads((resources.files("inksight") / "assets" / f"{model}.json").read_text("utf-8"))
        protocol = values["protocol"] and Protocol.from_dict(values["protocol"])
        return Card(title, loaded, values["evaluation"], values["images"], protocol)
    digits = as_dataset("mnist" if data is None else data, "all")
    part = part or digits.default_part
    images = f"{digits.name}, {'all images' if part == 'all' else f'the {part} images'}"
    evaluation = evaluate(loaded, digits.part(part))
    seen = seen_in_training(loaded, digits, part)
    return describe(title, loaded, evaluation, images, seen_in_training=seen)
