"""Form lines: frames and underlines are found, digits are not taken for them."""

import numpy as np
import pytest
from scipy import ndimage

from inksight.reading.cell_borders import find_cell_borders
from inksight.reading.form_lines import find_form_lines
from inksight.reading.reader import read
from inksight.reading.underlines import cut_off_underlines


def form_lines_of(page):
    """Return which connected components of a page are form lines."""
    regions, count = ndimage.label(page, np.ones((3, 3)))
    boxes = np.array([(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(regions)])
    return find_form_lines(regions, boxes, np.bincount(regions.ravel(), minlength=count + 1)[1:].astype(np.float64))


def test_underline_held_askew_is_a_form_line_and_a_row_of_touching_ones_is_not():
    page = np.zeros((100, 300), bool)
    for x in range(20, 280):
        page[70 + (x - 20) // 12 : 73 + (x - 20) // 12, x] = True
    assert form_lines_of(page).tolist() == [True]
    page[:] = False
    page[40:44, 20:280] = True
    for x in range(25, 280, 20):
        page[10:40, x : x + 12] = page[44:50, x : x + 12] = True
    page[20:30, 20:280] = True
    assert form_lines_of(page).tolist() == [False]


def test_a_zero_with_a_speck_inside_is_not_a_frame():
    rows, columns = np.indices((60, 60))
    radius = np.hypot(rows - 30, (columns - 30) * 1.4)
    page = (radius < 26) & (radius > 22)
    page[28:32, 28:32] = True
    assert not form_lines_of(page).any()


def test_digits_in_a_row_of_boxes_and_above_an_underline_are_read(mnist):
    digits = [255 - mnist.images[60_000 + i] for i in range(4)]
    text = "".join(str(label) for label in mnist.labels[60_000:60_004])
    page = np.full((300, 1600), 255, np.uint8)  # so wide that the frames are shorter than ruled lines
    for i, digit in enumerate(digits):
        page[30:114, 40 + 100 * i : 124 + 100 * i] = digit.repeat(3, axis=0).repeat(3, axis=1)
    boxed, underlined = page.copy(), page.copy()
    for i in range(5):
        boxed[26:120, 32 + 100 * i : 35 + 100 * i] = 0
    boxed[26:29, 32:435] = boxed[117:120, 32:435] = 0
    underlined[120:123, 30:440] = 0
    assert read(boxed).text == text
    assert read(underlined).text == text


def row_of_digits(mnist, count, zoom=2):
    """Return a white page (140, 80 * count + 60) with some digits, 80 pixels apart, and their text."""
    page = np.full((140, 80 * count + 60), 235, np.uint8)
    for i in range(count):
        digit = 255 - mnist.images[60_000 + i]
        at = (slice(42, 42 + 28 * zoom), slice(42 + 80 * i, 42 + 80 * i + 28 * zoom))
        page[at] = np.minimum(page[at], digit.repeat(zoom, axis=0).repeat(zoom, axis=1))
    return page, "".join(str(label) for label in mnist.labels[60_000 : 60_000 + count])


@pytest.mark.parametrize("count", [3, 5, 9])
@pytest.mark.parametrize("thickness", [2, 3])
def test_the_borders_of_a_row_of_boxes_as_long_as_the_page_are_not_read_as_ones(count, thickness, mnist):
    page, text = row_of_digits(mnist, count)
    page[30 : 30 + thickness, 30:-30] = page[108 : 108 + thickness, 30:-30] = 60
    for x in range(30, page.shape[1], 80):
        page[30 : 108 + thickness, x : x + thickness] = 60
    assert read(page).text == text


@pytest.mark.parametrize("thickness", [3, 4, 6, 8])
@pytest.mark.parametrize(("top", "bottom"), [(42, 100), (36, 104), (45, 95)])
def test_ones_between_two_ruled_lines_are_read(top, bottom, thickness):
    page = np.full((140, 600), 235, np.uint8)
    page[30:32, 10:-10] = page[110:112, 10:-10] = 60
    for x in (100, 200, 300):  # they do not reach from line to line
        page[top:bottom, x : x + thickness] = 30
    assert read(page).text == "111"


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("thickness", [2, 3])
@pytest.mark.parametrize("slope", [-0.01, 0.0, 0.01])
def test_digits_that_touch_the_borders_of_their_boxes_are_read(slope, thickness, count, mnist):
    page, text = row_of_digits(mnist, count)
    draw_touching_boxes(page, count, thickness, slope)
    assert read(page).text == text


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("thickness", [3, 5])
@pytest.mark.parametrize("degrees", [-5, -2, 0, 2, 5])
def test_digits_that_touch_dark_boxes_much_narrower_than_the_page_are_read(degrees, thickness, count, mnist):
    page, text = row_of_digits(mnist, count)
    draw_touching_boxes(page, count, thickness, 0.0, ink=20)
    page = ndimage.rotate(page.astype(np.float64), degrees, order=1, cval=235).astype(np.uint8)
    assert read(np.pad(page, [(40, 40), (40, 1400 - page.shape[1])], constant_values=235)).text == text


def draw_touching_boxes(page, count, thickness, slope, ink=60):
    """Draw a row of boxes over a page of `row_of_digits`, some of which touch them."""
    rows, columns = np.indices(page.shape)
    level, place = rows - slope * columns, columns + slope * rows - 50  # digits begin at about 0, 80, 160, ...
    lines = (np.abs(level - 44) < thickness / 2) | (np.abs(level - 96) < thickness / 2)
    lines &= (place >= 0) & (place <= 80 * count)
    sides = (level >= 44) & (level <= 96) & (place >= 0) & (place < 80 * count + thickness)
    lines |= sides & (place % 80 < thickness)
    assert (ndimage.binary_dilation(lines, np.ones((3, 3))) & (page < 120)).any()
    page[lines] = np.minimum(page[lines], ink)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("thickness", [3, 5, 7])
@pytest.mark.parametrize("bend", [-2, 0, 2])
def test_digits_that_touch_their_underline_are_read(bend, thickness, count, mnist):
    page, text = row_of_digits(mnist, count)
    rows, columns = np.indices(page.shape)
    across = (columns - 30) / (80 * count)
    level = 89 + thickness / 2 + bend * 4 * across * (1 - across)
    line = (np.abs(rows - level) <= thickness / 2) & (across >= 0) & (across <= 1)
    assert (ndimage.binary_dilation(line, np.ones((3, 3))) & (page < 120)).any()
    page[line] = 60
    assert read(page).text == text


def test_only_a_line_under_writing_is_cut_off():
    regions = np.zeros((100, 200), np.int32)
    regions[10:80, [40, 80, 120]] = regions[80:84, 20:160] = 1
    regions[10:14, 150:195] = regions[14:40, 190:194] = 2  # a wide 7, whose bar is above
    alone = np.zeros((100, 200), np.int32)
    alone[80:84, 20:160] = 1
    assert cut_off_underlines(alone, np.array([[20, 80, 160, 84]])) == 0
    assert alone[80:84, 20:160].all()
    assert cut_off_underlines(regions, np.array([[20, 10, 160, 84], [150, 10, 195, 40]])) == 1
    assert sorted(np.unique(regions[10:80, [40, 80, 120]])) == [1, 3, 4]
    assert not regions[80:84, 20:36].any()
    assert (regions == 2).sum() == 45 * 4 + 26 * 4


def test_a_single_stroke_between_two_ruled_lines_is_not_a_border():
    mask, ruled = np.zeros((2, 60, 200), bool)
    ruled[[10, 50]] = True
    mask[10:51, 60] = True
    assert not find_cell_borders(mask, ruled).any()
    mask[10:51, 120] = True
    assert find_cell_borders(mask, ruled)[14:46, [60, 120]].all()
