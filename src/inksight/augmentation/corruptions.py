"""Corruptions of digits, each in five severities: what other writers, pens, papers and scanners do to an image."""

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

CENTER = (IMAGE_SIZE - 1) / 2
CROSS = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], bool)  # structuring element: a pixel and its four neighbours
SEVERITIES = 5  # of each corruption
SPACING = 7  # pixels from one ruled line to the next


@dataclass(frozen=True, slots=True)
class Corruption:
    """One way to corrupt images.

    Parameters
    ----------
    unit : str
        Unit of the strengths.
    strengths : tuple of five float
        From mild to severe; a person can still read the digits.
    apply : callable
        Takes images (n, 28, 28) float32, 0..1, high = ink, a strength and a random generator; returns the corrupted
        images, which may exceed 0..1.
    """

    unit: str
    strengths: tuple[float, float, float, float, float]
    apply: Callable[[Ink, float, np.random.Generator], Ink]


def rotate(images: Ink, degrees: float, rng: np.random.Generator) -> Ink:
    """Rotate each image clockwise or counterclockwise."""
    angle = np.radians(degrees) * _random_signs(images, rng)
    cos, sin = np.cos(angle), np.sin(angle)
    return _transform(images, [[cos, -sin], [sin, cos]])


def scale(images: Ink, factor: float, rng: np.random.Generator) -> Ink:
    """Enlarge or shrink each image by a factor."""
    ratio = factor ** _random_signs(images, rng)
    return _transform(images, [[1 / ratio, 0 * ratio], [0 * ratio, 1 / ratio]])


def shift(images: Ink, pixels: float, rng: np.random.Generator) -> Ink:
    """Move each image by this distance in a random direction."""
    direction = rng.uniform(0, 2 * np.pi, len(images))
    return _transform(images, np.eye(2), pixels * np.array([np.sin(direction), np.cos(direction)]))


def shear(images: Ink, share: float, rng: np.random.Generator) -> Ink:
    """Shear each image to the left or right: move each row by a share of its distance from the middle row."""
    slant = share * _random_signs(images, rng)
    one = np.ones_like(slant)
    return _transform(images, [[one, 0 * one], [slant, one]])


def change_thickness(images: Ink, pixels: float, rng: np.random.Generator) -> Ink:
    """Make the strokes of each image thicker or thinner by this distance on either side.

    Thinning is an erosion that keeps the skeleton, which a dilation after the erosion would not restore (Lantuéjoul's
    skeleton; Serra, "Image analysis and mathematical morphology", 1982), so that thin strokes do not break.
    """
    thicker = _random_signs(images, rng) > 0
    result = np.empty_like(images)
    result[thicker] = _repeat(images[thicker], pixels, lambda ink: ndimage.grey_dilation(ink, footprint=CROSS))
    result[~thicker] = _repeat(images[~thicker], pixels, _thin)
    return result


def blur(images: Ink, sigma: float, rng: np.random.Generator) -> Ink:
    """Blur each image with a Gaussian of this standard deviation in pixels."""
    result: Ink = ndimage.gaussian_filter(images, (0, sigma, sigma), mode="constant")
    return result


def add_noise(images: Ink, sigma: float, rng: np.random.Generator) -> Ink:
    """Add Gaussian noise of this standard deviation, as a share of full ink, to each pixel."""
    return images + np.float32(sigma) * rng.standard_normal(images.shape, np.float32)


def lower_resolution(images: Ink, pixels: float, rng: np.random.Generator) -> Ink:
    """Downscale each image to this height and width, then upscale it again."""
    down, up = triangle_weights(IMAGE_SIZE, round(pixels)), triangle_weights(round(pixels), IMAGE_SIZE)
    weights: Ink = (up @ down).astype(np.float32)
    result: Ink = np.matmul(weights @ images, weights.T)
    return result


def lower_contrast(images: Ink, share: float, rng: np.random.Generator) -> Ink:
    """Keep this share of the contrast around middle gray."""
    return np.float32(0.5) + np.float32(share) * (images - np.float32(0.5))


def occlude(images: Ink, pixels: float, rng: np.random.Generator) -> Ink:
    """Cover each image with a square of paper of this width, centered on a random pixel with ink."""
    # The random pixel with ink is the one with the highest random number; the first pixel if there is no ink.
    scores = rng.random(images.shape, np.float32) * (images > 0.5)
    chosen = scores.reshape(-1, IMAGE_SIZE * IMAGE_SIZE).argmax(axis=1)
    rows, columns = (np.abs(np.arange(IMAGE_SIZE) - center[:, None]) for center in np.divmod(chosen, IMAGE_SIZE))
    distance = np.maximum(rows[:, :, None], columns[:, None, :]).astype(np.float32)
    result: Ink = images * np.clip(distance - np.float32(pixels / 2 - 0.5), 0, 1)
    return result


def add_ruled_lines(images: Ink, share: float, rng: np.random.Generator) -> Ink:
    """Add horizontal lines, one pixel wide, of this share of full ink."""
    first = rng.integers(0, SPACING, len(images))
    lines = ((np.arange(IMAGE_SIZE) - first[:, None]) % SPACING == 0) * np.float32(share)
    result: Ink = np.maximum(images, lines[:, :, None])
    return result


CORRUPTIONS = {
    "rotation": Corruption("degrees, left or right", (10, 20, 30, 40, 50), rotate),
    "scale": Corruption("factor, larger or smaller", (1.1, 1.2, 1.3, 1.4, 1.5), scale),
    "shift": Corruption("pixels, any direction", (1, 2, 3, 4.5, 6), shift),
    "shear": Corruption("of the height, left or right", (0.2, 0.35, 0.5, 0.65, 0.8), shear),
    "thickness": Corruption("pixels per edge, thicker or thinner", (0.3, 0.6, 0.9, 1.2, 1.5), change_thickness),
    "blur": Corruption("pixels, standard deviation", (0.6, 1.0, 1.4, 1.8, 2.2), blur),
    "noise": Corruption("of full ink, standard deviation", (0.1, 0.2, 0.3, 0.45, 0.6), add_noise),
    "low resolution": Corruption("pixels per side", (16, 13, 11, 9, 7), lower_resolution),
    "contrast": Corruption("of the contrast left", (0.8, 0.6, 0.4, 0.25, 0.15), lower_contrast),
    "occlusion": Corruption("pixels wide", (2, 4, 5, 6, 7), occlude),
    "lined paper": Corruption("of full ink", (0.1, 0.25, 0.4, 0.6, 0.8), add_ruled_lines),
}


def corrupt(images: NDArray[Any], name: str, severity: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """Return corrupted images.

    Parameters
    ----------
    images : (28, 28) to (n, 28, 28, 1) uint8, or float 0..1
        High = ink.
    name : str
        One of `CORRUPTIONS`.
    severity : int
        1 (mild) to 5; 0 changes nothing.
    seed : int
        The random choices for an image, such as the direction of a rotation, are the same for every severity.

    Returns
    -------
    (n, 28, 28) uint8

    Raises
    ------
    InputError
        If the name or the severity is unknown, or the images have another shape or range.

    Examples
    --------
    >>> image = np.zeros((28, 28), np.uint8)
    >>> image[4:24, 13] = 255
    >>> corrupt(image, "contrast", 2)[0, 14, 12:15]
    array([ 51, 204,  51], dtype=uint8)
    """
    check(name in CORRUPTIONS, "corruption", name, "one of " + ", ".join(CORRUPTIONS))
    check(is_count(severity, 0) and severity <= SEVERITIES, "severity", severity, f"0 to {SEVERITIES}")
    check(is_count(seed, 0), "seed", seed, "0 or more")
    batch = as_images(images)
    ink = batch.astype(np.float32) / np.float32(255) if batch.dtype == np.uint8 else batch
    if severity:
        rng = np.random.default_rng([seed, list(CORRUPTIONS).index(name)])
        ink = CORRUPTIONS[name].apply(ink, CORRUPTIONS[name].strengths[severity - 1], rng)
    result: NDArray[np.uint8] = np.floor(np.clip(ink, 0, 1) * 255 + 0.5).astype(np.uint8)
    return result


def _random_signs(images: Ink, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return 1 or -1 for each image."""
    return rng.choice([-1.0, 1.0], len(images))


def _transform(images: Ink, matrix: Any, offset: Any = 0.0) -> Ink:
    """Apply an affine transformation around the center, with bilinear interpolation and paper beyond the edge.

    The matrix, (2, 2) or (2, 2, n), and the offset, (2,) or (2, n), map the row and column of a pixel of the result to
    those of the source.
    """
    grid = np.indices((IMAGE_SIZE, IMAGE_SIZE)) - CENTER
    source = np.zeros((3, *images.shape), np.float32)  # image, row and column of the source of each pixel
    source[0] = np.arange(len(images))[:, None, None]
    for i in range(2):
        for j in range(2):
            source[i + 1] += np.multiply.outer(np.broadcast_to(matrix[i][j], len(images)), grid[j])
        source[i + 1] += np.broadcast_to(offset, (2, len(images)))[i][:, None, None] + CENTER
    result: Ink = ndimage.map_coordinates(images, source, order=1, mode="constant")
    return result


def _repeat(ink: Ink, pixels: float, step: Callable[[Ink], Ink]) -> Ink:
    """Apply a step of one pixel this many times; blend in one more step by the fractional part."""
    for _ in range(int(pixels)):
        ink = step(ink)
    fraction = np.float32(pixels % 1)
    return (1 - fraction) * ink + fraction * step(ink) if fraction else ink


def _thin(ink: Ink) -> Ink:
    """Erode by one pixel, but keep what an opening would remove (the skeleton)."""
    eroded = ndimage.grey_erosion(ink, footprint=CROSS)
    result: Ink = np.maximum(eroded, ink - ndimage.grey_dilation(eroded, footprint=CROSS))
    return result
