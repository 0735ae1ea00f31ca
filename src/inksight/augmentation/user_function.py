"""Augmentation by a function of the user, which changes all training images before each epoch."""

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inksight.errors import InputError

ImageFunction: TypeAlias = Callable[..., Any]
"""A function of images and, optionally, a random generator, which returns images; see `apply_function`."""
STREAM = 5  # number of the random stream; those of `geometric` and `pen_style` are 1 to 4


def apply_function(function: ImageFunction, images: NDArray[np.uint8], seed: int, epoch: int) -> NDArray[np.uint8]:
    """Return the images that a function of the user makes of the training images.

    Parameters
    ----------
    function : callable
        ``function(images, rng)``, where the second parameter is named ``rng`` or has no default; or
        ``function(images)``, which gives different results each time if it is random. It may change the images in
        place, because it gets a copy, but it must return them.
    images : (n, 28, 28) uint8
        High = ink.
    seed, epoch : int
        The random generator depends on these alone.

    Returns
    -------
    (n, 28, 28) uint8

    Raises
    ------
    InputError
        If the function needs other arguments, or returns anything else than such images.

    Examples
    --------
    >>> def erase_a_row(images, rng):
    ...     images[:, rng.integers(28)] = 0
    ...     return images
    >>> images = np.full((2, 28, 28), 255, np.uint8)
    >>> (apply_function(erase_a_row, images, seed=0, epoch=0) == 0).sum(axis=(1, 2))
    array([28, 28])
    """
    made = _call(function, images.copy(), np.random.default_rng([seed, epoch, STREAM]))
    what = f"the augmentation function {name_of(function)} must return"
    try:
        result = np.asarray(made)
    except ValueError as error:  # lists of different lengths
        raise InputError(f"{what} images of shape {images.shape}, got {type(made).__name__}: {error}") from error
    if result.shape != images.shape:
        got = f"an array of shape {result.shape}" if result.ndim else type(made).__name__
        raise InputError(f"{what} images of shape {images.shape}, got {got}: return one image for each image")
    if result.dtype.kind not in "buif":
        raise InputError(f"{what} uint8, got {result.dtype}: return an array of numbers")
    low, high = result.min(), result.max()
    if low >= 0 and high <= 1 < images.max():  # also uint8: shares of full ink would become blank images
        raise InputError(f"{what} values 0 to 255, got {low:.3g} to {high:.3g}: multiply them by 255")
    if result.dtype != np.uint8:
        advice = "end with np.clip(images, 0, 255).astype(np.uint8)"
        raise InputError(f"{what} uint8, got {result.dtype} from {low:.3g} to {high:.3g}: {advice}")
    return np.ascontiguousarray(result)


def name_of(function: ImageFunction) -> str:
    """Return the qualified name of a function, or of the class of another callable, as ``module.name``.

    Examples
    --------
    >>> import json
    >>> name_of(json.dumps), name_of(json.JSONEncoder())
    ('json.dumps', 'json.encoder.JSONEncoder')
    """
    function = inspect.unwrap(getattr(function, "func", function))  # of a functools.partial
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _call(function: ImageFunction, images: NDArray[np.uint8], rng: np.random.Generator) -> Any:
    """Call a function, with the random generator if it takes one."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions in C do not say what they take
        return function(images)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = sum(p.kind in positional and p.default is p.empty for p in signature.parameters.values())
    named = {"rng": rng} if "rng" in signature.parameters else {}
    arguments = (images, rng) if required == 2 and not named else (images,)
    try:
        signature.bind(*arguments, **named)
    except TypeError as error:
        required_call = f"the augmentation function {name_of(function)} must be callable with images, or images and rng"
        raise InputError(f"{required_call}, got {name_of(function)}{signature}: {error}") from error
    return function(*arguments, **named)
