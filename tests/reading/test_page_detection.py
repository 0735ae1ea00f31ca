"""The sheet: where it ends, and that nothing of a page is lost that fills its picture."""

import numpy as np
import pytest
from scipy import ndimage

from inksight.reading.page_detection import detect_page


def grain(shape, rng):
    return ndimage.zoom(rng.random((shape[0] // 6 + 1, shape[1] // 6 + 1)), 6, order=0)[: shape[0], : shape[1]] < 0.5


def turned(shape, degrees):
    """Return a rectangle of 0.7 of a picture's height and width, turned around its middle."""
    y, x = np.indices(shape) - np.array(shape)[:, None, None] / 2
    angle = np.radians(degrees)
    across, down = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    return (np.abs(down) < 0.35 * shape[0]) & (np.abs(across) < 0.35 * shape[1])


@pytest.mark.parametrize("degrees", [0, 7, -12])
@pytest.mark.parametrize("shape", [(300, 400), (900, 500)])
def test_a_sheet_on_a_table_ends_where_it_does(shape, degrees, rng):
    sheet = turned(shape, degrees)
    photo = sheet | grain(shape, rng)
    photo[shape[0] // 2 - 30 : shape[0] // 2 + 30, shape[1] // 2 - 40 : shape[1] // 2 + 40] = False  # writing
    found = detect_page(photo)
    inner = ndimage.binary_erosion(sheet, iterations=max(shape) // 40)
    assert found[inner].all()
    assert (found & ~sheet).sum() < 0.08 * sheet.sum()  # grain that hangs on to it


def test_a_plain_table_ends_a_sheet_too():
    sheet = turned((300, 400), 5)
    assert not detect_page(sheet)[:20].any()


def test_a_page_that_fills_its_picture_is_all_sheet(rng):
    page = np.ones((300, 400), bool)
    page[::40] = page[:, 100:104] = False  # lines
    page[250:, 150:170] = False  # writing that goes over the edge
    assert detect_page(page).all()
    page[120:123] = False  # a line parts it: both sides are of one sheet
    assert detect_page(page).all()


def test_a_page_with_a_dent_is_not_taken_for_a_sheet():
    page = np.zeros((300, 400), bool)
    page[50:250, 50:350] = True
    page[50:200, 120:280] = False
    assert detect_page(page).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (9, 9), (40, 40), (161, 320)])
@pytest.mark.parametrize("filling", [0.0, 0.5, 1.0])
def test_any_picture_gets_an_answer_of_its_shape(shape, filling, rng):
    found = detect_page(rng.random(shape) < filling)
    assert found.shape == shape
    assert found.dtype == bool
