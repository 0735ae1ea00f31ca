"""Page detection: a page ends where its paper does, and a page that fills its picture is kept whole."""

import numpy as np
import pytest
from scipy import ndimage

from inksight.reading.page_detection import detect_page


def grain(shape, rng):
    """Return which pixels of a coarse random texture are as light as paper."""
    return ndimage.zoom(rng.random((shape[0] // 6 + 1, shape[1] // 6 + 1)), 6, order=0)[: shape[0], : shape[1]] < 0.5


def rotated_page(shape, degrees):
    """Return the mask of a rectangle of 0.7 of a picture's height and width, rotated around its center."""
    y, x = np.indices(shape) - np.array(shape)[:, None, None] / 2
    angle = np.radians(degrees)
    across, down = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    return (np.abs(down) < 0.35 * shape[0]) & (np.abs(across) < 0.35 * shape[1])


@pytest.mark.parametrize("degrees", [0, 7, -12])
@pytest.mark.parametrize("shape", [(300, 400), (900, 500)])
def test_a_page_on_a_grainy_table_is_found(shape, degrees, rng):
    page = rotated_page(shape, degrees)
    photo = page | grain(shape, rng)
    photo[shape[0] // 2 - 30 : shape[0] // 2 + 30, shape[1] // 2 - 40 : shape[1] // 2 + 40] = False  # writing
    found = detect_page(photo)
    inner = ndimage.binary_erosion(page, iterations=max(shape) // 40)
    assert found[inner].all()
    assert (found & ~page).sum() < 0.08 * page.sum()  # grain that touches it


def test_a_page_on_a_plain_table_is_found():
    page = rotated_page((300, 400), 5)
    assert not detect_page(page)[:20].any()


def test_a_page_that_fills_its_picture_is_kept_whole(rng):
    page = np.ones((300, 400), bool)
    page[::40] = page[:, 100:104] = False  # ruled lines
    page[250:, 150:170] = False  # writing across the edge
    assert detect_page(page).all()
    page[120:123] = False  # a line divides it: both sides are one page
    assert detect_page(page).all()


def test_paper_that_does_not_fill_its_hull_is_not_a_page():
    page = np.zeros((300, 400), bool)
    page[50:250, 50:350] = True
    page[50:200, 120:280] = False
    assert detect_page(page).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (9, 9), (40, 40), (161, 320)])
@pytest.mark.parametrize("filling", [0.0, 0.5, 1.0])
def test_any_picture_gives_a_mask_of_its_shape(shape, filling, rng):
    found = detect_page(rng.random(shape) < filling)
    assert found.shape == shape
    assert found.dtype == bool
