"""Colored ink beside dark ink is read; printed lines, highlighters, tables and gray stains are not."""

import numpy as np
import pytest
from PIL import Image

from inksight.reading.colored_ink import color_contrast, find_colored_ink
from inksight.reading.reader import read

PENS = ((20, 20, 20), (255, 120, 0), (100, 230, 20), (20, 190, 240), (200, 215, 40), (20, 30, 130))
WHITE, CREAM, YELLOW = (250, 250, 250), (245, 235, 210), (250, 240, 160)


def written(mnist, pens, paper=WHITE, height=84):
    """Return an RGB page with one digit per pen, and the text."""
    step = height + 26
    page = np.full((height + 66, step * len(pens) + 40, 3), paper, float)
    for i, pen in enumerate(pens):
        image = Image.fromarray(mnist.images[60_000 + i]).resize((height, height), Image.Resampling.BICUBIC)
        ink = np.asarray(image)[..., None] / 255
        left = 30 + step * i
        part = page[33 : 33 + height, left : left + height]
        part[...] = part * (1 - ink) + ink * np.minimum(part, pen)
    return page.astype(np.uint8), "".join(str(label) for label in mnist.labels[60_000 : 60_000 + len(pens)])


@pytest.mark.parametrize("turn", range(len(PENS)))
def test_a_line_in_several_inks_is_read(turn, mnist):
    page, text = written(mnist, PENS[turn:] + PENS[:turn])
    assert read(page).text == text


@pytest.mark.parametrize("paper", [CREAM, YELLOW, (205, 204, 200), (215, 228, 240)])
@pytest.mark.parametrize("height", [42, 84, 168])
def test_paper_and_size_do_not_matter(paper, height, mnist):
    page, text = written(mnist, PENS[:4], paper, height)
    assert read(page).text == text


def test_colored_ink_is_read_from_any_kind_of_picture(mnist):
    page, text = written(mnist, PENS)
    opaque = np.dstack([page, np.full(page.shape[:2], 255, np.uint8)])
    assert [read(kind).text for kind in (Image.fromarray(page), opaque, page / 255)] == [text] * 3
    assert [reading.text for reading in read([page, page])] == [text] * 2


def test_a_highlighter_over_digits_changes_nothing(mnist):
    page, text = written(mnist, PENS[:1] * 4)
    marked = page.copy()
    marked[20:130, 20:250] = np.minimum(marked[20:130, 20:250], (255, 245, 60))
    assert read(page).text == read(marked).text == text


def test_colored_lines_are_not_read(mnist):
    page, text = written(mnist, PENS[:1] * 4)
    for x in range(15, page.shape[1], 55):
        page[:, x : x + 2] = np.minimum(page[:, x : x + 2], (160, 215, 250))
    for y in (10, 75, 140):
        page[y : y + 2] = np.minimum(page[y : y + 2], (160, 215, 250))
    assert read(page).text == text


def strokes(color=0.8, brightness=0.2, width=8, left=60, top=30, bottom=70):
    """Return contrasts in color and brightness of a page with a dark stroke and another one."""
    page = np.zeros((2, 100, 140))
    page[:, 30:70, 20:28] = 0.8
    page[:, top:bottom, left : left + width] = np.array([color, brightness])[:, None, None]
    return page


def found(contrasts, texture=0.0):
    color, brightness = contrasts
    everywhere = np.ones(color.shape, bool)
    return find_colored_ink(color, brightness, np.full(color.shape, texture), brightness > 0.5, everywhere)


def test_only_the_colored_stroke_is_found():
    mask = found(strokes())
    assert mask[31:69, 61:67].all()
    assert not mask[:, :50].any()


@pytest.mark.parametrize(
    "changes",
    [
        {"color": 0.22},  # gray
        {"color": 0.2, "brightness": 0.1},  # pale
        {"width": 1},  # the rest of a line
        {"width": 36},  # a colored area
        {"bottom": 42},  # a dot
        {"left": 132},  # at the edge of the picture, where a table may be
    ],
)
def test_what_is_not_a_colored_stroke_is_not_found(changes):
    assert not found(strokes(**changes)).any()


def test_texture_and_pages_without_dark_ink_have_no_colored_ink():
    assert not found(strokes(), texture=0.9).any()
    assert not found(np.zeros((2, 40, 40))).any()


def test_light_ink_on_a_dark_board_differs_in_its_strongest_channel():
    board = Image.new("RGB", (120, 80), (40, 40, 40))
    board.paste((40, 40, 240), (60, 20, 66, 60))
    contrast = color_contrast(board, False, 15)
    assert contrast[40, 62] == pytest.approx(200 / 240, abs=0.01)
    assert contrast[40, 10] == 0
