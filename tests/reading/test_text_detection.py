"""A page of text gives no digit of which one could be sure; a page of as many digits does."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from inksight.reading.reader import read

TEXT = (
    "The quick brown fox jumps over the lazy dog. Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do "
    "eiusmod tempor incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation "
)


def printed(text, size, width=900, height=440):
    """Return a page (height, width) of text in lines that fit."""
    font = ImageFont.load_default(size)
    page = Image.new("L", (width, height), 245)
    draw = ImageDraw.Draw(page)
    x, y = 40.0, 30
    for word in text.split():
        length = draw.textlength(word + " ", font=font)
        if x + length > width - 40:
            x, y = 40.0, y + int(1.5 * size)
        if y + 2 * size > height:
            break
        draw.text((x, y), word, font=font, fill=30)
        x += length
    return np.asarray(page)


@pytest.mark.parametrize("size", [20, 32])
def test_a_page_of_text_gives_no_sure_digit(size):
    page = read(printed(TEXT, size))
    assert len(page) > 100
    assert max(reading.confidence for reading in page) < 0.5
    assert set(page.text) == {"?", "\n"}
    assert {reading.reason for reading in page} <= {"not a digit", "unsure"}


def test_a_page_of_many_digits_is_read_with_confidence(mnist):
    lines = [np.hstack(255 - mnist.images[60_000 + 12 * row : 60_012 + 12 * row]) for row in range(6)]
    page = read(np.vstack(lines).repeat(2, axis=0).repeat(2, axis=1))
    digits = [reading for reading in page if reading.digit is not None]
    assert len(digits) >= 68
    assert np.median([reading.confidence for reading in digits]) > 0.99
