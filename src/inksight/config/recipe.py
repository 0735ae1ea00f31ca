"""`Recipe`: how to train a network, and its `Augmentation`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from inksight._shared.validation import check, is_between, is_count, known_fields
from inksight.config.network import IMAGE_SIZE


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Random transformations of the training images.

    All fields but `pen_style` are maximum amounts: for each image, the amount is drawn uniformly from minus to plus the
    field.

    Parameters
    ----------
    rotation : float
        Rotation, in degrees.
    shift : float
        Translation, horizontal and vertical, in pixels.
    scale : float
        Scaling: the image is enlarged by a factor of 1 plus the amount.
    shear : float
        Horizontal shear, in pixels per pixel of height.
    elastic : float
        Elastic deformation: the displacement, horizontal and vertical, of each of 5x5 control points, in pixels. The
        displacement is interpolated linearly between them.
    aspect : float
        Change of the aspect ratio: the natural logarithm of the factor of width / height. The area is kept.
    pen_style : float
        Pen-style augmentation: the share, 0 to 1, of images that are redrawn with another pen and in another
        handwriting; see `inksight.augmentation.pen_style`.

    Raises
    ------
    InputError
        If a value is out of range.
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

    def scaled(self, factor: float) -> "Augmentation":
        """Return the augmentation with all fields but `pen_style` multiplied by `factor`, 0 to 1.

        Examples
        --------
        >>> Augmentation(rotation=10, shift=2).scaled(0.5).rotation
        5.0
        """
        amounts = {name: amount * factor for name, amount in asdict(self).items()}
        return Augmentation(**amounts | {"pen_style": self.pen_style})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train: optimizer, learning-rate schedule, batch size, label smoothing and augmentation.

    Parameters
    ----------
    epochs : int
        Number of epochs. The history has one row per epoch, and the validation set is evaluated after each.
    passes : int
        Passes over the training set per epoch, each in a new random order.
    batch_size : int
        Images per optimizer step.
    learning_rate : float
        Learning rate if the schedule is ``constant``, otherwise its maximum.
    schedule : {"triangle", "constant"}
        ``triangle``: linear warm-up from 0 to `learning_rate`, then linear decay to 0 at the last step.
    warmup : float
        Share of the steps, 0 to 1, that are the warm-up of ``triangle``.
    beta1, beta2, epsilon : float
        Parameters of Adam. As in Keras, `epsilon` is added to the root of the second moment before bias correction.
    label_smoothing : float
        Share of each label, 0 to 1, that is distributed evenly over all classes (Szegedy and others, "Rethinking the
        Inception architecture for computer vision", CVPR 2016).
    muon_scale : float
        If above 0, Muon instead of Adam trains the kernels of all layers but the output, with a learning rate of
        `muon_scale` times `learning_rate` (Jordan and others, "Muon: an optimizer for hidden layers in neural
        networks", 2024).
    momentum : float
        Momentum of Muon.
    augmentation : Augmentation
        Augmentation at the start of the training.
    taper : float
        Share of the augmentation, 0 to 1, that is removed in equal steps during the training. With 1, the first of n
        passes has the full augmentation, each later one 1/n less, and the last 1/n. `Augmentation.pen_style` stays.

    Raises
    ------
    InputError
        If a value is out of range.
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
        check(is_between(self.learning_rate, 1e-12, 1e6), "learning_rate", self.learning_rate, "1e-12 to 1e6")
        check(self.schedule in ("triangle", "constant"), "schedule", self.schedule, "triangle or constant")
        check(is_between(self.warmup, 0, 1), "warmup", self.warmup, "0 to 1")
        check(is_between(self.beta1, 0, 0.9999), "beta1", self.beta1, "0 to 0.9999")
        check(is_between(self.beta2, 0, 0.999999), "beta2", self.beta2, "0 to 0.999999")
        check(is_between(self.epsilon, 1e-12, 1), "epsilon", self.epsilon, "1e-12 to 1")
        check(is_between(self.label_smoothing, 0, 1), "label_smoothing", self.label_smoothing, "0 to 1")
        check(is_between(self.muon_scale, 0, 1e6), "muon_scale", self.muon_scale, "0 to 1e6")
        check(is_between(self.momentum, 0, 0.9999), "momentum", self.momentum, "0 to 0.9999")
        check(is_between(self.taper, 0, 1), "taper", self.taper, "0 to 1")
        check(isinstance(self.augmentation, Augmentation), "augmentation", self.augmentation, "an Augmentation")

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate after a share `progress`, 0 to 1, of the steps."""
        if self.schedule == "constant":
            return self.learning_rate
        if progress < self.warmup:
            return self.learning_rate * progress / self.warmup
        return self.learning_rate * (1 - progress) / max(1 - self.warmup, 1e-9)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values that `from_dict` reads."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Create a recipe from JSON values. Raise `InputError` if one is missing, unknown or out of range."""
        values = known_fields(cls, values)
        augmentation = Augmentation(**known_fields(Augmentation, values.pop("augmentation", {})))
        return cls(augmentation=augmentation, **values)


def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of every leaf of nested dicts; the parts of a name are joined by dots.

    Examples
    --------
    >>> dict(flatten({"learning_rate": 0.01, "augmentation": {"shift": 2}}))
    {'learning_rate': 0.01, 'augmentation.shift': 2}
    """
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
