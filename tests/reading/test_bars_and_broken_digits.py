"""Bars that are not digits, digits of which a part is pale, and digits that the picture's edge cuts off."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from inksight.reading.bars import find_bars
from inksight.reading.binarization import binarize
from inksight.reading.components import find_components
from inksight.reading.reader import read

LEFT_CODES = [
    f"{code:07b}" for code in (0b0001101, 0b0011001, 0b0010011, 0b0111101, 0b0100011, 0b0110001, 0b0101111, 0b0111011)
] + ["0110111", "0001011"]


def barcode(module, height, angle, blur, noise, rng):
    """Return a photo of the EAN-13 barcode 4006381333931 without its digits."""
    left = "".join(LEFT_CODES[int(digit)] for digit in "400638")
    right = "".join(LEFT_CODES[int(digit)] for digit in "133393").translate(str.maketrans("01", "10"))
    bars = np.repeat([int(bit) for bit in f"101{left}01010{right}101"], module)
    page = np.pad(np.tile(245 - 220 * bars, (height, 1)), ((40, 40), (60, 60)), constant_values=245)
    photo = Image.fromarray(page.astype(np.uint8)).rotate(angle, Image.Resampling.BICUBIC, fillcolor=245)
    blurred = np.asarray(photo.filter(ImageFilter.GaussianBlur(blur)))
    return (blurred + rng.normal(0, noise, blurred.shape)).clip(0, 255).astype(np.uint8)


def line_of_digits(mnist, numbers, zoom=3):
    """Return a page with a line of MNIST's digits, and left, top, right and bottom of each."""
    side = 28 * zoom
    page, boxes = np.full((side + 80, len(numbers) * side + 160), 240.0), []
    for place, number in enumerate(numbers):
        ink = mnist.images[number].repeat(zoom, axis=0).repeat(zoom, axis=1) / 255
        top, left = 40, 80 + place * side
        page[top : top + side, left : left + side] -= 200 * ink
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        boxes.append((left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1))
    return page.astype(np.uint8), boxes


@pytest.mark.parametrize(
    ("module", "height", "angle", "blur", "noise"),
    [(2, 120, 0, 0, 0), (3, 100, 0, 0.7, 3), (3, 150, 3, 0.7, 3), (4, 200, -2, 1, 4), (5, 300, 6, 1, 4)],
)
def test_a_barcode_is_not_read_as_ones(module, height, angle, blur, noise):
    page = read(barcode(module, height, angle, blur, noise, np.random.default_rng(0)))
    assert [reading.digit for reading in page] == [None]


def test_a_row_of_equal_ones_is_no_barcode():
    page = np.full((140, 500), 245, np.uint8)
    for place in range(14):
        page[40:100, 40 + 30 * place : 46 + 30 * place] = 25
    binary = binarize(page / 255)
    assert len(find_components(binary)[1]) == 14


def test_sides_of_a_box_need_lines_between_their_ends():
    regions = np.zeros((80, 120), np.int32)
    regions[20:60, 20:23], regions[20:60, 90:93], regions[30:50, 50:54] = 1, 2, 3
    boxes = np.array([[20, 20, 23, 60], [90, 20, 93, 60], [50, 30, 54, 50]])
    ink = regions > 0
    assert not find_bars(ink, regions, boxes).any()
    ink[19, 20:93] = True
    assert not find_bars(ink, regions, boxes).any()
    ink[60, 20:93] = True
    assert find_bars(ink, regions, boxes).tolist() == [True, True, False]
    assert not find_bars(np.ones_like(ink), regions, boxes).any()  # paper that is dark all over


def test_a_digit_with_a_pale_neck_stays_whole():
    contrast = np.zeros((120, 400))
    for left in (40, 120, 200, 280):
        contrast[30:90, left : left + 12] = 0.8
    contrast[52:66, 200:212] = 0.35  # between the level of thin strokes and that of ink
    regions, groups, _, _ = find_components(binarize(1 - contrast))
    assert [group[0].box[1::2] for group in groups] == [(30, 90)] * 4
    assert (regions[52:66, 204:208] > 0).all()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("shown", [0.3, 0.5])
def test_a_digit_that_the_edge_cuts_off_does_not_vanish(side, shown, mnist):
    numbers = [3, 13, 5, 28] if side == "left" else [13, 5, 28, 3]  # with a 0 at the edge
    labels = "".join(str(mnist.labels[number]) for number in numbers)
    page, boxes = line_of_digits(mnist, numbers)
    left, _, right, _ = boxes[0 if side == "left" else -1]
    cut = round(right - shown * (right - left)) if side == "left" else round(left + shown * (right - left))
    text = read(page[:, cut:] if side == "left" else page[:, :cut]).text
    assert text == ("?" + labels[1:] if side == "left" else labels[:-1] + "?")
