"""What can be chosen: a `Network`'s shape and a `Recipe` to train it, with the named presets."""

import re
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self

from inksight.errors import InputError

SIDE = 28  # pixels: height and width of every image


def check(ok: bool, name: str, got: object, allowed: str) -> None:
    """Raise `InputError` naming the value got and what is allowed, unless `ok`."""
    if not ok:
        raise InputError(f"{name} must be {allowed}, got {got!r}")


def is_count(value: object, least: int = 1) -> bool:
    """Whether `value` is a whole number (not a bool) of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_between(value: object, low: float, high: float) -> bool:
    """Whether `value` is a number with ``low <= value <= high`` (so never NaN)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank of convolution filters: valid convolution, bias, optional max-pooling, leaky ReLU.

    Parameters
    ----------
    filters : int
        Number of filters, and so of feature maps.
    kernel : {1, 3, 5, 7}
        Side of each square kernel, in pixels.
    pool : {1, 2}
        Side of the max-pooling window; 1 pools nothing.
    separable : bool
        Whether each filter's kernel for a channel is that channel's own kernel times one weight: far fewer weights,
        the same sums (Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR 2017).
    """

    filters: int
    kernel: int = 3
    pool: int = 1
    separable: bool = False

    def __post_init__(self) -> None:
        check(is_count(self.filters) and self.filters <= 1024, "filters", self.filters, "1 to 1024")
        check(is_count(self.kernel) and self.kernel in (1, 3, 5, 7), "kernel", self.kernel, "1, 3, 5 or 7")
        check(is_count(self.pool) and self.pool in (1, 2), "pool", self.pool, "1 or 2")
        check(isinstance(self.separable, bool), "separable", self.separable, "true or false")


@dataclass(frozen=True, slots=True)
class Network:
    """The shape of a network: banks of filters, global average pooling, an optional dense layer, softmax.

    Parameters
    ----------
    banks : tuple of Bank
        From the image upward; the average of each last feature map is the *barcode*.
    dense : int
        Units of the dense layer between barcode and output; 0 leaves it out.
    classes : int
        Number of classes.
    leak : float
        Slope of the leaky ReLU for negative input.
    l2 : float
        Weight of the sum of squared weights in the loss (Keras' ``l2``; biases are free).

    Raises
    ------
    InputError
        If a value is out of range, or the kernels and pools leave no pixel of the 28x28 image.

    Examples
    --------
    >>> Network((Bank(8, 5, pool=2), Bank(16, 3)), dense=0).sides
    (12, 10)
    """

    banks: tuple[Bank, ...]
    dense: int = 0
    classes: int = 10
    leak: float = 0.1
    l2: float = 0.0

    def __post_init__(self) -> None:
        check(
            isinstance(self.banks, tuple) and all(isinstance(bank, Bank) for bank in self.banks),
            "banks", self.banks, "a tuple of Bank",
        )  # fmt: skip
        check(1 <= len(self.banks) <= 32, "number of banks", len(self.banks), "1 to 32")
        check(is_count(self.dense, 0) and self.dense <= 4096, "dense", self.dense, "0 to 4096")
        check(is_count(self.classes, 2) and self.classes <= 1000, "classes", self.classes, "2 to 1000")
        check(is_between(self.leak, 0, 1), "leak", self.leak, "0 to 1")
        check(is_between(self.l2, 0, 1), "l2", self.l2, "0 to 1")
        check(self.sides[-1] >= 1, "banks", self.banks, f"small enough to leave a pixel of {SIDE}x{SIDE}")

    @property
    def sides(self) -> tuple[int, ...]:
        """Height and width, in pixels, of each bank's feature maps."""
        side, sides = SIDE, []
        for bank in self.banks:
            side = (side - bank.kernel + 1) // bank.pool
            sides.append(side)
            if side < 1:
                break
        return tuple(sides)

    @property
    def spec(self) -> str:
        """Its banks and dense layer as `get_network` takes them, such as ``20x5p,20x5,40x3,d20``."""
        banks = [f"{bank.filters}x{bank.kernel}{'s' * bank.separable}{'p' * (bank.pool > 1)}" for bank in self.banks]
        return ",".join([*banks, f"d{self.dense}"] if self.dense else banks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as `from_dict` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Build a network from JSON values; anything missing, unknown or out of range is an `InputError`."""
        values = known_fields(cls, values)
        banks = values.pop("banks", None)
        check(isinstance(banks, list), "banks", banks, "a list")
        return cls(banks=tuple(Bank(**known_fields(Bank, bank)) for bank in banks), **values)


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
    pens : float
        Share of the images that are drawn again, with other pens and by other hands: see `inksight.augmentation.pen_style`.
    """

    rotation: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    aspect: float = 0.0
    pens: float = 0.0

    def __post_init__(self) -> None:
        check(is_between(self.rotation, 0, 180), "rotation", self.rotation, "0 to 180 degrees")
        check(is_between(self.shift, 0, SIDE), "shift", self.shift, f"0 to {SIDE} pixels")
        check(is_between(self.scale, 0, 0.9), "scale", self.scale, "0 to 0.9")
        check(is_between(self.shear, 0, 2), "shear", self.shear, "0 to 2")
        check(is_between(self.elastic, 0, SIDE), "elastic", self.elastic, f"0 to {SIDE} pixels")
        check(is_between(self.aspect, 0, 2), "aspect", self.aspect, "0 to 2")
        check(is_between(self.pens, 0, 1), "pens", self.pens, "0 to 1")

    def times(self, share: float) -> "Augmentation":
        """Return the augmentation with every amount times `share`, 0 to 1; as many images are drawn again as before.

        Examples
        --------
        >>> Augmentation(rotation=10, shift=2).times(0.5).rotation
        5.0
        """
        moves = {name: amount * share for name, amount in asdict(self).items()}
        return Augmentation(**moves | {"pens": self.pens})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train: the optimiser, its learning rate over time, the batch and the augmentation.

    Parameters
    ----------
    epochs : int
        Rows of the history; the validation images are read after each.
    passes : int
        Passes over the training images in one epoch, each in a fresh random order.
    batch : int
        Images a step.
    rate : float
        Learning rate, or its highest value.
    schedule : {"triangle", "constant"}
        ``triangle`` climbs from 0 to `rate` over the first `warmup` share of the steps and falls to 0 at the end.
    warmup : float
        Share of the steps, 0 to 1; only for ``triangle``.
    beta1, beta2, epsilon : float
        Adam's; `epsilon` stands where Keras has it, beside the uncorrected second moment.
    smoothing : float
        Share of each label, 0 to 1, that is spread evenly over all classes (label smoothing: Szegedy and others,
        "Rethinking the Inception architecture for computer vision", CVPR 2016).
    muon : float
        Where above 0, kernels are moved by Muon instead (`inksight.training.optimizer`), with `rate` times this.
    momentum : float
        Muon's.
    augmentation : Augmentation
        At the start of the training.
    taper : float
        Share of the augmentation that goes away in the course of the training, 0 to 1. It goes evenly, pass by pass:
        with 1, the first of n passes has all of it, the next 1/n less, and the last only 1/n.
    """

    epochs: int
    batch: int = 128
    rate: float = 1e-3
    schedule: Literal["triangle", "constant"] = "triangle"
    warmup: float = 0.2
    passes: int = 1
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    smoothing: float = 0.0
    muon: float = 0.0
    momentum: float = 0.95
    augmentation: Augmentation = field(default_factory=Augmentation)
    taper: float = 0.0

    def __post_init__(self) -> None:
        check(is_count(self.epochs) and self.epochs <= 100_000, "epochs", self.epochs, "1 to 100000")
        check(is_count(self.passes) and self.passes <= 1000, "passes", self.passes, "1 to 1000")
        check(is_count(self.batch) and self.batch <= 65_536, "batch", self.batch, "1 to 65536")
        check(is_between(self.rate, 1e-12, 1e6), "rate", self.rate, "above 0")
        check(self.schedule in ("triangle", "constant"), "schedule", self.schedule, "triangle or constant")
        check(is_between(self.warmup, 0, 1), "warmup", self.warmup, "0 to 1")
        check(is_between(self.beta1, 0, 0.9999), "beta1", self.beta1, "0 to 0.9999")
        check(is_between(self.beta2, 0, 0.999999), "beta2", self.beta2, "0 to 0.999999")
        check(is_between(self.epsilon, 1e-12, 1), "epsilon", self.epsilon, "1e-12 to 1")
        check(is_between(self.smoothing, 0, 1), "smoothing", self.smoothing, "0 to 1")
        check(is_between(self.muon, 0, 1e6), "muon", self.muon, "0 or more")
        check(is_between(self.momentum, 0, 0.9999), "momentum", self.momentum, "0 to 0.9999")
        check(is_between(self.taper, 0, 1), "taper", self.taper, "0 to 1")
        check(isinstance(self.augmentation, Augmentation), "augmentation", self.augmentation, "an Augmentation")

    def rate_at(self, progress: float) -> float:
        """Return the learning rate when `progress` (0 to 1) of the steps are done."""
        if self.schedule == "constant":
            return self.rate
        if progress < self.warmup:
            return self.rate * progress / self.warmup
        return self.rate * (1 - progress) / max(1 - self.warmup, 1e-9)

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


def known_fields(cls: type, values: object) -> dict[str, Any]:
    """Return `values` as a dict of `cls`'s fields; an `InputError` if it is no dict or holds another name."""
    name = cls.__name__.lower()
    if not isinstance(values, dict):
        raise InputError(f"{name} must be an object with named values, got {values!r}")
    allowed = [f.name for f in fields(cls)]
    for key in values:
        check(key in allowed, f"{name} field", key, "one of " + ", ".join(allowed))
    return dict(values)


NETWORKS = {
    "post": Network((Bank(20, 5, pool=2), Bank(20, 5), Bank(40, 3)), dense=20, l2=1e-4),
    "post-prose": Network((Bank(20, 5, pool=2), Bank(40, 5), Bank(60, 3)), dense=20, l2=1e-4),
    "best": Network((Bank(12), Bank(12, pool=2), Bank(16), Bank(20), Bank(28), Bank(32))),
    "medium": Network((Bank(8), Bank(8, pool=2), Bank(10), Bank(14), Bank(16), Bank(20))),
    "small": Network((Bank(8), Bank(8, pool=2), Bank(8), Bank(10), Bank(12), Bank(14))),
    "tiny": Network(
        (Bank(7, pool=2), *(Bank(filters, separable=True) for filters in (10, 10, 11, 12))), leak=0.3
    ),
}  # fmt: skip
"""`post` is the post's code (18,813 parameters); `post-prose` the 20, 40 and 60 filters its prose speaks of.

The others measured best of their size: at most 20,000 parameters (`best`), 8,000, 5,000 and 1,000 (`docs/log.md`).
"""

RECIPES = {
    "seconds": Recipe(
        epochs=2, batch=128, rate=1e-2, beta1=0.8, beta2=0.95, smoothing=0.06, muon=1,
        augmentation=Augmentation(rotation=7, shift=1.3, scale=0.07, shear=0.07), taper=1,
    ),
    "default": Recipe(
        epochs=20, batch=256, rate=1e-2, beta1=0.8, beta2=0.95, muon=0.3,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1, elastic=2), taper=1,
    ),
    "best": Recipe(
        epochs=50, batch=256, rate=1e-2, beta1=0.8, beta2=0.95, smoothing=0.05,
        augmentation=Augmentation(
            rotation=10, shift=2, scale=0.1, shear=0.1, elastic=3, aspect=0.4, pens=0.3
        ), taper=1,
    ),
    "mnist": Recipe(
        epochs=50, batch=256, rate=1e-2, beta1=0.8, beta2=0.95, smoothing=0.05,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1, elastic=3), taper=1,
    ),
    "small": Recipe(
        epochs=50, batch=256, rate=1e-2, beta1=0.8, beta2=0.95,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1, elastic=2), taper=0.7,
    ),
    "tiny": Recipe(
        epochs=100, batch=256, rate=1e-2, beta1=0.8, beta2=0.95,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1), taper=0.7,
    ),
    "post": Recipe(
        epochs=80, passes=3, batch=320, rate=1e-3, schedule="constant", epsilon=1e-4,
        augmentation=Augmentation(rotation=36, shift=2.8),
    ),
}  # fmt: skip
"""`seconds`, `default` and `best` are what measured best for their time (`docs/log.md`).

`best` draws digits as other hands would, too; `mnist` is the same without that, for MNIST's own hands alone.
`small` and `tiny` are for networks of so few weights that smoothed labels, or much stretching, ask too much of them.
`post` is the post's own (a tenth of a turn, a tenth of the side).
"""

BUDGETS = {"seconds": ("post", "seconds"), "default": ("post", "default"), "best": ("best", "best")}
"""How long a training may take: the network and the recipe, by name, that make the most of it."""

SPEC = re.compile(r"(?P<filters>\d{1,4})x(?P<kernel>\d)(?P<separable>s?)(?P<pool>p?)")


def get_network(name: "str | Network", classes: int = 10) -> Network:
    """Return a network by preset name or by a short description of its banks.

    Parameters
    ----------
    name : str or Network
        One of `NETWORKS`, or banks as ``FILTERSxKERNEL`` joined by commas, then ``s`` for a separable one,
        ``p`` for a 2x2 pool, and at the end ``dUNITS`` for a dense layer. A `Network` is handed back as it is.
    classes : int
        Number of classes of a network given by name.

    Examples
    --------
    >>> get_network("20x5p,20x5,40x3,d20").banks == get_network("post").banks
    True
    """
    if isinstance(name, Network):
        return name
    if name in NETWORKS:
        return replace(NETWORKS[name], classes=classes)
    *parts, last = name.replace(" ", "").split(",")
    dense = 0
    if re.fullmatch(r"d\d{1,4}", last):
        dense = int(last[1:])
    else:
        parts.append(last)
    matches = [SPEC.fullmatch(part) for part in parts]
    banks = [
        Bank(int(m["filters"]), int(m["kernel"]), 2 if m["pool"] else 1, bool(m["separable"])) for m in matches if m
    ]
    check(
        len(banks) == len(parts) and bool(banks), "network", name,
        "one of " + ", ".join(NETWORKS) + ", or banks such as 20x5p,20x5,40x3,d20",
    )  # fmt: skip
    return Network(tuple(banks), dense=dense, classes=classes)


def get_recipe(name: "str | Recipe") -> Recipe:
    """Return a recipe by name; a `Recipe` is handed back as it is."""
    if isinstance(name, Recipe):
        return name
    check(name in RECIPES, "recipe", name, "one of " + ", ".join(RECIPES))
    return RECIPES[name]


def get_budget(name: str) -> tuple[str, str]:
    """Return the names of the network and the recipe of a budget.

    Examples
    --------
    >>> get_budget("default")
    ('post', 'default')
    """
    check(name in BUDGETS, "budget", name, "one of " + ", ".join(BUDGETS))
    return BUDGETS[name]
