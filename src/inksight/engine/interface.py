"""The C interface of the engine, as declared in ``native/api/inksight.h``."""

from ctypes import CDLL, POINTER, Array, Structure, c_char_p, c_double, c_float, c_int, c_int64, c_long, c_void_p
from itertools import takewhile
from typing import Any

from inksight.config import IMAGE_SIZE, Network

ABI = 3  # number: INKSIGHT_ABI in the header

_TYPES: dict[str, Any] = {
    "int": c_int, "int64_t": c_int64, "float": c_float, "double": c_double, "float*": c_void_p, "float**": c_void_p,
    "double*": c_void_p, "int32_t*": c_void_p,
}  # fmt: skip
_LETTERS: dict[Any, str] = {None: "v", c_int: "i", c_long: "l", c_double: "d", c_char_p: "s", c_void_p: "p"}


def _fields(declaration: str) -> list[tuple[str, Any]]:
    """Return the ``_fields_`` of a struct from its declaration in C.

    Examples
    --------
    >>> _fields("int width, height; double ratio;")
    [('width', <class 'ctypes.c_int'>), ('height', <class 'ctypes.c_int'>), ('ratio', <class 'ctypes.c_double'>)]
    """
    typed = [line.strip().split(" ", 1) for line in declaration.split(";")[:-1]]
    return [(name, _TYPES[kind]) for kind, names in typed for name in names.split(", ")]


class Bank(Structure):
    """A bank of a network."""

    DECLARATION = "int filters; int kernel; int pool; int separable;"
    _fields_ = _fields(DECLARATION)


class Description(Structure):
    """A network, without its banks and weights."""

    DECLARATION = "int side; int banks; int dense; int classes; float leak; float mean; float variance;"
    _fields_ = _fields(DECLARATION)


class Stages(Structure):
    """Where the stages of a prediction are written. A stage whose address is None is not written."""

    DECLARATION = "float* normalized; float** banks; float* barcode; float* dense; float* logits; float* probabilities;"
    _fields_ = _fields(DECLARATION)


class TrainingRecipe(Structure):
    """The part of a recipe that a training step needs."""

    DECLARATION = (
        "double label_smoothing; double l2; double beta1; double beta2; double epsilon; double muon_scale; "
        "double momentum;"
    )
    _fields_ = _fields(DECLARATION)


class Batches(Structure):
    """Batches of images, one for each step."""

    DECLARATION = (
        "int steps; int size; int32_t* rows; float* weights; float* lattices; int32_t* labels; float* targets; "
        "double* rates;"
    )
    _fields_ = _fields(DECLARATION)


class Block(Structure):
    """A bank applied to a batch, and its gradients, for tests."""

    DECLARATION = (
        "int channels; int height; int width; int filters; int kernel; int pool; int groups; int dy_per_position; "
        "float leak; float* x; float* w; float* b; float* y; float* dy; float* dx; float* dw; float* db;"
    )
    _fields_ = _fields(DECLARATION)


class Constants(Structure):
    """The constants of `inksight.imaging.preprocessing`."""

    DECLARATION = (
        "double side; double box_size; double center; double working_size; double min_size; "
        "double illumination_grid; double min_background; double min_contrast; double speck_share; double weak_ink; "
        "double min_ink; double slope_ridge; double polarity_threshold; double noise_reach; double rounding_offset;"
    )
    _fields_ = _fields(DECLARATION)


class Found(Structure):
    """What the engine found in a picture."""

    DECLARATION = (
        "int64_t height, width; int64_t box_left, box_top, box_width, box_height; int64_t dark; "
        "int64_t polarity_ambiguous; int64_t problem;"
    )
    _fields_ = _fields(DECLARATION)


PROBLEMS = ("", "blank", "faint", "small")  # by the number that `Found.problem` holds

FUNCTIONS: dict[str, tuple[Any, ...]] = {  # the type of the result, then those of the parameters
    "inksight_compiler": (c_char_p,),
    "inksight_isa": (c_char_p,),
    "inksight_use": (c_int, c_char_p),
    "inksight_threads": (c_int,),
    "inksight_choose_threads": (None, c_int),
    "inksight_peak": (c_double,),
    "inksight_predictor_new": (c_void_p, c_void_p, c_void_p, c_void_p),
    "inksight_predictor_free": (None, c_void_p),
    "inksight_predict": (c_int, c_void_p, c_void_p, c_void_p, c_long, c_void_p),
    "inksight_trainer_new": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "inksight_trainer_free": (None, c_void_p),
    "inksight_trainer_steps": (c_int, c_void_p, c_void_p, c_long, c_void_p, c_void_p, c_void_p),
    "inksight_trainer_gradient": (
        c_int, c_void_p, c_void_p, c_long, c_void_p, c_double, c_void_p, c_void_p, c_void_p,
    ),
    "inksight_trainer_update": (c_int, c_void_p, c_void_p, c_double),
    "inksight_trainer_read": (None, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "inksight_trainer_write": (None, c_void_p, c_void_p, c_void_p, c_void_p, c_long),
    "inksight_apply": (c_int, c_void_p),
    "inksight_preprocess": (
        c_int, c_void_p, c_long, c_long, c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p,
    ),
}  # fmt: skip

DECLARATIONS = {
    "inksight_bank": Bank.DECLARATION,
    "inksight_network": Description.DECLARATION,
    "inksight_stages": Stages.DECLARATION,
    "inksight_recipe": TrainingRecipe.DECLARATION,
    "inksight_batches": Batches.DECLARATION,
    "inksight_block": Block.DECLARATION,
    "inksight_constants": Constants.DECLARATION,
    "inksight_problem": ", ".join(f"INKSIGHT_{(name or 'none').upper()}" for name in PROBLEMS),
    "inksight_found": Found.DECLARATION,
} | {name: "".join(_LETTERS[kind] for kind in kinds) for name, kinds in FUNCTIONS.items()}


class _Declaration(Structure):
    """A part of the library's own description of its interface."""

    _fields_ = [("name", c_char_p), ("text", c_char_p)]


def describe(network: Network, mean: float, variance: float) -> tuple[Description, Array[Bank]]:
    """Return a network and its banks as the engine takes them."""
    count = len(network.banks)
    banks = (Bank * count)(*(Bank(b.filters, b.kernel, b.pool, b.separable) for b in network.banks))
    description = Description(
        side=IMAGE_SIZE, banks=count, dense=network.dense, classes=network.classes, leak=network.leak, mean=mean,
        variance=variance,
    )  # fmt: skip
    return description, banks


def declare(library: CDLL) -> str | None:
    """Declare the types of a library's functions. If its interface is another one, return what differs instead."""
    abi = library.inksight_abi() if hasattr(library, "inksight_abi") else 0  # from before there was a number
    if abi != ABI:
        return f"interface {abi}, but this inksight needs {ABI}"
    library.inksight_interface.restype = POINTER(_Declaration)
    own = takewhile(lambda declaration: declaration.name, library.inksight_interface())
    declared = {part.name.decode(): part.text.decode() for part in own}
    if differing := sorted(name for name, _ in declared.items() ^ DECLARATIONS.items()):
        return f"another {differing[0]} than this inksight needs"
    for name, (result, *parameters) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, parameters
    return None
