"""`Network`: the architecture of a network, bank by bank."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from inksight._shared.validation import check, is_between, is_count, known_fields

IMAGE_SIZE = 28  # pixels: height and width of every image
DIGITS = tuple("0123456789")  # class names of MNIST


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank, one convolution block: valid convolution, bias, optional max pooling, leaky ReLU.

    Parameters
    ----------
    filters : int
        Number of filters, which is also the number of feature maps.
    kernel : {1, 3, 5, 7}
        Height and width of each kernel, in pixels.
    pool : {1, 2}
        Height and width of the max-pooling window, in pixels; 1 means no pooling.
    separable : bool
        Whether the convolution is depthwise separable: one kernel per input channel, shared by all filters, and one
        weight per filter and channel (Chollet, "Xception: deep learning with depthwise separable convolutions",
        CVPR 2017). It has far fewer weights.

    Raises
    ------
    InputError
        If a value is out of range.
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
    """The architecture of a network: banks, global average pooling, an optional dense layer, softmax.

    Parameters
    ----------
    banks : tuple of Bank
        The banks in order from the input. Global average pooling of the last feature maps gives the *barcode*.
    dense : int
        Number of units of the dense layer between barcode and output; 0 means no dense layer.
    classes : int
        Number of classes.
    leak : float
        Slope of the leaky ReLU for negative inputs.
    l2 : float
        Factor of the sum of squared weights in the loss, without biases (``l2`` in Keras).

    Raises
    ------
    InputError
        If a value is out of range, or the kernels and pools reduce the 28x28 image to nothing.

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
        check(self.sides[-1] >= 1, "banks", self.banks, f"small enough to leave a pixel of {IMAGE_SIZE}x{IMAGE_SIZE}")

    @property
    def sides(self) -> tuple[int, ...]:
        """Height and width (they are equal) of the feature maps of each bank, in pixels."""
        side, sides = IMAGE_SIZE, []
        for bank in self.banks:
            side = (side - bank.kernel + 1) // bank.pool
            sides.append(side)
            if side < 1:
                break
        return tuple(sides)

    @property
    def spec(self) -> str:
        """Banks and dense layer in the notation of `get_network`, such as ``20x5p,20x5,40x3,d20``."""
        banks = [f"{bank.filters}x{bank.kernel}{'s' * bank.separable}{'p' * (bank.pool > 1)}" for bank in self.banks]
        return ",".join([*banks, f"d{self.dense}"] if self.dense else banks)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values that `from_dict` reads."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Create a network from JSON values. Raise `InputError` if one is missing, unknown or out of range."""
        values = known_fields(cls, values)
        banks = values.pop("banks")
        check(isinstance(banks, list), "banks", banks, "a list")
        return cls(banks=tuple(Bank(**known_fields(Bank, bank)) for bank in banks), **values)
