"""Training images for reading: pictures of one sign and crops of lines, prepared as for reading."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic.crops import Sources, draw_crop
from benchmarks.synthetic.line_crops import crops_of_a_line
from inksight.reading.detection import prepare_digit

CHUNK = 2000  # pictures that one process draws from one random generator
LINES_CHUNK = 200  # the same for lines
DIGIT_SHARE = 0.6

Labeled = tuple[NDArray[np.uint8], NDArray[np.int64]]
Crops = Iterator[tuple[NDArray[np.uint8], int]]
DrawCrops = Callable[[Sources, int, np.random.Generator], Crops]


def draw_images(sources: Sources, count: int, seed: int, processes: int) -> Labeled:
    """Draw pictures of one sign and prepare them; the result depends on `count` and `seed` alone.

    Returns
    -------
    images : (n, 28, 28) uint8
        High = ink; n is less than `count`, because pictures on which nothing is found are left out.
    labels : (n,) int64
        0 to 9, or `benchmarks.synthetic.crops.NOT_A_DIGIT`.
    """
    return _draw_in_chunks(_draw_pictures, CHUNK, sources, count, seed, processes)


def draw_line_images(sources: Sources, count: int, seed: int, processes: int) -> Labeled:
    """Draw lines of handwriting and segment them (`benchmarks.synthetic.line_crops`); otherwise as `draw_images`.

    Parameters
    ----------
    count : int
        Number of lines, each of which gives about ten images.
    """
    return _draw_in_chunks(_draw_lines, LINES_CHUNK, sources, count, seed, processes)


def _draw_in_chunks(draw: DrawCrops, size: int, sources: Sources, count: int, seed: int, processes: int) -> Labeled:
    chunks = [(seed, number, min(size, count - start)) for number, start in enumerate(range(0, count, size))]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        parts = list(pool.map(partial(_draw_chunk, draw, sources), chunks))
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _draw_chunk(draw: DrawCrops, sources: Sources, chunk: tuple[int, int, int]) -> Labeled:
    seed, number, count = chunk
    pairs = list(draw(sources, count, np.random.default_rng([seed, number])))
    return np.stack([image for image, _ in pairs]), np.array([label for _, label in pairs])


def _draw_pictures(sources: Sources, count: int, rng: np.random.Generator) -> Crops:
    for _ in range(count):
        crop = draw_crop(sources, DIGIT_SHARE, rng)
        prepared = prepare_digit(crop.picture, None)
        if not prepared.problem:
            yield prepared.image, crop.label


def _draw_lines(sources: Sources, count: int, rng: np.random.Generator) -> Crops:
    for _ in range(count):
        yield from crops_of_a_line(sources.digits, rng)
