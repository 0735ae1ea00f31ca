"""Likeness to MNIST: what is unusual about images on which a network trained on MNIST would fail, and its repair."""

import zipfile
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight._shared.progress import track
from inksight.config import DIGITS, IMAGE_SIZE
from inksight.imaging.preprocessing import prepare_grayscale

_SAMPLE = 1000  # images that are looked at
_REFERENCE = 2000  # images of MNIST whose class means serve as a reference
_MIN_IMAGES = 20  # fewer images say too little about their orientation
# Upright images of MNIST and EMNIST correlate by 0.75 or more with the reference, and others by at least 0.15 less,
# except when all images are zeros, whose transposes are zeros.
_MIN_CORRELATION, _MIN_MARGIN = 0.7, 0.15
_BRIGHT, _GRAY = 128, 20  # of 255: median at the border of images on light and on gray ground; MNIST's is 0
_ORIENTATIONS = (
    "upright",
    "turned by 90 degrees to the right",
    "upside down",
    "turned by 90 degrees to the left",
    "transposed, as in the files of EMNIST",
    "mirrored",
    "transposed and upside down",
    "mirrored and upside down",
)


def unusual(images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> str | None:
    """Return what is unusual about images, after the words "the images", or None if they are like MNIST's.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    labels : (n,) integers, optional
        The digit on each image. Without them the orientation is not looked at.

    Examples
    --------
    >>> unusual(np.full((3, 28, 28), 255, np.uint8), None)
    'have dark ink on light ground'
    """
    sample = _sample(images)
    images = images[sample]
    if images.max() == 1:
        return "have only the values 0 and 1, not 0 to 255"
    ground = _ground(images)
    if ground >= _BRIGHT:
        return "have dark ink on light ground"
    if ground >= _GRAY:
        return "have a gray ground"
    orientation = 0 if labels is None else _orientation(images, labels[sample])
    return f"are {_ORIENTATIONS[orientation]}" if orientation else None


def prepared(images: NDArray[np.uint8], labels: NDArray[np.int64] | None, progress: bool = True) -> NDArray[np.uint8]:
    """Return images like those of MNIST: upright if they have labels, then converted as by `inksight.prepare`.

    Parameters
    ----------
    images : (n, 28, 28) uint8
        Of any polarity, ground and range.
    labels : (n,) integers, optional
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    (n, 28, 28) uint8
        High = ink. Images without a digit are black.

    Examples
    --------
    >>> paper = np.full((28, 28), 255, np.uint8)
    >>> paper[5:20, 12:15] = 90
    >>> prepared(np.stack([paper, paper * 0]), None).max(axis=(1, 2))
    array([255,   0], dtype=uint8)
    """
    if labels is not None:
        sample = _sample(images)
        images = turn(images, _orientation(images[sample], labels[sample]))
    scale = 1 / max(int(images.max()), 1)
    result = np.zeros(images.shape, np.uint8)
    for i in track(range(len(images)), "preparing images", progress):
        digit = prepare_grayscale(1 - images[i] * scale)
        if not digit.problem:
            result[i] = digit.image
    return result


def turn(images: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return images (n, height, width) turned to the left by `orientation` right angles, and transposed from 4 on."""
    turned = np.rot90(images, orientation % 4, axes=(1, 2))
    return turned.transpose(0, 2, 1) if orientation >= 4 else turned


def _sample(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the positions of the images that are looked at, evenly spaced."""
    return np.linspace(0, len(images) - 1, min(_SAMPLE, len(images))).astype(np.int64)


def _ground(images: NDArray[np.uint8]) -> float:
    """Return the median at the border of the images."""
    border = np.ones((IMAGE_SIZE, IMAGE_SIZE), bool)
    border[1:-1, 1:-1] = False
    return float(np.median(images[:, border]))


def _orientation(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> int:
    """Return the argument of `turn` that makes images upright, judged by the mean image of each digit."""
    present = [digit for digit in range(len(DIGITS)) if (labels == digit).any()]
    if len(images) < _MIN_IMAGES or len(present) < 2:
        return 0
    means = np.stack([images[labels == digit].mean(axis=0) for digit in present])
    if _ground(images) >= images.max() / 2:
        means = -means  # ink is high in the reference; correlations do not depend on scale and offset
    reference = _mean_digits()[present].ravel()
    correlations = [float(np.corrcoef(turn(means, k).ravel(), reference)[0, 1]) for k in range(len(_ORIENTATIONS))]
    best = int(np.argmax(correlations))
    sure = correlations[best] > _MIN_CORRELATION and correlations[best] - correlations[0] > _MIN_MARGIN
    return best if sure else 0


@cache
def _mean_digits() -> NDArray[np.float64]:
    """Return the mean image of each digit, (10, 28, 28), of the first of MNIST's training images."""
    with (
        resources.as_file(resources.files("inksight") / "assets" / "mnist.npz") as path,
        zipfile.ZipFile(path) as archive,
    ):
        arrays = []
        for name, shape in (("x_train", (_REFERENCE, IMAGE_SIZE, IMAGE_SIZE)), ("y_train", (_REFERENCE,))):
            with archive.open(f"{name}.npy") as stream:
                np.lib.format.read_magic(stream)
                dtype = np.lib.format.read_array_header_1_0(stream)[2]
                content = stream.read(int(np.prod(shape)) * dtype.itemsize)
            arrays.append(np.frombuffer(content, dtype).reshape(shape))
    images, labels = arrays
    return np.stack([images[labels == digit].mean(axis=0) for digit in range(len(DIGITS))])
