"""`Recipe`: how to train a network, and its `Augmentation`."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from inksight._shared.validation import check, is_between, is_count, known_fields
from inksight.config.network import IMAGE_SIZE


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a training image may be moved; each amount but the last is drawn uniformly from minus to plus this.

    Parameters
    ----------
    rotation : float
        Degrees.
    shift : float
        Pixels, across and down.
    scale : float
        Share by which the digit grows or shrinks, the same in both directions.
    shear : float
        Slant, in pixels across for a pixel down.
    elastic : float
        Pixels by which each of 5x5 places moves by itself, down and across, the paper between them stretching along.
    aspect : float
        Logarithm of the ratio of width to height, which grows or shrinks by it.
    pen_style : float
        Share of the images that are drawn again, with other pen_style and by other hands: see `inksight.augmentation.pen_style`.
    """

    rotation: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    aspect: float = 0.0
    pen_style: float = 0.0

    def __post_init__(self) -> None:
        check(is_between(self.rotation, 0, 180), "rotation", self.rotation, "0 to 180 degrees")
        check(is_between(self.shift, 0, IMAGE_SIZE), "shift", self.shift, f"0 to {IMAGE_SIZE} pixels")
        check(is_between(self.scale, 0, 0.9), "scale", self.scale, "0 to 0.9")
        check(is_between(self.shear, 0, 2), "shear", self.shear, "0 to 2")
        check(is_between(self.elastic, 0, IMAGE_SIZE), "elastic", self.elastic, f"0 to {IMAGE_SIZE} pixels")
        check(is_between(self.aspect, 0, 2), "aspect", self.aspect, "0 to 2")
        check(is_between(self.pen_style, 0, 1), "pen_style", self.pen_style, "0 to 1")

    def scaled(self, share: float) -> "Augmentation":
        """Return the augmentation with every amount times `share`, 0 to 1; as many images are drawn again as before.

        Examples
        --------
        >>> Augmentation(rotation=10, shift=2).scaled(0.5).rotation
        5.0
        """
        moves = {name: amount * share for name, amount in asdict(self).items()}
        return Augmentation(**moves | {"pen_style": self.pen_style})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train: the optimiser, its learning rate over time, the batch and the augmentation.

    Parameters
    ----------
    epochs : int
        Rows of the history; the validation images are read after each.
    passes : int
        Passes over the training images in one epoch, each in a fresh random order.
    batch_size : int
        Images a step.
    learning_rate : float
        Learning rate, or its highest value.
    schedule : {"triangle", "constant"}
        ``triangle`` climbs from 0 to `learning_rate` over the first `warmup` share of the steps and falls to 0 at the end.
    warmup : float
        Share of the steps, 0 to 1; only for ``triangle``.
    beta1, beta2, epsilon : float
        Adam's; `epsilon` stands where Keras has it, beside the uncorrected second moment.
    label_smoothing : float
        Share of each label, 0 to 1, that is spread evenly over all classes (label smoothing: Szegedy and others,
        "Rethinking the Inception architecture for computer vision", CVPR 2016).
    muon_scale : float
        Where above 0, kernels are moved by Muon instead (`inksight.training.optimizer`), with `learning_rate` times this.
    momentum : float
        Muon's.
    augmentation : Augmentation
        At the start of the training.
    taper : float
        Share of the augmentation that goes away in the course of the training, 0 to 1. It goes evenly, pass by pass:
        with 1, the first of n passes has all of it, the next 1/n less, and the last only 1/n.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    schedule: Literal["triangle", "constant"] = "triangle"
    warmup: float = 0.2
    passes: int = 1
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    label_smoothing: float = 0.0
    muon_scale: float = 0.0
    momentum: float = 0.95
    augmentation: Augmentation = field(default_factory=Augmentation)
    taper: float = 0.0

    def __post_init__(self) -> None:
        check(is_count(self.epochs) and self.epochs <= 100_000, "epochs", self.epochs, "1 to 100000")
        check(is_count(self.passes) and self.passes <= 1000, "passes", self.passes, "1 to 1000")
        check(is_count(self.batch_size) and self.batch_size <= 65_536, "batch_size", self.batch_size, "1 to 65536")
        check(is_between(self.learning_rate, 1e-12, 1e6), "learning_rate", self.learning_rate, "above 0")
        check(self.schedule in ("triangle", "constant"), "schedule", self.schedule, "triangle or constant")
        check(is_between(self.warmup, 0, 1), "warmup", self.warmup, "0 to 1")
        check(is_between(self.beta1, 0, 0.9999), "beta1", self.beta1, "0 to 0.9999")
        check(is_between(self.beta2, 0, 0.999999), "beta2", self.beta2, "0 to 0.999999")
        check(is_between(self.epsilon, 1e-12, 1), "epsilon", self.epsilon, "1e-12 to 1")
        check(is_between(self.label_smoothing, 0, 1), "label_smoothing", self.label_smoothing, "0 to 1")
        check(is_between(self.muon_scale, 0, 1e6), "muon_scale", self.muon_scale, "0 or more")
        check(is_between(self.momentum, 0, 0.9999), "momentum", self.momentum, "0 to 0.9999")
        check(is_between(self.taper, 0, 1), "taper", self.taper, "0 to 1")
        check(isinstance(self.augmentation, Augmentation), "augmentation", self.augmentation, "an Augmentation")

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate when `progress` (0 to 1) of the steps are done."""
        if self.schedule == "constant":
            return self.learning_rate
        if progress < self.warmup:
            return self.learning_rate * progress / self.warmup
        return self.learning_rate * (1 - progress) / max(1 - self.warmup, 1e-9)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as `from_dict` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Build a recipe from JSON values; anything missing, unknown or out of range is an `InputError`."""
        values = known_fields(cls, values)
        augmentation = Augmentation(**known_fields(Augmentation, values.pop("augmentation", {})))
        check("epochs" in values, "epochs", None, "given")
        return cls(augmentation=augmentation, **values)
