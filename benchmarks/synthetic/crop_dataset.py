"""Training images for reading: pictures of one sign (`benchmarks.synthetic.crops`), prepared as for reading."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic.crops import Sources, draw_crop
from inksight.reading.detection import prepare_digit

CHUNK = 2000  # pictures that one process draws from one random generator
DIGIT_SHARE = 0.6

Labeled = tuple[NDArray[np.uint8], NDArray[np.int64]]


def draw_images(sources: Sources, count: int, seed: int, processes: int) -> Labeled:
    """Draw pictures and prepare them; the result depends on `count` and `seed` alone.

    Returns
    -------
    images : (n, 28, 28) uint8
        High = ink; n is less than `count`, because pictures on which nothing is found are left out.
    labels : (n,) int64
        0 to 9, or `benchmarks.synthetic.crops.NOT_A_DIGIT`.
    """
    chunks = [(seed, number, min(CHUNK, count - start)) for number, start in enumerate(range(0, count, CHUNK))]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        parts = list(pool.map(partial(_draw_chunk, sources), chunks))
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _draw_chunk(sources: Sources, chunk: tuple[int, int, int]) -> Labeled:
    seed, number, count = chunk
    pairs = list(_draw(sources, count, np.random.default_rng([seed, number])))
    return np.stack([image for image, _ in pairs]), np.array([label for _, label in pairs])


def _draw(sources: Sources, count: int, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.uint8], int]]:
    for _ in range(count):
        crop = draw_crop(sources, DIGIT_SHARE, rng)
        prepared = prepare_digit(crop.picture, None)
        if not prepared.problem:
            yield prepared.image, crop.label
