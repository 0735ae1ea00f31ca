"""`corrupt`: digits as other hands, pens, papers and scanners would leave them, in eleven ways and five strengths."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inksight._shared.validation import check, is_count
from inksight.config import IMAGE_SIZE
from inksight.imaging.arrays import as_images
from inksight.imaging.resampling import triangle_weights

Ink = NDArray[np.float32]

MIDDLE = (IMAGE_SIZE - 1) / 2
PLUS = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], bool)  # a pixel and its four neighbours, in each image
SEVERITIES = 5  # of each change
SPACING = 7  # pixels from one ruled line to the next


@dataclass(frozen=True, slots=True)
class Corruption:
    """One way to change images, and how far it is taken.

    Parameters
    ----------
    unit : str
        Of the strengths.
    strengths : tuple of five float
        From mild to hard; the digits stay readable to a person.
    make : callable
        Takes images (n, 28, 28) float32, 0..1, high = ink, a strength and a generator of random numbers; returns the
        changed images, which may leave 0..1.
    """

    unit: str
    strengths: tuple[float, float, float, float, float]
    make: Callable[[Ink, float, np.random.Generator], Ink]


def rotate(images: Ink, degrees: float, random: np.random.Generator) -> Ink:
    """Turn each image, one way or the other."""
    angle = np.radians(degrees) * _signs(images, random)
    cos, sin = np.cos(angle), np.sin(angle)
    return _move(images, [[cos, -sin], [sin, cos]])


def scale(images: Ink, factor: float, random: np.random.Generator) -> Ink:
    """Make each image larger or smaller by a factor."""
    ratio = factor ** _signs(images, random)
    return _move(images, [[1 / ratio, 0 * ratio], [0 * ratio, 1 / ratio]])


def shift(images: Ink, pixels: float, random: np.random.Generator) -> Ink:
    """Move each image so far, in any direction."""
    direction = random.uniform(0, 2 * np.pi, len(images))
    return _move(images, np.eye(2), pixels * np.array([np.sin(direction), np.cos(direction)]))


def shear(images: Ink, share: float, random: np.random.Generator) -> Ink:
    """Slant each image, one way or the other: a row is moved by a share of its distance from the middle one."""
    slant = share * _signs(images, random)
    one = np.ones_like(slant)
    return _move(images, [[one, 0 * one], [slant, one]])


def thicken(images: Ink, pixels: float, random: np.random.Generator) -> Ink:
    """Make the strokes of each image thicker or thinner, by so many pixels on either side.

    Thinner strokes keep their middle line, what an erosion and a dilation after it would not bring back (Lantuéjoul's
    skeleton; Serra, "Image analysis and mathematical morphology", 1982): no pen leaves half of a digit.
    """
    thicker = _signs(images, random) > 0
    result = np.empty_like(images)
    result[thicker] = _by_steps(images[thicker], pixels, lambda ink: ndimage.grey_dilation(ink, footprint=PLUS))
    result[~thicker] = _by_steps(images[~thicker], pixels, _thin)
    return result


def blur(images: Ink, pixels: float, random: np.random.Generator) -> Ink:
    """Smooth each image with a Gaussian of this standard deviation."""
    result: Ink = ndimage.gaussian_filter(images, (0, pixels, pixels), mode="constant")
    return result


def add_noise(images: Ink, share: float, random: np.random.Generator) -> Ink:
    """Add to each pixel a normal random number, its standard deviation a share of full ink."""
    return images + np.float32(share) * random.standard_normal(images.shape, np.float32)


def coarsen(images: Ink, pixels: float, random: np.random.Generator) -> Ink:
    """Make each image so many pixels high and wide, and then as large as before."""
    there, back = triangle_weights(IMAGE_SIZE, round(pixels)), triangle_weights(round(pixels), IMAGE_SIZE)
    way: Ink = (back @ there).astype(np.float32)
    result: Ink = np.matmul(way @ images, way.T)
    return result


def fade(images: Ink, share: float, random: np.random.Generator) -> Ink:
    """Leave this share of the contrast: ink and paper come nearer to the grey between them."""
    return np.float32(0.5) + np.float32(share) * (images - np.float32(0.5))


def occlude(images: Ink, pixels: float, random: np.random.Generator) -> Ink:
    """Lay a square of paper over each image, so many pixels wide, with its middle where there is ink."""
    # A random pixel of the ink: the one with the greatest of as many random numbers, nought where there is none.
    chosen = (
        (random.random(images.shape, np.float32) * (images > 0.5)).reshape(-1, IMAGE_SIZE * IMAGE_SIZE).argmax(axis=1)
    )
    rows, columns = (np.abs(np.arange(IMAGE_SIZE) - place[:, None]) for place in np.divmod(chosen, IMAGE_SIZE))
    far = np.maximum(rows[:, :, None], columns[:, None, :]).astype(np.float32)
    result: Ink = images * np.clip(far - np.float32(pixels / 2 - 0.5), 0, 1)
    return result


def rule(images: Ink, share: float, random: np.random.Generator) -> Ink:
    """Put each image on lined paper, its lines one pixel wide and of this share of full ink."""
    first = random.integers(0, SPACING, len(images))
    lines = ((np.arange(IMAGE_SIZE) - first[:, None]) % SPACING == 0) * np.float32(share)
    result: Ink = np.maximum(images, lines[:, :, None])
    return result


CORRUPTIONS = {
    "rotation": Corruption("degrees, either way", (10, 20, 30, 40, 50), rotate),
    "scale": Corruption("times as large or small", (1.1, 1.2, 1.3, 1.4, 1.5), scale),
    "shift": Corruption("pixels, any way", (1, 2, 3, 4.5, 6), shift),
    "shear": Corruption("of the height, either way", (0.2, 0.35, 0.5, 0.65, 0.8), shear),
    "thickness": Corruption("pixels on either side, more or less", (0.3, 0.6, 0.9, 1.2, 1.5), thicken),
    "blur": Corruption("pixels", (0.6, 1.0, 1.4, 1.8, 2.2), blur),
    "noise": Corruption("of full ink", (0.1, 0.2, 0.3, 0.45, 0.6), add_noise),
    "low resolution": Corruption("pixels a side", (16, 13, 11, 9, 7), coarsen),
    "contrast": Corruption("of the contrast left", (0.8, 0.6, 0.4, 0.25, 0.15), fade),
    "occlusion": Corruption("pixels wide", (2, 4, 5, 6, 7), occlude),
    "lined paper": Corruption("of full ink", (0.1, 0.25, 0.4, 0.6, 0.8), rule),
}


def corrupt(images: NDArray[Any], name: str, strength: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """Return changed images.

    Parameters
    ----------
    images : (28, 28) to (n, 28, 28, 1) uint8, or float 0..1
        High = ink.
    name : str
        One of `CORRUPTIONS`.
    strength : int
        1, mild, to 5, hard; 0 changes nothing.
    seed : int
        Of what is random. What is drawn for an image, such as the way it is turned, is the same for every strength.

    Returns
    -------
    (n, 28, 28) uint8

    Raises
    ------
    InputError
        If there is no such change or strength, or the images have another shape or range.

    Examples
    --------
    >>> image = np.zeros((28, 28), np.uint8)
    >>> image[4:24, 13] = 255
    >>> corrupt(image, "contrast", 2)[0, 14, 12:15]
    array([ 51, 204,  51], dtype=uint8)
    """
    check(name in CORRUPTIONS, "change", name, "one of " + ", ".join(CORRUPTIONS))
    check(is_count(strength, 0) and strength <= SEVERITIES, "strength", strength, f"0 to {SEVERITIES}")
    check(is_count(seed, 0), "seed", seed, "0 or more")
    batch = as_images(images)
    ink = batch.astype(np.float32) / np.float32(255) if batch.dtype == np.uint8 else batch
    if strength:
        random = np.random.default_rng([seed, list(CORRUPTIONS).index(name)])
        ink = CORRUPTIONS[name].make(ink, CORRUPTIONS[name].strengths[strength - 1], random)
    result: NDArray[np.uint8] = np.floor(np.clip(ink, 0, 1) * 255 + 0.5).astype(np.uint8)
    return result


def _signs(images: Ink, random: np.random.Generator) -> NDArray[np.float64]:
    """Return 1 or -1 for each image."""
    return random.choice([-1.0, 1.0], len(images))


def _move(images: Ink, matrix: Any, offset: Any = 0.0) -> Ink:
    """Read each image where a matrix, (2, 2) or (2, 2, n), and an offset, (2, n), lead from the middle.

    Row and column, in this order, of the changed image lead to those of the image; linear between pixels, paper beyond.
    """
    grid = np.indices((IMAGE_SIZE, IMAGE_SIZE)) - MIDDLE
    places = np.zeros((3, *images.shape), np.float32)  # number, row and column of the pixel to read
    places[0] = np.arange(len(images))[:, None, None]
    for i in range(2):
        for j in range(2):
            places[i + 1] += np.multiply.outer(np.broadcast_to(matrix[i][j], len(images)), grid[j])
        places[i + 1] += np.broadcast_to(offset, (2, len(images)))[i][:, None, None] + MIDDLE
    result: Ink = ndimage.map_coordinates(images, places, order=1, mode="constant")
    return result


def _by_steps(ink: Ink, pixels: float, step: Callable[[Ink], Ink]) -> Ink:
    """Take a step as many times as there are whole pixels, and the share of one more that is left."""
    for _ in range(int(pixels)):
        ink = step(ink)
    part = np.float32(pixels % 1)
    return (1 - part) * ink + part * step(ink) if part else ink


def _thin(ink: Ink) -> Ink:
    eroded = ndimage.grey_erosion(ink, footprint=PLUS)
    result: Ink = np.maximum(eroded, ink - ndimage.grey_dilation(eroded, footprint=PLUS))
    return result
