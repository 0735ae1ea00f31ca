"""A phone's camera: perspective, illumination, blur, white balance and sensor noise."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.synthetic.noise import Array, smooth_noise

TABLE_COLORS = ((0.35, 0.22, 0.13), (0.2, 0.2, 0.22), (0.55, 0.42, 0.3))


def view_from_an_angle(page: Array, skew: float, height: float, rng: np.random.Generator) -> Array:
    """Rotate a page and view it in perspective.

    What lies outside the page shows more of the same sheet or, on one photo in five, the table.

    Parameters
    ----------
    page : (height, width, 3) float64, 0..1
    skew : float
        Degrees of rotation; above 0, lines fall to the right.
    height : float
        Height of the digits, in pixels.
    """
    page_height, page_width = page.shape[:2]
    angle = np.radians(skew)
    corners = np.array([(0, 0), (page_width, 0), (page_width, page_height), (0, page_height)], float)
    rotation = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    projected = (corners - corners.mean(axis=0)) @ rotation.T
    projected *= 1 + rng.uniform(-0.05, 0.05, (4, 1))  # nearer and farther corners
    on_table = rng.random() < 0.2
    origin = projected.min(axis=0)
    border = 0.3 * height * rng.uniform(0.3, 1.5) if on_table else 0.0
    size = np.ptp(projected, axis=0) + 2 * border
    projected = projected - origin + border
    width_out, height_out = (int(np.ceil(length)) for length in size)
    x, y = _homography(projected, corners, (height_out, width_out))
    photo: Array = np.stack(
        [ndimage.map_coordinates(page[..., c], [y, x], order=1, mode="nearest") for c in range(3)], axis=-1
    )
    outside = (x < -0.5) | (y < -0.5) | (x > page_width - 0.5) | (y > page_height - 0.5)
    if outside.any():
        if on_table:
            wood = np.array(TABLE_COLORS[rng.integers(3)])
            grain = 1 + 0.1 * smooth_noise(outside.shape, 6, rng)
            photo[outside] = np.clip(wood * grain[..., None], 0, 1)[outside]
        else:
            sheet = np.median(page.reshape(-1, 3), axis=0)
            photo[outside] = sheet + 0.01 * smooth_noise(outside.shape, 1.5, rng)[outside][:, None]
    return np.clip(photo, 0, 1)


def _homography(source: Array, target: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Return where each pixel of an image of this shape lies under the homography of four points, as (x, y)."""
    matrix, right_hand_side = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        matrix += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right_hand_side += [u, v]
    h = np.linalg.solve(np.array(matrix), np.array(right_hand_side))
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    depth = h[6] * columns + h[7] * rows + 1
    return (h[0] * columns + h[1] * rows + h[2]) / depth, (h[3] * columns + h[4] * rows + h[5]) / depth


def illumination(paper: str, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return the brightness of the light at each pixel, (height, width), about 1.

    A slope and vignetting; folds on crumpled paper; the soft edge of a shadow.
    """
    rows, columns = (np.linspace(-1, 1, length) for length in shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    direction, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.25)
    light: Array = rng.uniform(0.8, 1.02) * (1 + slope * (np.cos(direction) * x + np.sin(direction) * y) / 1.4)
    light *= 1 - rng.uniform(0, 0.12) * (x**2 + y**2) / 2
    if paper == "crumpled":
        facets = np.zeros(shape)
        for _ in range(int(rng.integers(4, 10))):  # the two sides of a fold are lit differently
            direction, position = rng.uniform(0, np.pi), rng.uniform(-0.9, 0.9)
            side = np.cos(direction) * x + np.sin(direction) * y - position
            facets += rng.normal(0, 0.05) * np.tanh(side / rng.uniform(0.01, 0.08)) + rng.normal(0, 0.05) * np.abs(side)
        light *= np.clip(1 + facets, 0.55, 1.2)
    elif paper == "shadow" or rng.random() < 0.15:
        direction, position = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4)
        side = np.cos(direction) * x + np.sin(direction) * y - position
        side = side + 0.15 * np.sin(3 * (np.sin(direction) * x - np.cos(direction) * y))
        depth = rng.uniform(0.25, 0.6)
        light *= 1 - depth / (1 + np.exp(-np.clip(side / rng.uniform(0.01, 0.15), -50, 50)))
    return light


def capture(page: Array, height: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the photo of a lit page, (height, width, 3) uint8: blur, white balance, sensor noise."""
    sigma = rng.uniform(0.3, 0.9) * max(height / 60, 0.8)
    page = ndimage.gaussian_filter(page, (sigma, sigma, 0))
    page = page * (1 + rng.uniform(-0.06, 0.06, 3))
    noise_level = rng.uniform(0.004, 0.025)
    noise = rng.normal(0, noise_level, page.shape[:2])[..., None] + rng.normal(0, noise_level / 2, page.shape)
    return np.floor(np.clip(page + noise, 0, 1) * 255 + 0.5).astype(np.uint8)
